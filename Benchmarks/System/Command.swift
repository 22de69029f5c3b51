import Glibc
import Platform

/// A program that is run to its end for what it prints.
enum Command {
    /// Bytes of output that are kept.
    static let maxOutputBytes = 1 << 20
    private static let executor = BlockingExecutor(label: "command", threads: 4)

    /// Standard output of `binary`. Its standard error goes to ours.
    /// - Throws: ``BenchFailure`` when it exits with another code than one of `accepted`.
    static func run(_ binary: String, _ arguments: [String], accepted: [Int32] = [0]) async throws -> String {
        try await executor.run { try collect(binary, arguments, accepted) }
    }

    private static func collect(_ binary: String, _ arguments: [String], _ accepted: [Int32]) throws -> String {
        let quoted = ([binary] + arguments).map {
            "'" + $0.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        }
        guard let pipe = popen(quoted.joined(separator: " "), "r") else {
            throw BenchFailure("\(binary) can not be run")
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count < maxOutputBytes {
            let count = fread(&buffer, 1, buffer.count, pipe)
            guard count > 0 else { break }
            bytes += buffer[0..<count]
        }
        let status = pclose(pipe)
        guard status & 0x7F == 0, accepted.contains(status >> 8 & 0xFF) else { throw BenchFailure("\(binary) failed") }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether there is such a program.
    static func exists(_ path: String) -> Bool { access(path, X_OK) == 0 }
}

extension Command {
    /// Whether there is such a file.
    static func isReadable(_ path: String) -> Bool { access(path, R_OK) == 0 }
}
