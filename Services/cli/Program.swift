import Dispatch
import Glibc
import Platform
import ServiceKit
import Sockets

/// The life of one `aragora`: words in, one command, one exit code.
enum Program {
    static func run() -> Never {
        let console = Console.standard(colour: CLISettings.wantsColour)
        let words = Array(CommandLine.arguments.dropFirst())
        switch CommandTable.resolve(words) {
        case .overview(let text):
            console.print(text)
            exit(ExitCode.ok.rawValue)
        case .version:
            console.print("aragora \(BuildInfo.current.version) (\(BuildInfo.current.commit))")
            exit(ExitCode.ok.rawValue)
        case .misunderstood(let problem):
            console.complain(problem)
            exit(ExitCode.usage.rawValue)
        case .command(let type, let rest):
            start(type, rest, console)
        }
        dispatchMain()
    }

    private static func start(_ type: any Command.Type, _ words: [String], _ console: Console) {
        let command: any Command
        do throws(Arguments.UsageError) {
            let arguments = try Arguments(words, shape: type.shape)
            guard !arguments.wantsHelp else {
                console.print(type.shape.help)
                exit(ExitCode.ok.rawValue)
            }
            command = try type.init(arguments)
        } catch {
            console.complain("\(type.shape.name): \(error.description); see aragora \(type.shape.name) --help")
            exit(ExitCode.usage.rawValue)
        }
        let loop: EventLoop
        do { loop = try EventLoop(name: "cli") } catch {
            console.complain("\(error)")
            exit(ExitCode.software.rawValue)
        }
        let context = CommandContext(console: console, settings: CLISettings(), loop: loop)
        // The program's one bare task; the process itself is its owner.
        let task = Task(executorPreference: loop) { exit(await finish(command, context).rawValue) }
        stopOnSignals(task)
    }

    /// The first signal lets the command clean up, for as long as it needs; the second ends it.
    private static func stopOnSignals(_ task: Task<Never, Never>) {
        let asked = Lock(false)
        ProcessSignals.forward([SIGINT, SIGTERM, SIGHUP]) { number in
            let again = asked.withLock { was in
                defer { was = true }
                return was
            }
            if again { exit(128 + number) }
            task.cancel()
        }
    }

    private static func finish(_ command: any Command, _ context: CommandContext) async -> ExitCode {
        do {
            return try await command.run(context)
        } catch let failure as CommandFailure {
            context.console.complain(failure.description)
            return failure.code
        } catch is CancellationError {
            return .interrupted
        } catch {
            context.console.complain(Failures.sentence(of: error))
            return Failures.code(of: error)
        }
    }
}
