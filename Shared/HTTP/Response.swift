/// What a handler answers.
package struct Response: Sendable {
    package var status: Status
    package var headers: Headers
    package var content: Content

    /// What follows the head.
    package enum Content: Sendable {
        case empty
        case bytes([UInt8])
        /// A body that is produced while it is sent. With a length it must be exactly that long; without one it is chunked.
        case stream(length: Int?, @Sendable (BodyWriter) async throws -> Void)
        /// The connection becomes a WebSocket.
        case webSocket(WebSocketUpgrade)
        /// The connection is spliced to another one.
        case tunnel(Tunnel)
    }

    package init(_ status: Status, headers: Headers = [:], content: Content = .empty) {
        self.status = status
        self.headers = headers
        self.content = content
    }

    /// A body of known bytes with its media type.
    package static func bytes(_ bytes: [UInt8], type: HeaderValue, status: Status = .ok) -> Response {
        Response(status, headers: [.contentType: type], content: .bytes(bytes))
    }

    /// Bytes that are already JSON.
    package static func json(_ bytes: [UInt8], status: Status = .ok) -> Response {
        .bytes(bytes, type: "application/json", status: status)
    }

    /// Plain UTF-8 text.
    package static func text(_ text: String, status: Status = .ok) -> Response {
        .bytes(Array(text.utf8), type: "text/plain; charset=utf-8", status: status)
    }

    /// A body that `produce` writes piece by piece; ``BodyWriter/write(_:)`` waits while the client is slow.
    package static func stream(
        type: HeaderValue, status: Status = .ok, length: Int? = nil,
        _ produce: @escaping @Sendable (BodyWriter) async throws -> Void
    ) -> Response {
        Response(status, headers: [.contentType: type], content: .stream(length: length, produce))
    }

    /// Turns the connection into a WebSocket; see ``WebSocketUpgrade``.
    package static func webSocket(_ upgrade: WebSocketUpgrade) -> Response {
        Response(.switchingProtocols, content: .webSocket(upgrade))
    }

    /// Splices the connection to another one; see ``Tunnel``.
    package static func tunnel(_ tunnel: Tunnel) -> Response {
        Response(.switchingProtocols, content: .tunnel(tunnel))
    }

    /// Bytes of the body, for access logs; nil when it is streamed or the connection was taken over.
    package var bodyBytes: Int? {
        switch content {
        case .empty: 0
        case .bytes(let bytes): bytes.count
        case .stream(let length, _): length
        case .webSocket, .tunnel: nil
        }
    }
}

extension HTTPError {
    /// A response in flat JSON, for servers that do not render errors themselves.
    ///
    /// `code` and `message` are ours and need no escape; what would need one is left out.
    package var plainResponse: Response {
        func safe(_ text: String) -> String {
            String(text.unicodeScalars.filter { $0.value >= 0x20 && $0 != "\"" && $0 != "\\" })
        }
        var response = Response.json(
            Array(#"{"error":"\#(safe(message))","code":"\#(safe(code))"}"#.utf8), status: status)
        addFields(to: &response.headers)
        return response
    }

    /// Adds what the status asks for beside the body: `Allow`, `Retry-After`.
    package func addFields(to headers: inout Headers) {
        if !allow.isEmpty { headers[.allow] = HeaderValue(allow.map(\.description).joined(separator: ", ")) }
        if let retryAfterSeconds { headers[.retryAfter] = HeaderValue(retryAfterSeconds) }
        if status == .upgradeRequired {
            headers["Sec-WebSocket-Version"] = "13"
            headers["Upgrade"] = "websocket"
        }
    }
}
