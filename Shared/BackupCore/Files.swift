import Glibc

/// A file that is read from its start; closed when it goes.
struct InputFile: ~Copyable {
    private let descriptor: Int32
    private let path: String

    init(path: String) throws {
        let opened = open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else { throw BackupError.file("open", path) }
        descriptor = opened
        self.path = path
    }

    deinit { close(descriptor) }

    /// At most `count` bytes; empty at the end.
    func read(_ count: Int) throws -> [UInt8] {
        var got = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            repeat { got = Glibc.read(descriptor, buffer.baseAddress, count) } while got < 0 && errno == EINTR
            filled = max(0, got)
        }
        guard got >= 0 else { throw BackupError.file("read", path) }
        return bytes
    }
}

/// A file made anew, readable by its owner only; closed when it goes.
struct OutputFile: ~Copyable {
    static let permissions: mode_t = 0o600

    private let descriptor: Int32
    private let path: String

    init(path: String) throws {
        let opened = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, Self.permissions)
        guard opened >= 0 else { throw BackupError.file("create", path) }
        descriptor = opened
        self.path = path
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = Glibc.write(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw BackupError.file("write", path) }
                done += count
            }
        }
    }

    /// Returns when the bytes are on the disk.
    func sync() throws {
        guard fsync(descriptor) == 0 else { throw BackupError.file("sync", path) }
    }
}

extension BackupError {
    /// The present `errno`, with what was tried.
    static func file(_ verb: String, _ path: String) -> BackupError {
        BackupError(.files, "can not \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}
