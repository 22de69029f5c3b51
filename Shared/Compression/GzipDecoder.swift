import CZlib

/// Decompresses one gzip member (RFC 1952) that arrives in pieces.
package final class GzipDecoder {
    /// Text returned at once.
    package static let pieceBytes = 256 * 1024

    private let stream: ZlibStream
    /// Whether the member's end was seen and its checksum was right.
    package private(set) var isComplete = false

    /// - Throws: ``CompressionError`` `.noMemory`.
    package init() throws(CompressionError) {
        stream = try unsafe ZlibStream({ unsafe czlib_inflate_init_gzip($0) }, end: { unsafe inflateEnd($0) })
    }

    /// Reads `input` from `offset` on, which moves past what was used, and returns the text found, perhaps none.
    /// - Throws: ``CompressionError`` `.damaged` for bytes that are no gzip, or whose checksum is wrong.
    package func decode(_ input: [UInt8], _ offset: inout Int) throws(CompressionError) -> [UInt8] {
        let (status, text) = unsafe stream.step(input, &offset, room: Self.pieceBytes) {
            unsafe inflate($0, Z_NO_FLUSH)
        }
        switch status {
        case Z_STREAM_END: isComplete = true
        case Z_OK, Z_BUF_ERROR: break
        default: throw CompressionError(.damaged, "not gzip, or altered (zlib \(status))")
        }
        return text
    }
}
