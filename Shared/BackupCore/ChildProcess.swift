import Glibc

/// Runs one of Postgres's programs as a child: no shell, no inherited descriptor, and what is secret in its environment
/// only, never in its arguments, which every user of the machine can read. Blocks; call it on the `BlockingExecutor`.
struct ChildProcess: Sendable {
    /// Of what the child says on standard error, the last bytes are kept.
    static let maxErrorBytes = 4096
    static let pieceBytes = 64 * 1024
    /// How soon a cancelled run is noticed.
    static let pollMilliseconds: Int32 = 200

    let program: String
    let arguments: [String]
    let environment: [String: String]

    /// How a child ended.
    struct Exit: Sendable {
        /// Its exit code, or 128 and the signal that ended it.
        let code: Int32
        /// The end of what it said.
        let standardError: String
    }

    /// Runs the child to its end.
    /// - Parameters:
    ///   - input: the next bytes of its standard input, nil at the end.
    ///   - output: takes its standard output.
    /// - Throws: what the closures throw, `.cancelled`, or `.unavailable` when it can not be started; the child is
    ///   killed first.
    func run(
        stop: StopFlag, input: () throws -> [UInt8]? = { nil }, output: ([UInt8]) throws -> Void = { _ in }
    ) throws -> Exit {
        let streams = try ChildStreams()
        let child = try spawn(streams)
        streams.closeChildEnds()
        do {
            let errors = try pump(streams, stop, input, output)
            return Exit(code: Self.wait(for: child), standardError: String(decoding: errors, as: UTF8.self))
        } catch {
            kill(child, SIGKILL)
            _ = Self.wait(for: child)
            throw error
        }
    }

    /// ``run(stop:input:output:)``, for programs whose failure is ours.
    /// - Throws: also ``BackupError`` `.toolFailed` with the reason the program gave.
    func runChecked(
        stop: StopFlag, input: () throws -> [UInt8]? = { nil }, output: ([UInt8]) throws -> Void = { _ in }
    ) throws {
        let exit = try run(stop: stop, input: input, output: output)
        guard exit.code == 0 else {
            let lines = exit.standardError.split(whereSeparator: \.isNewline)
            // psql follows the error with its context: the first line that says ERROR or FATAL is the reason.
            let reason = lines.first { $0.contains("ERROR") || $0.contains("FATAL") } ?? lines.last ?? "no message"
            throw BackupError(.toolFailed, "\(program) ended with \(exit.code): \(reason)")
        }
    }

    // MARK: Steps

    private func pump(
        _ streams: ChildStreams, _ stop: StopFlag, _ input: () throws -> [UInt8]?, _ output: ([UInt8]) throws -> Void
    ) throws -> [UInt8] {
        var pending = ArraySlice<UInt8>()
        var errors: [UInt8] = []
        while streams.outputIsOpen || streams.errorIsOpen {
            try stop.check()
            if streams.inputIsOpen && pending.isEmpty {
                if let next = try input() { pending = next[...] } else { streams.closeInput() }
            }
            let ready = streams.wait()
            if ready.output {
                let bytes = streams.readOutput()
                if !bytes.isEmpty { try output(bytes) }
            }
            if ready.error { errors = Array((errors + streams.readError()).suffix(Self.maxErrorBytes)) }
            if ready.input { pending = pending.dropFirst(streams.send(pending)) }
            // A child that no longer reads has failed; its exit code says why.
            if !streams.inputIsOpen { pending = [] }
        }
        return errors
    }

    private func spawn(_ streams: ChildStreams) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, descriptor) in streams.childEnds.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(target))
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Ours are ignored or handled; the child expects the defaults.
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let words = CStrings([program] + arguments)
        let pairs = CStrings(environment.map { "\($0.key)=\($0.value)" })
        var child = pid_t()
        let status = posix_spawnp(&child, program, &actions, &attributes, words.pointers, pairs.pointers)
        guard status == 0 else {
            throw BackupError(.unavailable, "can not run \(program): \(String(cString: strerror(status)))")
        }
        return child
    }

    private static func wait(for child: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    }
}

/// A null-terminated array of C strings, freed when it goes.
private final class CStrings {
    let pointers: [UnsafeMutablePointer<CChar>?]
    init(_ texts: [String]) { pointers = texts.map { strdup($0) } + [nil] }
    deinit { for pointer in pointers { free(pointer) } }
}
