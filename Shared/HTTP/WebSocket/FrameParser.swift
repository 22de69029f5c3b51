/// Cuts a byte stream into frames (RFC 6455 §5.2), however it is cut into pieces, and removes the mask.
struct FrameParser {
    /// A part of a frame, in order: one `.begin`, any number of `.payload`, one `.end`.
    enum Part: Equatable {
        case begin(FrameHeader)
        case payload([UInt8])
        case end
    }

    private enum Phase { case first, second, extended, mask, payload, end }

    private let role: WebSocketRole
    private let limitBytes: Int
    private let allowsCompression: Bool
    private var phase = Phase.first
    private var opcode = Opcode.continuation
    private var isFinal = false
    private var isCompressed = false
    private var length: UInt64 = 0
    private var extendedBytes = 0
    private var needed = 0
    private var maskKey: UInt32 = 0
    private var position = 0

    /// Frames whose payload is longer than `limitBytes` are refused with 1009 before any of it is read.
    ///
    /// - Parameter allowsCompression: whether permessage-deflate was agreed, which gives RSV1 a meaning.
    init(role: WebSocketRole, limitBytes: Int, allowsCompression: Bool = false) {
        self.role = role
        self.limitBytes = limitBytes
        self.allowsCompression = allowsCompression
    }

    /// The next part found in `input` from `offset` on, which moves past what was used; nil when more bytes are needed.
    mutating func next(_ input: Span<UInt8>, _ offset: inout Int) throws(WebSocketError) -> Part? {
        if phase == .end {
            phase = .first
            return .end
        }
        if phase == .payload { return takePayload(input, &offset) }
        while offset < input.count {
            let byte = input[offset]
            offset += 1
            try step(byte)
            if phase == .payload {
                if length == 0 { phase = .end }
                return .begin(
                    FrameHeader(opcode: opcode, isFinal: isFinal, isCompressed: isCompressed, length: Int(length)))
            }
        }
        return nil
    }

    private mutating func step(_ byte: UInt8) throws(WebSocketError) {
        switch phase {
        case .first: try takeFirst(byte)
        case .second: try takeSecond(byte)
        case .extended:
            length = length << 8 | UInt64(byte)
            needed -= 1
            if needed == 0 { try endLength() }
        case .mask:
            maskKey = maskKey << 8 | UInt32(byte)
            needed -= 1
            if needed == 0 { phase = .payload }
        case .payload, .end: break
        }
    }

    private mutating func takeFirst(_ byte: UInt8) throws(WebSocketError) {
        guard let opcode = Opcode(rawValue: byte & 0x0F) else { throw .violation("The opcode is unknown.") }
        isCompressed = byte & FrameHeader.compressedBit != 0
        let mayCompress = allowsCompression && (opcode == .text || opcode == .binary)
        guard byte & 0x30 == 0, !isCompressed || mayCompress else { throw .violation("A reserved bit is set.") }
        self.opcode = opcode
        isFinal = byte & 0x80 != 0
        guard isFinal || !opcode.isControl else { throw .violation("A control frame is fragmented.") }
        phase = .second
    }

    private mutating func takeSecond(_ byte: UInt8) throws(WebSocketError) {
        guard (byte & 0x80 != 0) == (role == .server) else { throw .violation("The mask bit is wrong.") }
        let short = byte & 0x7F
        guard short <= 125 || !opcode.isControl else { throw .violation("A control frame is too long.") }
        (length, maskKey, position) = (0, 0, 0)
        extendedBytes = short == 127 ? 8 : short == 126 ? 2 : 0
        needed = extendedBytes
        if extendedBytes > 0 {
            phase = .extended
        } else {
            length = UInt64(short)
            try endLength()
        }
    }

    /// RFC 6455 §5.2: the shortest form of a length must be used, and its top bit is zero.
    private mutating func endLength() throws(WebSocketError) {
        let least: UInt64 = extendedBytes == 8 ? 65_536 : extendedBytes == 2 ? 126 : 0
        guard length >= least, length >> 63 == 0 else { throw .violation("The frame length is badly encoded.") }
        guard length <= UInt64(limitBytes) || opcode.isControl else {
            throw WebSocketError(.messageTooBig, "A message has at most \(limitBytes) bytes.")
        }
        needed = 4
        phase = role == .server ? .mask : .payload
    }

    private mutating func takePayload(_ input: Span<UInt8>, _ offset: inout Int) -> Part? {
        let count = min(Int(length) - position, input.count - offset)
        guard count > 0 else { return nil }
        let begin = offset
        var bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count { buffer.initializeElement(at: index, to: input[begin + index]) }
            initialized = count
        }
        if role == .server { Mask.apply(maskKey, from: position, to: &bytes) }
        offset += count
        position += count
        if position == Int(length) { phase = .end }
        return .payload(bytes)
    }
}

/// The masking of RFC 6455 §5.3.
enum Mask {
    /// XORs `bytes`, which begin at `position` of the payload, with `key` in network order.
    static func apply(_ key: UInt32, from position: Int, to bytes: inout [UInt8]) {
        for index in bytes.indices {
            bytes[index] ^= UInt8(truncatingIfNeeded: key >> UInt32(24 - 8 * ((position + index) & 3)))
        }
    }
}
