/// Lower-case hex on the wire. Crypto has the same; the contract may not import it.
enum HexText {
    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digit(byte >> 4))
            text.append(digit(byte & 15))
        }
        return text
    }

    /// The bytes of exactly `length` × 2 digits of either case.
    static func decode(_ text: String, length: Int) -> [UInt8]? {
        guard text.utf8.count == length * 2 else { return nil }
        return text.utf8.withContiguousStorageIfAvailable { decode($0) }
            ?? Array(text.utf8).withUnsafeBufferPointer(decode)
    }

    private static func decode(_ digits: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    /// Whether `text` is what ``encode(_:)`` makes of `bytes`.
    static func isEncoding(_ text: String, of bytes: [UInt8]) -> Bool {
        guard text.utf8.count == bytes.count * 2 else { return false }
        return text.utf8.withContiguousStorageIfAvailable { isEncoding($0, of: bytes) }
            ?? text.utf8.elementsEqual(encode(bytes))
    }

    private static func isEncoding(_ digits: UnsafeBufferPointer<UInt8>, of bytes: [UInt8]) -> Bool {
        bytes.indices.allSatisfy {
            digits[2 * $0] == digit(bytes[$0] >> 4) && digits[2 * $0 + 1] == digit(bytes[$0] & 15)
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private static func value(_ unit: UInt8) -> UInt8? {
        switch unit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): unit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): unit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): unit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
