/// Writes response heads and chunks as bytes (RFC 9112 §4–§7). It alone writes the fields that frame a message.
enum ResponseWriter {
    /// How the body's end is shown.
    enum Framing: Equatable {
        case length(Int)
        case chunked
        /// The body ends when the connection does: for HTTP/1.0 clients.
        case untilClose
        /// The status never has a body: 1xx, 204, 304.
        case none
    }

    /// Appends status line, fields and the empty line.
    static func appendHead(
        to out: inout [UInt8], _ status: Status, _ headers: Headers, _ framing: Framing, keepsAlive: Bool,
        versionMinor: Int = 1, date: [UInt8]
    ) {
        appendStatusLine(to: &out, status)
        out.append(contentsOf: date)
        switch framing {
        case .length(let count):
            append("Content-Length: ", to: &out)
            appendDecimal(count, to: &out)
            append("\r\n", to: &out)
        case .chunked: append("Transfer-Encoding: chunked\r\n", to: &out)
        case .untilClose, .none: break
        }
        if !keepsAlive || framing == .untilClose {
            append("Connection: close\r\n", to: &out)
        } else if versionMinor == 0 {
            append("Connection: keep-alive\r\n", to: &out)
        }
        appendFields(to: &out, headers)
        append("\r\n", to: &out)
    }

    /// Appends a 101 head; `headers` say to which protocol.
    static func appendSwitch(to out: inout [UInt8], protocol name: HeaderValue, _ headers: Headers, date: [UInt8]) {
        appendStatusLine(to: &out, .switchingProtocols)
        out.append(contentsOf: date)
        append("Connection: Upgrade\r\nUpgrade: ", to: &out)
        out.append(contentsOf: name.text.utf8)
        append("\r\n", to: &out)
        appendFields(to: &out, headers)
        append("\r\n", to: &out)
    }

    /// Appends one chunk. An empty one would end the body, so it writes nothing.
    static func appendChunk(to out: inout [UInt8], _ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        out.append(contentsOf: String(bytes.count, radix: 16).utf8)
        append("\r\n", to: &out)
        out.append(contentsOf: bytes)
        append("\r\n", to: &out)
    }

    static let lastChunk = Array("0\r\n\r\n".utf8)
    static let continueHead = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
    private static let okLine = Array("HTTP/1.1 200 OK\r\n".utf8)

    private static func appendStatusLine(to out: inout [UInt8], _ status: Status) {
        if status == .ok { return out.append(contentsOf: okLine) }
        append("HTTP/1.1 ", to: &out)
        appendDecimal(status.code, to: &out)
        out.append(ByteClass.space)
        append(status.reason, to: &out)
        append("\r\n", to: &out)
    }

    private static func appendFields(to out: inout [UInt8], _ headers: Headers) {
        if let common = headers.common { out.append(contentsOf: common.bytes) }
        for field in headers.ownFields { appendField(field, to: &out) }
    }

    static func appendField(_ field: Headers.Field, to out: inout [UInt8]) {
        out.append(contentsOf: field.name.text.utf8)
        append(": ", to: &out)
        out.append(contentsOf: field.value.text.utf8)
        append("\r\n", to: &out)
    }

    /// Room for a head with these fields; a little more than it takes.
    static func room(for headers: Headers) -> Int {
        headers.ownFields.reduce(headReserveBytes + (headers.common?.bytes.count ?? 0)) {
            $0 + $1.name.text.utf8.count + $1.value.text.utf8.count + 4
        }
    }

    /// Status line, date and framing.
    private static let headReserveBytes = 160

    private static func append(_ text: StaticString, to out: inout [UInt8]) {
        text.withUTF8Buffer { out.append(contentsOf: $0) }
    }

    private static func appendDecimal(_ number: Int, to out: inout [UInt8]) {
        guard number >= 10 else { return out.append(UInt8(48 + number)) }
        appendDecimal(number / 10, to: &out)
        out.append(UInt8(48 + number % 10))
    }
}
