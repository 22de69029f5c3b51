import CZlib

/// Compresses what it is given into one gzip member (RFC 1952).
final class GzipWriter {
    /// zlib's own middle: a database dump shrinks little more for twice the time.
    static let level: Int32 = 6
    static let pieceBytes = 64 * 1024

    // One allocation that zlib keeps pointers into; freed in deinit.
    private let stream: UnsafeMutablePointer<z_stream>
    private let sink: ([UInt8]) throws -> Void
    private var piece = [UInt8](repeating: 0, count: GzipWriter.pieceBytes)

    /// - Parameter sink: takes the compressed bytes, piece by piece.
    init(sink: @escaping ([UInt8]) throws -> Void) throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        self.sink = sink
        guard czlib_deflate_init_gzip(stream, Self.level) == Z_OK else {
            throw BackupError(.files, "zlib: no memory to compress")
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    func write(_ bytes: [UInt8]) throws { try deflate(bytes, Z_NO_FLUSH) }

    /// Writes what is held back and the trailer. Nothing may be written afterwards.
    func finish() throws { try deflate([], Z_FINISH) }

    private func deflate(_ bytes: [UInt8], _ flush: Int32) throws {
        var input = bytes
        try input.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = UInt32(input.count)
            defer { stream.pointee.next_in = nil }
            repeat {
                let produced = try step(flush)
                if produced > 0 { try sink(Array(piece[..<produced])) }
            } while stream.pointee.avail_out == 0
        }
    }

    /// One call of zlib with an empty piece; returns how much of it is filled.
    private func step(_ flush: Int32) throws -> Int {
        try piece.withUnsafeMutableBufferPointer { output in
            stream.pointee.next_out = output.baseAddress
            stream.pointee.avail_out = UInt32(output.count)
            guard CZlib.deflate(stream, flush) != Z_STREAM_ERROR else {
                throw BackupError(.files, "zlib: can not compress")
            }
            return output.count - Int(stream.pointee.avail_out)
        }
    }
}
