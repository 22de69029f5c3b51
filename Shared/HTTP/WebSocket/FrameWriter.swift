/// Encodes frames (RFC 6455 §5.2).
enum FrameWriter {
    static let maxControlBytes = 125

    /// The bytes of one frame, masked when there is a key. `isCompressed` says so of the payload, and changes nothing in it.
    static func encode(
        _ opcode: Opcode, _ payload: some Collection<UInt8>, isFinal: Bool, isCompressed: Bool = false, maskKey: UInt32?
    ) -> [UInt8] {
        let count = payload.count
        precondition(count <= maxControlBytes || !opcode.isControl, "a control frame carries at most 125 bytes")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 14)
        bytes.append((isFinal ? 0x80 : 0) | (isCompressed ? FrameHeader.compressedBit : 0) | opcode.rawValue)
        let maskBit: UInt8 = maskKey == nil ? 0 : 0x80
        switch count {
        case 0...125:
            bytes.append(maskBit | UInt8(count))
        case 126...65_535:
            bytes.append(maskBit | 126)
            append(UInt64(count), width: 2, to: &bytes)
        default:
            bytes.append(maskBit | 127)
            append(UInt64(count), width: 8, to: &bytes)
        }
        guard let maskKey else {
            bytes.append(contentsOf: payload)
            return bytes
        }
        append(UInt64(maskKey), width: 4, to: &bytes)
        var masked = Array(payload)
        Mask.apply(maskKey, from: 0, to: &masked)
        return bytes + masked
    }

    /// Bytes before the payload of a frame without a mask, which this wrote.
    static func headBytes(of frame: [UInt8]) -> Int {
        switch frame[1] {
        case 126: 4
        case 127: 10
        default: 2
        }
    }

    /// The payload of a close frame: nothing for a code that may not be sent.
    static func closePayload(_ code: CloseCode, _ reason: String) -> [UInt8] {
        guard code.maySend else { return [] }
        var text = Substring(reason)
        while text.utf8.count > maxControlBytes - 2 { text.removeLast() }
        return [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)] + Array(text.utf8)
    }

    private static func append(_ number: UInt64, width: Int, to bytes: inout [UInt8]) {
        for shift in (0..<width).reversed() { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * shift))) }
    }
}
