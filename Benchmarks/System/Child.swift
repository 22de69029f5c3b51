import Glibc
import Sockets

/// A process that a benchmark started: its environment, its processor, its log in a file, and its certain end.
final class Child: Sendable {
    let name: String
    let pid: Int32
    let logPath: String

    /// From TERM to KILL.
    static let stopDeadline = Duration.seconds(30)

    /// - Parameters:
    ///   - environment: all of it but PATH, HOME and the like.
    ///   - processor: the only processor it may run on.
    init(
        _ name: String, _ binary: String, _ arguments: [String] = [], environment: [String: String] = [:],
        folder: String, processor: Int? = nil
    ) throws {
        self.name = name
        logPath = "\(folder)/\(name).log"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, logPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let pinned = processor.map { ["/usr/bin/taskset", "-c", String($0)] } ?? []
        let command = pinned + [binary] + arguments
        var argv: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] =
            Self.inherited.merging(environment) { $1 }.map { strdup("\($0)=\($1)") }
            + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var pid = pid_t()
        let status = posix_spawn(&pid, command[0], &actions, nil, &argv, &envp)
        guard status == 0 else { throw BenchFailure("\(binary): \(String(cString: strerror(status)))") }
        self.pid = pid
    }

    deinit {
        // A benchmark that failed half-way must not leave servers behind.
        if kill(pid, 0) == 0 && !hasEnded() {
            kill(pid, SIGKILL)
            var status: Int32 = 0
            waitpid(pid, &status, 0)
        }
    }

    private static var inherited: [String: String] {
        var kept: [String: String] = [:]
        for key in ["PATH", "LD_LIBRARY_PATH", "HOME", "TMPDIR"] { kept[key] = getenv(key).map { String(cString: $0) } }
        return kept
    }

    func send(_ signal: Int32) { kill(pid, signal) }

    /// Whether it has ended; reaps it then.
    func hasEnded() -> Bool {
        var status: Int32 = 0
        return waitpid(pid, &status, Int32(WNOHANG)) != 0
    }

    /// TERM, and KILL when that was not enough.
    func stop(on loop: EventLoop) async {
        send(SIGTERM)
        send(SIGCONT)
        let deadline = MonotonicTime.now() + Self.stopDeadline.nanosecondsValue
        while !hasEnded() {
            if MonotonicTime.now() > deadline { send(SIGKILL) }
            try? await loop.sleep(for: .milliseconds(10))
        }
    }

    var logTail: String { TextFile.read(logPath).split(separator: "\n").suffix(5).joined(separator: "\n") }
}

extension Duration {
    var nanosecondsValue: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
    var seconds: Double { Double(nanosecondsValue) / 1e9 }
    static func seconds(fraction: Double) -> Duration { .nanoseconds(Int64(fraction * 1e9)) }
}
