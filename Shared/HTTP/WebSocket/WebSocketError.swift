/// Why a WebSocket must be failed: the close code to send and a sentence for logs and the peer.
package struct WebSocketError: Error, Equatable, Sendable {
    package let code: CloseCode
    /// At most 123 bytes of our own text, so it fits a close frame.
    package let message: String

    package init(_ code: CloseCode, _ message: String) {
        self.code = code
        self.message = message
    }

    static func violation(_ message: String) -> WebSocketError { WebSocketError(.protocolError, message) }
}

/// A close code (RFC 6455 §7.4).
package struct CloseCode: Hashable, Sendable, RawRepresentable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let normal = CloseCode(rawValue: 1000)
    package static let goingAway = CloseCode(rawValue: 1001)
    package static let protocolError = CloseCode(rawValue: 1002)
    package static let unsupportedData = CloseCode(rawValue: 1003)
    /// The peer's close frame had no code. Never sent.
    package static let noCode = CloseCode(rawValue: 1005)
    /// The connection ended without a close frame. Never sent.
    package static let abnormal = CloseCode(rawValue: 1006)
    package static let invalidPayload = CloseCode(rawValue: 1007)
    package static let policyViolation = CloseCode(rawValue: 1008)
    package static let messageTooBig = CloseCode(rawValue: 1009)
    package static let internalError = CloseCode(rawValue: 1011)
    package static let tryAgainLater = CloseCode(rawValue: 1013)

    /// Whether the code may stand in a close frame: those IANA lists for it, and the private ranges from 3000.
    package var maySend: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}
