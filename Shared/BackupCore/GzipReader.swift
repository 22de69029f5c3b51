import Compression
import Crypto

/// Reads a gzip file piece by piece, hashing the file's bytes on the way; anything but one whole member is refused.
final class GzipReader {
    static let pieceBytes = 256 * 1024

    private let file: InputFile
    private let decoder: GzipDecoder
    private var input: [UInt8] = []
    private var consumed = 0
    /// Of the file's bytes read so far.
    let hash = RunningHash()
    private(set) var compressedBytes: Int64 = 0

    /// - Throws: ``BackupError`` `.files` when the file can not be opened.
    init(path: String) throws {
        file = try InputFile(path: path)
        do { decoder = try GzipDecoder() } catch { throw BackupError(.files, "\(error)") }
    }

    /// The next bytes of the text; nil after the last, when the checksum inside the file was right.
    /// - Throws: ``BackupError`` `.damaged` for a file that is cut, altered, or longer than its member.
    func next() throws -> [UInt8]? {
        while !decoder.isComplete {
            try refill()
            guard !input.isEmpty else { throw BackupError(.damaged, "the file ends in the middle") }
            let text = try decode()
            if !text.isEmpty { return text }
        }
        try refill()
        guard consumed == input.count else { throw BackupError(.damaged, "the file goes on after its end") }
        return nil
    }

    private func decode() throws -> [UInt8] {
        do { return try decoder.decode(input, &consumed) } catch { throw BackupError(.damaged, "the file is \(error)") }
    }

    private func refill() throws {
        guard consumed == input.count else { return }
        input = try file.read(Self.pieceBytes)
        consumed = 0
        compressedBytes += Int64(input.count)
        hash.update(input)
    }
}

/// SHA-256 of bytes that come in pieces.
final class RunningHash {
    private var hash = SHA256()

    func update(_ bytes: [UInt8]) { if !bytes.isEmpty { hash.update(bytes) } }

    /// Lower-case hex of all so far; begins anew.
    func finish() -> String {
        var whole = SHA256()
        swap(&whole, &hash)
        return Hex.encode(whole.finish())
    }
}
