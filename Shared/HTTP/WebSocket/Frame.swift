/// One encoded server frame: made once, immutable, and shared by all who send it (RFC 6455 §5.2).
package struct Frame: Sendable {
    /// Head and payload as they go on the wire.
    package let bytes: [UInt8]

    /// A whole text message from UTF-8 bytes, which are not checked.
    package static func text(_ utf8: some Collection<UInt8>) -> Frame { Frame(.text, utf8) }

    /// A whole text message.
    package static func text(_ text: String) -> Frame { Frame(.text, text.utf8) }

    /// A whole binary message.
    package static func binary(_ bytes: some Collection<UInt8>) -> Frame { Frame(.binary, bytes) }

    /// A close frame. A code that may not be sent becomes an empty frame; the reason is cut at 123 bytes, between characters.
    static func close(_ code: CloseCode, reason: String) -> Frame {
        Frame(.close, FrameWriter.closePayload(code, reason))
    }

    /// - Precondition: the payload of a control frame has at most 125 bytes.
    init(_ opcode: Opcode, _ payload: some Collection<UInt8>, isFinal: Bool = true) {
        bytes = FrameWriter.encode(opcode, payload, isFinal: isFinal, maskKey: nil)
    }
}
