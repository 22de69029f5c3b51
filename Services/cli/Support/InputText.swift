import Glibc
import Platform

/// A file, or standard input, in memory.
enum InputText {
    /// - Parameter file: `-` for standard input.
    /// - Throws: ``CommandFailure`` `.failed` when it can not be read or is larger than `limit` bytes.
    static func read(_ file: String, limit: Int, on blocking: BlockingExecutor) async throws -> [UInt8] {
        try await blocking.run {
            let descriptor = file == "-" ? 0 : open(file, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw failure(file) }
            defer { if descriptor > 0 { close(descriptor) } }
            var bytes: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 64 * 1024)
            while true {
                let count = Glibc.read(descriptor, &piece, piece.count)
                if count < 0 && errno == EINTR { continue }
                guard count >= 0 else { throw failure(file) }
                if count == 0 { return bytes }
                bytes += piece[..<count]
                guard bytes.count <= limit else {
                    throw CommandFailure(.failed, "\(file) is larger than \(limit) bytes")
                }
            }
        }
    }

    private static func failure(_ file: String) -> CommandFailure {
        CommandFailure(.failed, "can not read \(file): \(String(cString: strerror(errno)))")
    }
}
