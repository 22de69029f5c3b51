import Platform
import Sockets

/// One command of the command line; one file each.
protocol Command: Sendable {
    static var shape: CommandShape { get }

    /// - Throws: `UsageError` for values that no run could use.
    init(_ arguments: Arguments) throws(Arguments.UsageError)

    /// Does it. Throws ``CommandFailure`` for expected ends that are no result.
    func run(_ context: CommandContext) async throws -> ExitCode
}

/// What every command is given.
struct CommandContext: Sendable {
    let console: Console
    let settings: CLISettings
    let loop: EventLoop
    /// Files and child processes.
    let blocking = BlockingExecutor(label: "cli", threads: 2)
    /// The API of a running stack, for the length of a command.
    func withAPI<Value>(_ body: (APIClient) async throws -> Value) async throws -> Value {
        let api = APIClient(
            base: try settings.baseURL(), token: try settings.apiToken(), caFile: try settings.caFile(), loop: loop)
        let outcome: Result<Value, any Error>
        do { outcome = .success(try await body(api)) } catch { outcome = .failure(error) }
        await api.close()
        return try outcome.get()
    }

    /// What drivers have to say is only of interest when something is looked for.
    var log: Log { settings.log }
}
