/// The server's answer to a WebSocket opening request, as a client reads it (RFC 6455 §4.1).
struct UpgradeAnswer {
    static let maxBytes = 32 * 1024
    private var bytes: [UInt8] = []
    private var lines: [Substring] = []

    /// Takes bytes until the head is whole, then returns those behind it.
    mutating func take(_ more: ArraySlice<UInt8>) throws(WebSocketClientError) -> ArraySlice<UInt8>? {
        let known = max(0, bytes.count - 3)
        bytes.append(contentsOf: more)
        guard let end = Self.headEnd(bytes, from: known) else {
            guard bytes.count <= Self.maxBytes else { throw .malformed }
            return nil
        }
        lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        return bytes[end...]
    }

    /// The chosen subprotocol. - Throws: `.refused` for another status than 101, `.malformed` for a bad answer.
    func check(key: String) throws(WebSocketClientError) -> String? {
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw .malformed
        }
        guard status == 101 else { throw .refused(status: status) }
        guard field("upgrade")?.lowercased() == "websocket", field("sec-websocket-accept") == Handshake.accept(key)
        else { throw .malformed }
        return field("sec-websocket-protocol")
    }

    /// The value of `Sec-WebSocket-Extensions`.
    var extensions: String? { field("sec-websocket-extensions") }

    private func field(_ name: String) -> String? {
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == name { return HeaderText.trimmed(parts[1]) }
        }
        return nil
    }

    private static func headEnd(_ bytes: [UInt8], from start: Int) -> Int? {
        guard start + 4 <= bytes.count else { return nil }
        for index in start...(bytes.count - 4)
        where bytes[index] == 13 && bytes[index + 1] == 10 && bytes[index + 2] == 13 && bytes[index + 3] == 10 {
            return index + 4
        }
        return nil
    }
}

/// Why a ``WebSocketClient`` has no connection.
package enum WebSocketClientError: Error, Equatable, Sendable {
    /// The server answered with another status than 101.
    case refused(status: Int)
    /// The answer breaks RFC 6455 §4.1.
    case malformed
    /// The connection has ended.
    case closed
}
