import CZlib

/// Compresses whole messages, each on its own (RFC 7692 §7.2.1, without context takeover).
///
/// Holds zlib's window and tables (about 260 KB with 15 bits) between messages: one for a loop, not for a connection.
package final class MessageDeflater {
    /// The sizes of window that zlib can compress raw deflate with, in bits.
    package static let windowBits = 9...15
    /// zlib's lowest level that looks for the better of two matches.
    static let level: Int32 = 4

    private let stream: ZlibStream

    /// - Parameter windowBits: how far back a match may lie, as a power of two.
    /// - Throws: ``CompressionError`` `.noMemory`.
    package init(windowBits: Int) throws(CompressionError) {
        precondition(Self.windowBits.contains(windowBits), "zlib has no raw window of \(windowBits) bits")
        stream = try unsafe ZlibStream(
            { unsafe czlib_deflate_init_raw($0, Self.level, Int32(windowBits)) }, end: { unsafe deflateEnd($0) })
    }

    /// The message compressed, without the empty block that ends it; nil when it would not be shorter than `message`.
    package func compress(_ message: [UInt8]) -> [UInt8]? {
        // Beyond zlib's bound come the flush's empty block and one byte more, by which zlib shows that it was done.
        let room = unsafe stream.ask {
            unsafe deflateReset($0)
            return unsafe Int(deflateBound($0, UInt(message.count))) + 16
        }
        var offset = 0
        let (status, bytes) = unsafe stream.step(message, &offset, room: room) { unsafe deflate($0, Z_SYNC_FLUSH) }
        let kept = bytes.count - MessageInflater.tail.count
        guard status == Z_OK, bytes.count < room, kept >= 0, kept < message.count else { return nil }
        return Array(bytes[..<kept])
    }
}
