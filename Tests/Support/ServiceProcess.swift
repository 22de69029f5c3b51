package import Glibc
import Platform

/// A real executable, started by a test: its environment, its log in a file, its signals and its end.
package final class ServiceProcess: Sendable {
    package struct SpawnFailed: Error, CustomStringConvertible { package let description: String }

    /// How a process ended.
    package enum End: Sendable, Equatable {
        case exited(Int32)
        case signalled(Int32)
    }

    package let name: String
    package let pid: pid_t
    package let logPath: String
    private static let waiters = BlockingExecutor(label: "waitpid", threads: 256)
    private let end = Lock<End?>(nil)

    /// - Parameters:
    ///   - environment: the whole environment; nothing is inherited but PATH and the toolchain's library path.
    ///   - logPath: where standard output and error go; appended to.
    package init(name: String, binary: String, arguments: [String] = [], environment: [String: String], logPath: String)
        throws
    {
        self.name = name
        self.logPath = logPath
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, logPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var inherited: [String: String] = [:]
        for key in ["PATH", "LD_LIBRARY_PATH", "HOME", "TMPDIR"] {
            inherited[key] = getenv(key).map { String(cString: $0) }
        }
        let variables = inherited.merging(environment) { $1 }.map { "\($0)=\($1)" }
        var argv: [UnsafeMutablePointer<CChar>?] = ([binary] + arguments).map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        // A thread of Dispatch blocks most signals, and a child inherits that: it would never see a SIGTERM.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var pid = pid_t()
        let status = posix_spawn(&pid, binary, &actions, &attributes, &argv, &envp)
        guard status == 0 else { throw SpawnFailed(description: "\(binary): \(String(cString: strerror(status)))") }
        self.pid = pid
    }

    deinit {
        // A test that failed half-way must not leave servers behind.
        if end.withLock({ $0 }) == nil {
            kill(pid, SIGKILL)
            var status: Int32 = 0
            waitpid(pid, &status, 0)
        }
    }

    package func send(_ signal: Int32) { if end.withLock({ $0 }) == nil { kill(pid, signal) } }

    /// Waits for the process's end.
    @discardableResult
    package func waitForEnd() async throws -> End {
        if let known = end.withLock({ $0 }) { return known }
        let pid = pid
        let raw = try await Self.waiters.run { () -> Int32 in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
            return status
        }
        let found: End = raw & 0x7F == 0 ? .exited(raw >> 8 & 0xFF) : .signalled(raw & 0x7F)
        end.withLock { $0 = found }
        return found
    }

    /// Whether the kernel still has the process and it is not a zombie.
    package var isAlive: Bool { end.withLock { $0 } == nil && !["Z", "X"].contains(Self.state(of: pid)) }

    /// Whether the process is stopped by SIGSTOP.
    package var isStopped: Bool { Self.state(of: pid) == "T" }

    private static func state(of pid: pid_t) -> String {
        guard let file = fopen("/proc/\(pid)/stat", "r") else { return "X" }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 512)
        guard fgets(&buffer, 512, file) != nil else { return "X" }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let close = text.lastIndex(of: ")") else { return "X" }
        return text[text.index(after: close)...].split(separator: " ").first.map(String.init) ?? "X"
    }
}

/// A TCP port that was free a moment ago.
package enum FreePort {
    package static func pick() -> UInt16 {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(fd) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(fd, raw, length) == 0 && getsockname(fd, raw, &length) == 0
            }
        }
        precondition(bound, "no free port on loopback")
        return UInt16(bigEndian: address.sin_port)
    }
}
