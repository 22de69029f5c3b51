/// A member's name with its print: keys are compared far more often than they are made, and most that are compared differ.
struct JSONKey: Sendable {
    let text: String
    /// The length and the last seven bytes: two keys of at most seven bytes are one when their prints are.
    private let print: UInt64
    private static let whole = 7

    init(_ text: String) {
        self.text = text
        print =
            text.utf8.withContiguousStorageIfAvailable(Self.print(of:))
            ?? Array(text.utf8).withUnsafeBufferPointer(Self.print(of:))
    }

    /// Whether both have the same code units. Swift's own string equality takes "é" and "e" + U+0301 for one key, JSON
    /// does not.
    static func == (one: JSONKey, other: JSONKey) -> Bool {
        one.print == other.print && (one.print & 0xFF <= UInt64(whole) || isSameKey(one.text, other.text))
    }

    private static func print(of bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        // From 255 bytes on the lengths are one, and the bytes decide.
        bytes.suffix(whole).reduce(0) { $0 << 8 | UInt64($1) } << 8 | UInt64(min(bytes.count, 0xFF))
    }
}
