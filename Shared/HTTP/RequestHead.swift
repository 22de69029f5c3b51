/// A request line and its header fields, kept as the bytes that arrived and offsets into them.
///
/// Only ``HeadParser`` makes one, so each is well formed: strings are built when someone asks for them.
package final class RequestHead: Sendable {
    package let method: Method
    /// 0 or 1: the x of HTTP/1.x.
    package let versionMinor: Int
    /// How the body is delimited.
    package let framing: BodyFraming
    /// Whether the client waits for `100 Continue` before it sends the body.
    package let expectsContinue: Bool
    /// Whether the client lets the connection stay open after the response.
    package let keepsAlive: Bool
    /// Whether `Connection` names `upgrade`.
    package let asksUpgrade: Bool

    /// Request line, fields and the empty line; field names are lower-cased.
    let bytes: [UInt8]
    let fields: [HeadField]
    let target: Span16
    let rawPathRange: Span16
    let rawQueryRange: Span16?

    init(parts: borrowing HeadParser.Parts, bytes: [UInt8], framing: BodyFraming) {
        method = parts.method
        versionMinor = parts.versionMinor
        self.framing = framing
        expectsContinue = parts.expectsContinue && parts.versionMinor > 0 && framing != .none
        keepsAlive = parts.versionMinor > 0 ? !parts.saysClose : parts.saysKeepAlive && !parts.saysClose
        asksUpgrade = parts.saysUpgrade && parts.versionMinor > 0
        self.bytes = bytes
        fields = parts.fields
        target = parts.target
        rawPathRange = parts.path
        rawQueryRange = parts.query
    }

    /// The path as sent, escapes and all, without the query: safe to log. `*` for `OPTIONS *`.
    package var path: String { rawPathRange.count == 0 ? "/" : text(rawPathRange) }

    /// Whether the path as sent begins so.
    package func pathBegins(with prefix: StaticString) -> Bool {
        let count = prefix.utf8CodeUnitCount
        guard rawPathRange.count >= count else { return false }
        return prefix.withUTF8Buffer { wanted in
            bytes.withUnsafeBufferPointer { sent in
                for index in 0..<count where sent[rawPathRange.start + index] != wanted[index] { return false }
                return true
            }
        }
    }

    /// The part after `?` as sent, without it. It may hold tokens: never log it.
    package var rawQuery: String? { rawQueryRange.map(text) }

    /// The value of the first field of this name (any case), without surrounding blanks; nil when absent.
    ///
    /// Octets past ASCII are read as UTF-8, with U+FFFD where they are not.
    package subscript(_ name: String) -> String? {
        for field in fields where matches(field, name) { return text(field.value) }
        return nil
    }

    /// The values of all fields of this name, in order.
    package func values(_ name: String) -> [String] {
        fields.filter { matches($0, name) }.map { text($0.value) }
    }

    /// All fields in order; names are lower-cased.
    package var allFields: [(name: String, value: String)] {
        fields.map { (text($0.name), text($0.value)) }
    }

    /// Whether a comma-separated list field names `token`, in any case.
    package func lists(_ token: String, in name: String) -> Bool {
        let wanted = token.lowercased()
        return values(name).contains { value in
            value.split(separator: ",").contains { HeaderText.trimmed($0).lowercased() == wanted }
        }
    }

    func text(_ range: Span16) -> String { String(decoding: bytes[range.range], as: UTF8.self) }

    private func matches(_ field: HeadField, _ name: String) -> Bool {
        guard field.name.count == name.utf8.count else { return false }
        var index = field.name.start
        for byte in name.utf8 {
            guard bytes[index] == ByteClass.lowercased(byte) else { return false }
            index += 1
        }
        return true
    }
}

/// How the end of a request body is found (RFC 9112 §6.3).
package enum BodyFraming: Equatable, Sendable {
    case none
    /// `Content-Length`, above zero.
    case length(Int)
    case chunked
}

/// A range within a head; sixteen bits are enough for any head we accept.
struct Span16: Equatable, Sendable {
    private let from: UInt16
    private let length: UInt16

    init(_ start: Int, _ end: Int) {
        from = UInt16(start)
        length = UInt16(end - start)
    }

    var start: Int { Int(from) }
    var count: Int { Int(length) }
    var end: Int { start + count }
    var range: Range<Int> { start..<end }
}

/// Where one field's name and value are.
struct HeadField: Equatable, Sendable {
    let name: Span16
    let value: Span16
}

/// Small text rules of field values.
enum HeaderText {
    /// `text` without spaces and tabs at either end (RFC 9110 §5.6.3, OWS).
    static func trimmed(_ text: some StringProtocol) -> String {
        var utf8 = Substring(text).utf8
        guard let first = utf8.first, let last = utf8.last, isBlank(first) || isBlank(last) else { return String(text) }
        while let first = utf8.first, isBlank(first) { utf8.removeFirst() }
        while let last = utf8.last, isBlank(last) { utf8.removeLast() }
        return String(Substring(utf8))
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == ByteClass.space || byte == ByteClass.tab }
}
