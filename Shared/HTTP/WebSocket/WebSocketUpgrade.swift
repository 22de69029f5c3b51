/// What a handler answers to turn its connection into a WebSocket: ``Response/webSocket(_:)``.
package struct WebSocketUpgrade: Sendable {
    let handshake: Handshake
    let subprotocol: HeaderValue?
    let settings: WebSocketSettings
    let open: @Sendable (WebSocketSession) -> any WebSocketDelegate

    /// - Parameters:
    ///   - subprotocol: one of ``Handshake/offeredProtocols``, or nil for none; another value is left out.
    ///   - open: called on the connection's loop once the 101 is queued; the session keeps what it returns.
    package init(
        _ handshake: Handshake, subprotocol: String? = nil, settings: WebSocketSettings = WebSocketSettings(),
        open: @escaping @Sendable (WebSocketSession) -> any WebSocketDelegate
    ) {
        self.handshake = handshake
        self.subprotocol = subprotocol.flatMap { handshake.offeredProtocols.contains($0) ? HeaderValue($0) : nil }
        self.settings = settings
        self.open = open
    }

    /// What was agreed on; nil when the client offers nothing we can do, or the settings forbid it.
    var compression: MessageCompression? { settings.compresses ? handshake.compression : nil }

    /// The fields of the 101.
    func fields(beside headers: Headers) -> Headers {
        var fields = headers
        fields["Sec-WebSocket-Accept"] = HeaderValue(handshake.acceptKey)
        fields["Sec-WebSocket-Protocol"] = subprotocol
        fields["Sec-WebSocket-Extensions"] = compression.flatMap { HeaderValue($0.answer) }
        return fields
    }
}

/// The bounds of one WebSocket.
package struct WebSocketSettings: Sendable {
    /// Bytes of an inbound message, all fragments together; past it the socket is closed with 1009.
    package var messageBytes = 64 * 1024
    /// Bytes of frames waiting for a slow client; past it ``WebSocketSession/enqueue(_:)`` refuses.
    package var outboxBytes = 256 * 1024
    /// Whether permessage-deflate is agreed on with clients that offer it (RFC 7692).
    package var compresses = false
    /// Silence after which the client is pinged.
    package var pingInterval = Duration.seconds(30)
    /// Silence after a ping; past it the socket is closed with 1011.
    package var pongTimeout = Duration.seconds(10)
    /// From our close frame to the client's; past it the socket is cut.
    package var closeTimeout = Duration.seconds(5)

    package init() {}
}
