/// Why a WebSocket is closed (RFC 6455 §7.4, contract §3.3).
package enum CloseCode: UInt16, Sendable, CaseIterable {
    case normal = 1000
    /// We are shutting down; connect again, to any gateway.
    case goingAway = 1001
    case protocolError = 1002
    /// A binary message: only text is spoken here.
    case unsupportedData = 1003
    case invalidUTF8 = 1007
    case policyViolation = 1008
    case messageTooBig = 1009
    case internalError = 1011
    /// The token expired or was revoked.
    case tokenExpired = 4001
    case originRefused = 4003
    /// The client reads too slowly; the reason carries `last_seq` to resume from.
    case slowConsumer = 4008
    case rateLimited = 4029

    /// The reason that goes with the code, under 123 bytes.
    package var reason: String {
        switch self {
        case .normal: "bye"
        case .goingAway: "server is shutting down"
        case .protocolError: "protocol error"
        case .unsupportedData: "only text messages"
        case .invalidUTF8: "text is not UTF-8"
        case .policyViolation: "policy violation"
        case .messageTooBig: "message too big"
        case .internalError: "internal error"
        case .tokenExpired: "token expired"
        case .originRefused: "origin not allowed"
        case .slowConsumer: "too slow"
        case .rateLimited: "rate limit"
        }
    }

    /// The reason of a slow consumer: where to resume. `last_seq` is the last event that was sent whole.
    package static func slowConsumerReason(lastSeq: Int64) -> String { "too slow; last_seq=\(lastSeq)" }
}
