/// Compresses what is in memory already.
package enum Gzip {
    /// One gzip member.
    /// - Throws: ``CompressionError``.
    package static func compress(_ bytes: [UInt8]) throws -> [UInt8] {
        var out: [UInt8] = []
        let writer = try GzipWriter { out += $0 }
        try writer.write(bytes)
        try writer.finish()
        return out
    }
}
