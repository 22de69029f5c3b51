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
    /// What drivers have to say is only of interest when something is looked for.
    var log: Log { settings.log }
}
