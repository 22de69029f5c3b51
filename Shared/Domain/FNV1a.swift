/// FNV-1a with 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv): the same number for the same bytes, in every process and
/// release. For sets of words and for seeds; nobody's intent is kept out by it.
package struct FNV1a: Sendable {
    /// The hash of what was added so far.
    package private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    package init() {}

    package mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }

    /// The hash of a text's UTF-8.
    package static func hash(_ text: String) -> UInt64 {
        var hash = FNV1a()
        for byte in text.utf8 { hash.add(byte) }
        return hash.value
    }
}
