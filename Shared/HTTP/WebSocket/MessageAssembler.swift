import Compression

/// What a peer said: a whole message, or a control frame.
package enum WebSocketMessage: Equatable, Sendable {
    case text(String)
    case binary([UInt8])
    case ping([UInt8])
    case pong([UInt8])
    /// `.noCode` when the frame was empty.
    case close(CloseCode, reason: String)
}

/// Joins fragments to messages and keeps the rules between frames (RFC 6455 §5.4–§5.6, §7.1.5, §8.1).
struct MessageAssembler {
    private let limitBytes: Int
    private var kind: Opcode?
    private var message: [UInt8] = []
    private var inflater: MessageInflater?
    private var utf8 = UTF8Validator()
    private var header = FrameHeader(opcode: .continuation, isFinal: true, length: 0)
    private var control: [UInt8] = []

    /// Messages longer than `limitBytes`, all fragments together, are refused with 1009.
    init(limitBytes: Int) { self.limitBytes = limitBytes }

    /// Takes the next part of a frame; returns what it completed.
    mutating func take(_ part: FrameParser.Part) throws(WebSocketError) -> WebSocketMessage? {
        switch part {
        case .begin(let header):
            self.header = header
            if !header.opcode.isControl { try beginData(header) }
            return nil
        case .payload(let bytes):
            try takePayload(bytes)
            return nil
        case .end:
            return header.opcode.isControl ? try endControl() : try endData()
        }
    }

    private mutating func beginData(_ header: FrameHeader) throws(WebSocketError) {
        if header.opcode == .continuation {
            guard kind != nil else { throw .violation("There is no message to continue.") }
        } else {
            guard kind == nil else { throw .violation("A message begins inside another.") }
            kind = header.opcode
            if header.isCompressed { inflater = try inflating { () throws(CompressionError) in try MessageInflater() } }
        }
        guard header.length <= limitBytes - message.count else {
            throw WebSocketError(.messageTooBig, "A message has at most \(limitBytes) bytes.")
        }
    }

    private mutating func takePayload(_ bytes: [UInt8]) throws(WebSocketError) {
        if header.opcode.isControl {
            control += bytes
            return
        }
        guard let inflater else { return try append(bytes) }
        let room = limitBytes - message.count
        try append(try inflating { () throws(CompressionError) in try inflater.decode(bytes, limit: room) })
    }

    private mutating func append(_ bytes: [UInt8]) throws(WebSocketError) {
        if kind == .text, !utf8.accept(bytes) { throw Self.notUTF8 }
        if message.isEmpty { message = bytes } else { message += bytes }
    }

    private func inflating<Answer>(_ body: () throws(CompressionError) -> Answer) throws(WebSocketError) -> Answer {
        do throws(CompressionError) {
            return try body()
        } catch {
            switch error.code {
            case .noMemory: throw WebSocketError(.internalError, "There is no memory to decompress a message.")
            case .damaged: throw WebSocketError(.invalidPayload, "A compressed message is damaged.")
            case .tooLong: throw WebSocketError(.messageTooBig, "A message has at most \(limitBytes) bytes.")
            }
        }
    }

    private mutating func endData() throws(WebSocketError) -> WebSocketMessage? {
        guard header.isFinal else { return nil }
        if let inflater {
            let room = limitBytes - message.count
            try append(try inflating { () throws(CompressionError) in try inflater.finish(limit: room) })
        }
        guard kind != .text || utf8.isComplete else { throw Self.notUTF8 }
        defer {
            kind = nil
            message = []
            inflater = nil
        }
        return kind == .text ? .text(String(decoding: message, as: UTF8.self)) : .binary(message)
    }

    private mutating func endControl() throws(WebSocketError) -> WebSocketMessage {
        defer { control = [] }
        switch header.opcode {
        case .ping: return .ping(control)
        case .pong: return .pong(control)
        default: return try close()
        }
    }

    /// RFC 6455 §5.5.1, §7.4: nothing, or a code that may be sent and a reason in UTF-8.
    private func close() throws(WebSocketError) -> WebSocketMessage {
        guard !control.isEmpty else { return .close(.noCode, reason: "") }
        guard control.count >= 2 else { throw .violation("A close frame has half a code.") }
        let code = CloseCode(rawValue: UInt16(control[0]) << 8 | UInt16(control[1]))
        guard code.maySend else { throw .violation("The close code may not be sent.") }
        guard let reason = String(validating: control.dropFirst(2), as: UTF8.self) else { throw Self.notUTF8 }
        return .close(code, reason: reason)
    }

    private static let notUTF8 = WebSocketError(.invalidPayload, "Text is not UTF-8.")
}
