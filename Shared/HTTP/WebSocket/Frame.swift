import Compression
import Platform

/// One encoded server frame: made once, immutable, and shared by all who send it (RFC 6455 §5.2).
package struct Frame: Sendable {
    /// Head and payload as they go on the wire when nothing was agreed on.
    package let bytes: [UInt8]
    private let compressed: CompressedForms?

    /// A whole text message from UTF-8 bytes, which are not checked.
    package static func text(_ utf8: some Collection<UInt8>) -> Frame { Frame(.text, utf8) }

    /// A whole text message.
    package static func text(_ text: String) -> Frame { Frame(.text, text.utf8) }

    /// A whole binary message.
    package static func binary(_ bytes: some Collection<UInt8>) -> Frame { Frame(.binary, bytes) }

    /// What the frame carries, without its head.
    package var payload: ArraySlice<UInt8> { bytes[FrameWriter.headBytes(of: bytes)...] }

    /// A close frame. A code that may not be sent becomes an empty frame; the reason is cut at 123 bytes, between characters.
    static func close(_ code: CloseCode, reason: String) -> Frame {
        Frame(.close, FrameWriter.closePayload(code, reason))
    }

    /// - Precondition: the payload of a control frame has at most 125 bytes.
    init(_ opcode: Opcode, _ payload: some Collection<UInt8>, isFinal: Bool = true) {
        bytes = FrameWriter.encode(opcode, payload, isFinal: isFinal, maskKey: nil)
        let mayCompress = !opcode.isControl && isFinal && payload.count >= MessageCompression.leastBytes
        compressed = mayCompress ? CompressedForms(opcode, payloadBytes: payload.count) : nil
    }

    /// The frame for a client with whom `compression` was agreed; the first to ask pays for it.
    func bytes(_ compression: MessageCompression, _ deflater: () -> MessageDeflater?) -> [UInt8] {
        compressed?.bytes(compression.serverWindowBits, of: bytes, deflater) ?? bytes
    }
}

/// A frame's compressed forms, one for each window that a client asked for.
private final class CompressedForms: Sendable {
    private let opcode: Opcode
    private let payloadBytes: Int
    /// Empty bytes: compressing would not make it shorter.
    private let forms = Lock<[Int: [UInt8]]>([:])

    init(_ opcode: Opcode, payloadBytes: Int) {
        self.opcode = opcode
        self.payloadBytes = payloadBytes
    }

    func bytes(_ windowBits: Int, of plain: [UInt8], _ deflater: () -> MessageDeflater?) -> [UInt8]? {
        let form = forms.withLock { forms in
            if let known = forms[windowBits] { return known }
            let payload = Array(plain.suffix(payloadBytes))
            let made = deflater()?.compress(payload).map {
                FrameWriter.encode(opcode, $0, isFinal: true, isCompressed: true, maskKey: nil)
            }
            forms[windowBits] = made ?? []
            return made ?? []
        }
        return form.isEmpty ? nil : form
    }
}
