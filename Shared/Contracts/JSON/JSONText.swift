/// JSON bytes in the making. Members come in the order written; strings and numbers are written as RFC 8785 says.
package struct JSONText {
    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    /// Appends bytes that are JSON already, or a piece of it.
    package mutating func raw(_ piece: [UInt8]) { bytes.append(contentsOf: piece) }

    /// Appends a piece of JSON known while compiling, such as `{"v":1,`.
    package mutating func raw(_ piece: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: piece.utf8Start, count: piece.utf8CodeUnitCount))
    }

    /// Appends a value, its objects' members in their own order.
    package mutating func value(_ value: JSONValue) { write(value, sorted: false) }

    /// Appends a value in canonical form (RFC 8785).
    package mutating func canonical(_ value: JSONValue) { write(value, sorted: true) }

    /// Appends a whole number.
    package mutating func number(_ value: Int64) {
        guard value >= 0, value < 10 else { return bytes.append(contentsOf: String(value).utf8) }
        bytes.append(UInt8(ascii: "0") + UInt8(value))
    }

    /// Appends a number as ECMAScript prints it (RFC 8785 §3.2.2.3); null for what is no number.
    package mutating func number(_ value: Double) {
        guard value.isFinite else { return raw("null") }
        if let whole = Int64(exactly: value), whole.magnitude <= JSONValue.maximumInteger { return number(whole) }
        bytes.append(contentsOf: ECMAScriptNumber.digits(of: value))
    }

    /// Appends a string in quotes (RFC 8785 §3.2.2.2). NUL, which the parser never gives, becomes U+FFFD.
    package mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var start = 0
            for index in utf8.indices where Self.mustEscape(utf8[index]) {
                bytes.append(contentsOf: utf8[start..<index])
                escape(utf8[index])
                start = index + 1
            }
            bytes.append(contentsOf: utf8[start...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends `true` or `false`.
    package mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

    private static func mustEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case 0x00: raw("\u{FFFD}")
        case 0x08: raw("\\b")
        case 0x09: raw("\\t")
        case 0x0A: raw("\\n")
        case 0x0C: raw("\\f")
        case 0x0D: raw("\\r")
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        default:
            raw(byte < 0x10 ? "\\u000" : "\\u001")
            let digit = byte & 15
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    private mutating func write(_ value: JSONValue, sorted: Bool) {
        switch value {
        case .null: raw("null")
        case .bool(let value): bool(value)
        case .int(let value): number(value)
        case .double(let value): number(value)
        case .string(let value): string(value)
        case .encoded(let value): raw(value)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                write(element, sorted: sorted)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            write(members: sorted ? object.inCanonicalOrder : object.members, sorted: sorted)
        }
    }

    private mutating func write(members: [JSONObject.Member], sorted: Bool) {
        bytes.append(UInt8(ascii: "{"))
        for (index, member) in members.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            string(member.key)
            bytes.append(UInt8(ascii: ":"))
            write(member.value, sorted: sorted)
        }
        bytes.append(UInt8(ascii: "}"))
    }
}

extension JSONValue {
    /// The bytes of the value, objects in their own order: for response bodies, which people read.
    package var bytes: [UInt8] {
        var text = JSONText()
        text.value(self)
        return text.bytes
    }
}
