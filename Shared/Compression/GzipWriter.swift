import CZlib

/// Compresses what it is given into one gzip member (RFC 1952).
package final class GzipWriter {
    /// zlib's own middle: a database dump shrinks little more for twice the time.
    static let level: Int32 = 6
    static let pieceBytes = 64 * 1024

    private let stream: ZlibStream
    private let sink: ([UInt8]) throws -> Void

    /// - Parameter sink: takes the compressed bytes, piece by piece.
    /// - Throws: ``CompressionError`` `.noMemory`.
    package init(sink: @escaping ([UInt8]) throws -> Void) throws(CompressionError) {
        stream = try unsafe ZlibStream(
            { unsafe czlib_deflate_init_gzip($0, Self.level) }, end: { unsafe deflateEnd($0) })
        self.sink = sink
    }

    /// - Throws: what the sink throws.
    package func write(_ bytes: [UInt8]) throws { try compress(bytes, Z_NO_FLUSH) }

    /// Writes what is held back and the trailer. Nothing may be written afterwards.
    /// - Throws: what the sink throws.
    package func finish() throws { try compress([], Z_FINISH) }

    private func compress(_ bytes: [UInt8], _ flush: Int32) throws {
        var offset = 0
        var isFull = true
        while isFull {
            let (status, piece) = unsafe stream.step(bytes, &offset, room: Self.pieceBytes) {
                unsafe deflate($0, flush)
            }
            guard status != Z_STREAM_ERROR else { throw CompressionError(.damaged, "zlib: can not compress") }
            if !piece.isEmpty { try sink(piece) }
            isFull = piece.count == Self.pieceBytes
        }
    }
}
