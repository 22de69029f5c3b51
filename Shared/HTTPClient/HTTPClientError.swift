/// Why a request has no complete response.
package struct HTTPClientError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// A URL, method or header that can not be sent, or a client that was closed.
        case invalidRequest
        /// More requests at once than ``HTTPClientConfiguration/maxTransfers``.
        case busy
        /// The name is unknown, or nobody listens there.
        case connect
        /// The address that the name leads to is refused by ``HTTPClientConfiguration/addresses``; nothing was connected.
        case addressRefused
        /// No connection within ``Deadlines/connect``.
        case connectTimeout
        /// No response head within ``Deadlines/firstByte``.
        case firstByteTimeout
        /// The body stalled for ``Deadlines/idle``.
        case idleTimeout
        /// Not complete within ``Deadlines/total``.
        case totalTimeout
        /// The connection ended before the response did.
        case cut
        /// The head or the body is larger than the request allows.
        case tooLarge
        /// The peer's certificate or handshake is refused.
        case tls
        /// The caller's task was cancelled, or the body was given up.
        case cancelled
        /// The peer does not speak HTTP: a bad status line, header, or chunk.
        case protocolViolation
    }

    package let code: Code
    /// For our logs: names hosts, never headers or bodies.
    package let message: String
    /// Whether any part of the request can have reached the peer.
    package let wasSent: Bool

    package init(_ code: Code, _ message: String, wasSent: Bool) {
        self.code = code
        self.message = message
        self.wasSent = wasSent
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
