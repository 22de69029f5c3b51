/// Percent-decoding (RFC 3986 §2.1), strict: a bad escape, NUL or anything but UTF-8 is refused.
package enum PercentCoding {
    /// The text `bytes` stand for, or nil. With `plusIsSpace` a `+` is a space, as in queries.
    package static func decode(_ bytes: some Collection<UInt8>, plusIsSpace: Bool = false) -> String? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(ByteClass.hexValue),
                    let low = rest.popFirst().flatMap(ByteClass.hexValue)
                else { return nil }
                decoded.append(UInt8(high * 16 + low))
            case UInt8(ascii: "+") where plusIsSpace:
                decoded.append(ByteClass.space)
            default:
                decoded.append(byte)
            }
        }
        guard !decoded.contains(0) else { return nil }
        return String(validating: decoded, as: UTF8.self)
    }
}

extension PercentCoding {
    /// The UTF-8 bytes of a text, with all but unreserved characters (RFC 3986 §2.3) encoded.
    package static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: out.append(byte)
            default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
