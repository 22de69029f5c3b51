/// Checks UTF-8 as it streams in, and refuses at the first byte that can not be continued (RFC 3629).
struct UTF8Validator {
    private var needed = 0
    private var low: UInt8 = 0x80
    private var high: UInt8 = 0xBF

    /// Whether no character is half read.
    var isComplete: Bool { needed == 0 }

    /// Whether `bytes` go on well after those before.
    mutating func accept(_ bytes: [UInt8]) -> Bool {
        for byte in bytes {
            if needed == 0 {
                guard byte < 0x80 || begin(byte) else { return false }
            } else {
                guard byte >= low, byte <= high else { return false }
                (low, high) = (0x80, 0xBF)
                needed -= 1
            }
        }
        return true
    }

    /// The narrower ranges refuse overlong forms, surrogates and what is past U+10FFFF.
    private mutating func begin(_ byte: UInt8) -> Bool {
        switch byte {
        case 0xC2...0xDF: needed = 1
        case 0xE0: (needed, low) = (2, 0xA0)
        case 0xED: (needed, high) = (2, 0x9F)
        case 0xE1...0xEF: needed = 2
        case 0xF0: (needed, low) = (3, 0x90)
        case 0xF1...0xF3: needed = 3
        case 0xF4: (needed, high) = (3, 0x8F)
        default: return false
        }
        return true
    }
}
