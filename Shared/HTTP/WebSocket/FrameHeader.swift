/// What a frame carries (RFC 6455 §5.2).
package enum Opcode: UInt8, Sendable {
    case continuation = 0, text = 1, binary = 2
    case close = 8, ping = 9, pong = 10

    var isControl: Bool { rawValue >= 8 }
}

/// The head of one frame.
struct FrameHeader: Equatable, Sendable {
    static let compressedBit: UInt8 = 0x40

    let opcode: Opcode
    let isFinal: Bool
    /// Of a message's first frame: the message is compressed (RFC 7692 §6, the bit RSV1).
    var isCompressed = false
    let length: Int
}

/// Which end of the connection we are: clients mask what they send, servers do not (RFC 6455 §5.1).
package enum WebSocketRole: Sendable { case server, client }
