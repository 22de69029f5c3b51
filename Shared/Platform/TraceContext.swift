/// Which trace something belongs to, and which span of it comes before: what crosses processes as `traceparent`
/// (W3C Trace Context).
package struct TraceContext: Sendable, Hashable {
    /// Characters of a `traceparent` as we write it.
    package static let textCharacters = 55

    /// Never all zero.
    package let trace: TraceID
    /// Never 0.
    package let span: UInt64
    /// Whether who began the trace wants its spans.
    package let isSampled: Bool

    package init(trace: TraceID, span: UInt64, isSampled: Bool) {
        self.trace = trace
        self.span = span
        self.isSampled = isSampled
    }

    /// A new trace; drawn at random, and not for secrets.
    package static func random(isSampled: Bool) -> TraceContext {
        let (high, low, span) = RandomName.three()
        return TraceContext(
            trace: TraceID(high: max(1, high), low: low), span: max(1, span), isSampled: isSampled)
    }

    /// - Returns: nil unless it is well-formed. A later version than 00 is read as far as 00 goes, as the recommendation says.
    package init?(traceparent text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= Self.textCharacters, bytes[2] == 0x2D, bytes[35] == 0x2D, bytes[52] == 0x2D,
            let version = HexDigits.value(bytes[0..<2]), version != 0xFF,
            let high = HexDigits.value(bytes[3..<19]), let low = HexDigits.value(bytes[19..<35]),
            let span = HexDigits.value(bytes[36..<52]), let flags = HexDigits.value(bytes[53..<55]),
            high | low != 0, span != 0
        else { return nil }
        let isWhole = bytes.count == Self.textCharacters
        guard version == 0 ? isWhole : isWhole || bytes[Self.textCharacters] == 0x2D else { return nil }
        self.init(trace: TraceID(high: high, low: low), span: span, isSampled: flags & 1 == 1)
    }

    package var traceparent: String { "00-\(trace.text)-\(HexDigits.text(span))-\(isSampled ? "01" : "00")" }

    /// The span that is named by the beginning of a hash: whoever knows the hash can name the span.
    package func after(hash: [UInt8]) -> TraceContext {
        after(max(1, hash.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }))
    }

    /// The same trace, after another span.
    package func after(_ span: UInt64) -> TraceContext {
        TraceContext(trace: trace, span: span, isSampled: isSampled)
    }
}

/// The 128 bits that name a trace.
package struct TraceID: Sendable, Hashable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 32 hex digits.
    package var text: String { HexDigits.text("", high, digits: 16, low) }
}

/// Lowercase hex of 64-bit numbers; upper case is refused, as the recommendation demands.
enum HexDigits {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(_ value: UInt64) -> String {
        String(unsafeUninitializedCapacity: 16) { buffer in
            for place in 0..<16 { buffer[place] = digits[Int(value >> UInt64(60 - 4 * place) & 15)] }
            return 16
        }
    }

    /// `prefix`, the last `digits` of one number, and another number whole.
    static func text(_ prefix: StaticString, _ high: UInt64, digits count: Int, _ low: UInt64) -> String {
        let start = prefix.utf8CodeUnitCount
        return String(unsafeUninitializedCapacity: start + count + 16) { buffer in
            for place in 0..<start { buffer[place] = prefix.utf8Start[place] }
            for place in 0..<count { buffer[start + place] = digits[Int(high >> UInt64(4 * (count - 1 - place)) & 15)] }
            for place in 0..<16 { buffer[start + count + place] = digits[Int(low >> UInt64(60 - 4 * place) & 15)] }
            return start + count + 16
        }
    }

    static func value(_ bytes: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for byte in bytes {
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt64(byte - 0x30)
            case 0x61...0x66: value = value << 4 | UInt64(byte - 0x61 + 10)
            default: return nil
            }
        }
        return value
    }
}
