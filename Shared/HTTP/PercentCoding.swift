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
