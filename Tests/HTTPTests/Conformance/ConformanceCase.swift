import Testing

/// A frame as a client puts it on the wire, right or wrong. Made without the product's own writer, which is judged here too.
struct ClientFrame: Sendable {
    /// How the length is written: the shortest way is the only right one (RFC 6455 §5.2).
    enum LengthForm: Sendable { case shortest, twoBytes, eightBytes }

    var opcode: UInt8
    var payload: [UInt8]
    var isFinal = true
    /// RSV1 to RSV3 as the bits 4, 2 and 1.
    var reserved: UInt8 = 0
    var mask: [UInt8]? = [0x37, 0xFA, 0x21, 0x3D]
    var lengthForm = LengthForm.shortest
    /// A length that is not the payload's.
    var claimedLength: UInt64?

    static func text(_ text: String) -> ClientFrame { ClientFrame(opcode: 1, payload: Array(text.utf8)) }
    static func text(_ bytes: [UInt8]) -> ClientFrame { ClientFrame(opcode: 1, payload: bytes) }
    static func binary(_ bytes: [UInt8]) -> ClientFrame { ClientFrame(opcode: 2, payload: bytes) }
    static func more(_ bytes: [UInt8]) -> ClientFrame { ClientFrame(opcode: 0, payload: bytes) }
    static func more(_ text: String) -> ClientFrame { more(Array(text.utf8)) }
    static func ping(_ bytes: [UInt8] = []) -> ClientFrame { ClientFrame(opcode: 9, payload: bytes) }
    static func pong(_ bytes: [UInt8] = []) -> ClientFrame { ClientFrame(opcode: 10, payload: bytes) }
    static func close(_ code: UInt16, _ reason: [UInt8] = []) -> ClientFrame {
        ClientFrame(opcode: 8, payload: [UInt8(code >> 8), UInt8(code & 0xFF)] + reason)
    }
    static let emptyClose = ClientFrame(opcode: 8, payload: [])

    /// The same, to be continued.
    var unfinished: ClientFrame { with { $0.isFinal = false } }
    /// The same, said to be compressed.
    var compressed: ClientFrame { with { $0.reserved = 4 } }

    func with(_ change: (inout ClientFrame) -> Void) -> ClientFrame {
        var copy = self
        change(&copy)
        return copy
    }

    var bytes: [UInt8] {
        let length = claimedLength ?? UInt64(payload.count)
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        var bytes = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode]
        switch (lengthForm, length) {
        case (.shortest, 0...125): bytes.append(maskBit | UInt8(length))
        case (.shortest, 126...65_535), (.twoBytes, _): bytes += [maskBit | 126] + Self.number(length, 2)
        default: bytes += [maskBit | 127] + Self.number(length, 8)
        }
        guard let mask else { return bytes + payload }
        return bytes + mask + payload.enumerated().map { $0.element ^ mask[$0.offset % 4] }
    }

    private static func number(_ value: UInt64, _ width: Int) -> [UInt8] {
        (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }
}

/// What a server said, a whole message or a control frame.
enum ServerSaid: Equatable, Sendable, CustomStringConvertible {
    case text([UInt8])
    case binary([UInt8])
    case ping([UInt8])
    case pong([UInt8])
    /// The code; nil for an empty frame. What reasons say is not part of the protocol.
    case close(UInt16?)
    /// The connection has ended.
    case end
    /// The server broke a rule itself.
    case broke(String)

    var description: String {
        switch self {
        case .text(let bytes): "text of \(bytes.count): \(String(decoding: bytes.prefix(40), as: UTF8.self))"
        case .binary(let bytes): "binary of \(bytes.count): \(bytes.prefix(16))"
        case .ping(let bytes): "ping \(bytes)"
        case .pong(let bytes): "pong \(bytes)"
        case .close(let code): "close \(code.map(String.init) ?? "without code")"
        case .end: "end"
        case .broke(let rule): "the server broke a rule: \(rule)"
        }
    }
}

/// What is sent to a server that says back every message, and all that it may answer.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    /// What the server says, in order, before anything is closed.
    let answers: [ServerSaid]
    /// The code with which the server ends it; nil when it goes on, and we close.
    let failure: UInt16?
    /// The value of `Sec-WebSocket-Extensions`; nil for none.
    var offer: String?
    /// Bytes sent at a time.
    var chop = Int.max

    var testDescription: String { name }

    /// The server goes on.
    init(_ name: String, _ frames: [ClientFrame], _ answers: [ServerSaid]) {
        (self.name, bytes, self.answers, failure) = (name, frames.flatMap(\.bytes), answers, nil)
    }

    /// The server ends it with a code, after it has answered what came before.
    init(_ name: String, _ frames: [ClientFrame], _ answers: [ServerSaid] = [], fails code: UInt16) {
        (self.name, bytes, self.answers, failure) = (name, frames.flatMap(\.bytes), answers, code)
    }

    /// The same with an offer of permessage-deflate.
    func offering(_ offer: String = "permessage-deflate") -> ConformanceCase {
        var copy = self
        copy.offer = offer
        return copy
    }

    /// The same, sent in pieces.
    func chopped(_ size: Int) -> ConformanceCase {
        var copy = ConformanceCase(name: "\(name), \(size) bytes at a time", like: self)
        copy.chop = size
        return copy
    }

    private init(name: String, like other: ConformanceCase) {
        (self.name, bytes, answers, failure, offer) = (name, other.bytes, other.answers, other.failure, other.offer)
    }
}
