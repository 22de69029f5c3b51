import Glibc

/// A file of lines that comes into being whole, and that only its owner may read.
final class ExportFile {
    /// Lines are gathered up to this before they are written.
    private static let bufferBytes = 64 * 1024

    private let path: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var isPlaced = false

    private var partial: String { "\(path).partial" }

    /// - Throws: ``CommandFailure`` when a file of this name exists, or none can be made there.
    init(path: String) throws {
        self.path = path
        guard access(path, F_OK) != 0 else {
            throw CommandFailure(.failed, "\(path) exists; choose another name, or remove it")
        }
        unlink("\(path).partial")
        descriptor = open("\(path).partial", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("\(path).partial") }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        if !isPlaced { unlink(partial) }
    }

    func append(line: [UInt8]) throws {
        buffer += line
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    /// Shows the file under its name.
    func finish() throws {
        try flush()
        guard fsync(descriptor) == 0, rename(partial, path) == 0 else { throw Self.failure(path) }
        isPlaced = true
    }

    private func flush() throws {
        var rest = buffer[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(partial) }
            rest = rest.dropFirst(count)
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private static func failure(_ path: String) -> CommandFailure {
        CommandFailure(.failed, "\(path): \(String(cString: strerror(errno)))")
    }
}
