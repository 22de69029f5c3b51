/// What a frame carries (RFC 6455 §5.2).
package enum Opcode: UInt8, Sendable {
    case continuation = 0, text = 1, binary = 2
    case close = 8, ping = 9, pong = 10

    var isControl: Bool { rawValue >= 8 }
}

/// The head of one frame.
struct FrameHeader: Equatable, Sendable {
    let opcode: Opcode
    let isFinal: Bool
    let length: Int
}

/// Which end of the connection we are: clients mask what they send, servers do not (RFC 6455 §5.1).
package enum WebSocketRole: Sendable { case server, client }
