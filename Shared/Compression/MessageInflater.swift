import CZlib

/// Decompresses one message that arrives in pieces (RFC 7692 §7.2.2), and no more of it than the caller takes.
package final class MessageInflater {
    /// The empty block that a sender leaves out at a message's end.
    static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]
    private static let pieceBytes = 16 * 1024

    private let stream: ZlibStream

    /// - Throws: ``CompressionError`` `.noMemory`.
    package init() throws(CompressionError) {
        stream = try unsafe ZlibStream({ unsafe czlib_inflate_init_raw($0) }, end: { unsafe inflateEnd($0) })
    }

    /// The text of the next piece, at most `limit` bytes of it.
    /// - Throws: ``CompressionError`` `.damaged`, or `.tooLong` for more than `limit`.
    package func decode(_ piece: [UInt8], limit: Int) throws(CompressionError) -> [UInt8] {
        var text: [UInt8] = []
        var offset = 0
        while true {
            let (status, found) = unsafe stream.step(piece, &offset, room: Self.pieceBytes) {
                unsafe inflate($0, Z_SYNC_FLUSH)
            }
            text += found
            guard text.count <= limit else { throw CompressionError(.tooLong, "longer than \(limit) bytes") }
            switch status {
            case Z_STREAM_END:
                // A sender may end a block as the stream's last one; the message goes on in a new stream (§7.2.3.4).
                _ = unsafe stream.ask { unsafe inflateReset($0) }
                if offset == piece.count { return text }
            case Z_OK:
                if offset == piece.count, found.count < Self.pieceBytes { return text }
            case Z_BUF_ERROR:
                return text
            default:
                throw CompressionError(.damaged, "not deflate, or altered (zlib \(status))")
            }
        }
    }

    /// The text that was held back until the message's end.
    /// - Throws: as ``decode(_:limit:)``.
    package func finish(limit: Int) throws(CompressionError) -> [UInt8] { try decode(Self.tail, limit: limit) }
}
