/// The character classes of RFC 9110 §5.6 and RFC 3986, as tests on one byte.
enum ByteClass {
    static let cr = UInt8(ascii: "\r")
    static let lf = UInt8(ascii: "\n")
    static let space = UInt8(ascii: " ")
    static let tab = UInt8(ascii: "\t")
    static let colon = UInt8(ascii: ":")

    // One bit per ASCII character: the first word holds 0–63, the second 64–127.
    private static let tokenLow: UInt64 = 0x03FF_6CFA_0000_0000
    private static let tokenHigh: UInt64 = 0x57FF_FFFF_C7FF_FFFE
    private static let hostLow: UInt64 = 0x2BFF_7FD2_0000_0000
    private static let hostHigh: UInt64 = 0x47FF_FFFE_87FF_FFFE

    /// `tchar`: a character of a method or a field name.
    @inline(__always) static func isToken(_ byte: UInt8) -> Bool {
        byte < 128 && ((byte < 64 ? tokenLow : tokenHigh) >> UInt64(byte & 63)) & 1 == 1
    }

    /// A character of a field value: visible, obs-text, space or tab; never CR, LF, NUL or another control.
    @inline(__always) static func isFieldValue(_ byte: UInt8) -> Bool {
        (byte >= 0x20 && byte != 0x7F) || byte == tab
    }

    /// A character of a request target. RFC 3986 allows fewer, but browsers send `{`, `|` and the like in queries.
    @inline(__always) static func isTarget(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#")
    }

    /// `unreserved` or `sub-delims`: a character of a registered name.
    @inline(__always) static func isHostName(_ byte: UInt8) -> Bool {
        byte < 128 && ((byte < 64 ? hostLow : hostHigh) >> UInt64(byte & 63)) & 1 == 1
    }

    @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

    @inline(__always) static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 0x20 : byte }

    /// The value of a hexadecimal digit, or nil.
    @inline(__always) static func hexValue(_ byte: UInt8) -> Int? {
        if byte &- 48 < 10 { return Int(byte &- 48) }
        let letter = (byte | 0x20) &- 97
        return letter < 6 ? Int(letter) + 10 : nil
    }

    /// Whether `bytes` is a non-empty token.
    static func isToken(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy(isToken)
    }
}
