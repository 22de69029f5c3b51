/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers from the same seed, in every process and release.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    /// Depends on nothing but a text.
    package init(_ text: String) { state = FNV1a.hash(text) }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// The elements in a drawn order. Not `shuffled`, whose algorithm the standard library may change: logs are replayed.
    package mutating func permutation<Element>(of elements: [Element]) -> [Element] {
        var drawn = elements
        for place in drawn.indices.dropFirst().reversed() {
            drawn.swapAt(place, Int(next() % UInt64(place + 1)))
        }
        return drawn
    }
}
