import Crypto

/// A checked WebSocket opening request (RFC 6455 §4.2.1).
package struct Handshake: Sendable {
    /// The subprotocols the client offers, in its order of preference.
    package let offeredProtocols: [String]
    /// The compression that the client offers and we can do; nil for none.
    let compression: MessageCompression?
    /// The value of `Sec-WebSocket-Accept`.
    let acceptKey: String

    /// - Throws: 426 for another version or no upgrade at all, 400 for anything malformed, 405 for another method than GET.
    package init(_ head: RequestHead) throws(HTTPError) {
        guard head.method == .get else { throw .methodNotAllowed(allow: [.get]) }
        guard head.asksUpgrade, head.lists("websocket", in: "upgrade") else { throw Self.upgradeRequired }
        guard head.values("sec-websocket-version") == ["13"] else { throw Self.upgradeRequired }
        let keys = head.values("sec-websocket-key")
        guard keys.count == 1, keys[0].utf8.count == 24, Base64.decode(keys[0])?.count == 16 else {
            throw .malformed("The WebSocket key is not 16 bytes in base 64.")
        }
        guard head.framing == .none else { throw .malformed("An upgrade to WebSocket has no body.") }
        acceptKey = Self.accept(keys[0])
        offeredProtocols = try Self.protocols(head)
        compression = MessageCompression.agree(head.values("sec-websocket-extensions"))
    }

    /// RFC 6455 §4.2.2: proves that the server read the key.
    static func accept(_ key: String) -> String {
        Base64.encode(SHA1.hash(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
    }

    private static func protocols(_ head: RequestHead) throws(HTTPError) -> [String] {
        var names: [String] = []
        for value in head.values("sec-websocket-protocol") {
            for item in value.split(separator: ",") {
                let name = HeaderText.trimmed(item)
                guard ByteClass.isToken(name.utf8) else { throw .malformed("A WebSocket subprotocol is not a token.") }
                names.append(name)
            }
        }
        return names
    }

    private static let upgradeRequired = HTTPError(
        .upgradeRequired, "upgrade_required", "This path speaks WebSocket, version 13.")
}
