import CZlib
import Crypto

/// Reads a gzip file piece by piece, hashing the file's bytes on the way; anything but one whole member is refused.
final class GzipReader {
    static let pieceBytes = 256 * 1024

    private let file: InputFile
    // One allocation that zlib keeps pointers into; freed in deinit.
    private let stream: UnsafeMutablePointer<z_stream>
    private var input: [UInt8] = []
    private var consumed = 0
    private var isComplete = false
    /// Of the file's bytes read so far.
    let hash = RunningHash()
    private(set) var compressedBytes: Int64 = 0

    /// - Throws: ``BackupError`` `.files` when the file can not be opened.
    init(path: String) throws {
        file = try InputFile(path: path)
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard czlib_inflate_init_gzip(stream) == Z_OK else {
            throw BackupError(.files, "zlib: no memory to decompress")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// The next bytes of the text; nil after the last, when the checksum inside the file was right.
    /// - Throws: ``BackupError`` `.damaged` for a file that is cut, altered, or longer than its member.
    func next() throws -> [UInt8]? {
        while !isComplete {
            try refill()
            guard !input.isEmpty else { throw BackupError(.damaged, "the file ends in the middle") }
            let text = try inflate()
            if !text.isEmpty { return text }
        }
        try refill()
        guard consumed == input.count else { throw BackupError(.damaged, "the file goes on after its end") }
        return nil
    }

    private func refill() throws {
        guard consumed == input.count else { return }
        input = try file.read(Self.pieceBytes)
        consumed = 0
        compressedBytes += Int64(input.count)
        hash.update(input)
    }

    private func inflate() throws -> [UInt8] {
        let offset = consumed
        let (status, text, left) = input.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress?.advanced(by: offset)
            stream.pointee.avail_in = UInt32(input.count - offset)
            defer { stream.pointee.next_in = nil }
            var status = Z_OK
            let text = [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { output, count in
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(output.count)
                status = CZlib.inflate(stream, Z_NO_FLUSH)
                count = output.count - Int(stream.pointee.avail_out)
            }
            return (status, text, Int(stream.pointee.avail_in))
        }
        consumed = input.count - left
        switch status {
        case Z_STREAM_END: isComplete = true
        case Z_OK, Z_BUF_ERROR: break
        default: throw BackupError(.damaged, "the file is not gzip, or was altered (zlib \(status))")
        }
        return text
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
