/// Strict JSON (RFC 8259): one value, UTF-8 without a byte order mark, no duplicate key, numbers within ±(2^53 − 1).
///
/// `\u0000` and lone surrogates become U+FFFD: neither fits a Postgres text or a Swift string.
package struct JSONParser {
    /// Arrays and objects within each other.
    package static let maximumDepth = 64
    /// Room for most of our objects, made once.
    private static let usualMembers = 8

    private let bytes: [UInt8]
    private var position = 0

    /// Reads the one value that `bytes` are.
    ///
    /// - Parameter maximumBytes: more than this is refused unread.
    package static func parse(_ bytes: [UInt8], maximumBytes: Int = 1 << 20) throws(JSONError) -> JSONValue {
        guard bytes.count <= maximumBytes else {
            throw JSONError(code: .tooLarge, offset: maximumBytes, message: "more than \(maximumBytes) bytes of JSON")
        }
        var parser = JSONParser(bytes: bytes)
        parser.skipSpace()
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.syntax("something follows the JSON value") }
        return value
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func syntax(_ message: String) -> JSONError {
        JSONError(code: .syntax, offset: position, message: message)
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    /// Steps over `byte` when it is next.
    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard let next else { throw syntax("the JSON ends too early") }
        switch next {
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw syntax("no JSON value starts like this")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let end = position + word.utf8CodeUnitCount
        guard end <= bytes.count, "\(word)".utf8.elementsEqual(bytes[position..<end]) else {
            throw syntax("no JSON value starts like this")
        }
        position = end
        return value
    }

    private func checkDepth(_ depth: Int) throws(JSONError) {
        guard depth <= Self.maximumDepth else {
            throw JSONError(code: .tooDeep, offset: position, message: "nested deeper than \(Self.maximumDepth)")
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
        try checkDepth(depth)
        position += 1
        skipSpace()
        var elements: [JSONValue] = []
        if take(UInt8(ascii: "]")) { return elements }
        while true {
            skipSpace()
            elements.append(try value(depth: depth))
            skipSpace()
            if take(UInt8(ascii: "]")) { return elements }
            guard take(UInt8(ascii: ",")) else { throw syntax("expected , or ] in a list") }
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONObject {
        try checkDepth(depth)
        position += 1
        skipSpace()
        var members: [JSONObject.Member] = []
        var keys = KeySet()
        if take(UInt8(ascii: "}")) { return JSONObject(members: members) }
        members.reserveCapacity(Self.usualMembers)
        while true {
            skipSpace()
            let start = position
            guard next == UInt8(ascii: "\"") else { throw syntax("expected a key in quotes") }
            let name = JSONKey(try string())
            guard keys.insert(name, after: members) else {
                throw JSONError(code: .duplicateKey, offset: start, message: "a key comes twice in one object")
            }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw syntax("expected : after a key") }
            skipSpace()
            members.append(.init(name: name, value: try value(depth: depth)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return JSONObject(members: members, isAscending: keys.isAscending) }
            guard take(UInt8(ascii: ",")) else { throw syntax("expected , or } in an object") }
        }
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            try digits()
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isWhole = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let whole = Int64(text), whole.magnitude <= JSONValue.maximumInteger { return .int(whole) }
        guard !isWhole, let value = Double(text), abs(value) <= Double(JSONValue.maximumInteger) else {
            throw JSONError(code: .numberRange, offset: start, message: "a number beyond 9007199254740991")
        }
        return Int64(exactly: value).map { .int($0) } ?? .double(value)
    }

    /// At least one digit.
    private mutating func digits() throws(JSONError) {
        let start = position
        while let byte = next, byte &- 0x30 < 10 { position += 1 }
        guard position > start else { throw syntax("expected a digit") }
    }

    private mutating func string() throws(JSONError) -> String {
        let start = position
        position += 1
        let first = position
        position = plainEnd
        let text: String?
        if next == UInt8(ascii: "\"") {
            text = Self.text(bytes.span.extracting(first..<position))
        } else {
            var unescaped = Array(bytes[first..<position])
            try unescape(into: &unescaped)
            text = Self.text(unescaped.span)
        }
        guard let text else {
            throw JSONError(code: .encoding, offset: start, message: "a string that is not UTF-8")
        }
        position += 1
        return text
    }

    /// Where what stands for itself in a string ends.
    private var plainEnd: Int {
        let span = bytes.span
        var end = position
        while end < span.count, case let byte = span[end], byte >= 0x20, byte != UInt8(ascii: "\""),
            byte != UInt8(ascii: "\\")
        { end += 1 }
        return end
    }

    /// Nil when it is not UTF-8.
    private static func text(_ span: Span<UInt8>) -> String? {
        do { return String(copying: try UTF8Span(validating: span)) } catch { return nil }
    }

    /// Reads up to the closing quote.
    private mutating func unescape(into text: inout [UInt8]) throws(JSONError) {
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""): return
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw syntax("a control character in a string must be escaped")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw syntax("a string without its closing quote")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        position += 1
        let plain: UInt8
        switch next {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain = bytes[position]
        case UInt8(ascii: "b"): plain = 0x08
        case UInt8(ascii: "f"): plain = 0x0C
        case UInt8(ascii: "n"): plain = 0x0A
        case UInt8(ascii: "r"): plain = 0x0D
        case UInt8(ascii: "t"): plain = 0x09
        case UInt8(ascii: "u"):
            position += 1
            return text.append(contentsOf: String(try scalar()).utf8)
        default: throw syntax("an unknown escape in a string")
        }
        position += 1
        text.append(plain)
    }

    /// What the four digits of one `\u` name, or of two when they are a surrogate pair.
    private mutating func scalar() throws(JSONError) -> Unicode.Scalar {
        let replacement: Unicode.Scalar = "\u{FFFD}"
        let high = try fourHexDigits()
        guard (0xD800..<0xDC00).contains(high) else {
            return high == 0 ? replacement : Unicode.Scalar(high) ?? replacement
        }
        let mark = position
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            position = mark
            return replacement
        }
        let low = try fourHexDigits()
        guard (0xDC00..<0xE000).contains(low) else {
            position = mark
            return replacement
        }
        return Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)) ?? replacement
    }

    private mutating func fourHexDigits() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw syntax("expected four hex digits")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}

/// The keys an object has so far: a list while it is short, then hashed by code units, so that a body full of keys costs
/// what it weighs.
private struct KeySet {
    private struct Key: Hashable {
        let text: String
        static func == (one: Key, other: Key) -> Bool { isSameKey(one.text, other.text) }
        func hash(into hasher: inout Hasher) {
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }

    /// Members up to which all are looked through.
    private static let listLimit = 16
    private var set: Set<Key> = []
    /// Each key so far came after the one before it, as in what we wrote in canonical form: none need be looked for.
    private(set) var isAscending = true

    /// Whether the key is none of `members`, which are those that it was called for before.
    mutating func insert(_ name: JSONKey, after members: [JSONObject.Member]) -> Bool {
        if isAscending {
            guard let last = members.last, !keyPrecedes(last.key, name.text) else { return true }
            isAscending = false
        }
        guard members.count > Self.listLimit else { return !members.contains { $0.name == name } }
        if set.isEmpty { set = Set(members.map { Key(text: $0.key) }) }
        return set.insert(Key(text: name.text)).inserted
    }
}
