// The first byte says which end we are and how the rest is cut into pieces. Frames give the same messages and the same
// error cut or whole, text is UTF-8, messages keep their limit; what was read and is written again reads the same.
private let limit = 200

private struct Reading: Equatable {
    var messages: [WebSocketMessage] = []
    var code: UInt16 = 0
}

private func read(_ bytes: ArraySlice<UInt8>, _ role: WebSocketRole, cutInto size: Int) -> Reading {
    var parser = FrameParser(role: role, limitBytes: limit)
    var assembler = MessageAssembler(limitBytes: limit)
    var reading = Reading()
    var position = bytes.startIndex
    do throws(WebSocketError) {
        while position < bytes.endIndex {
            let fed = bytes[position..<min(bytes.endIndex, position + size)]
            var offset = 0
            while let part = try parser.next(fed.span, &offset) {
                if let message = try assembler.take(part) { reading.messages.append(message) }
            }
            precondition(offset == fed.count, "bytes left over")
            position += fed.count
        }
    } catch {
        reading.code = error.code.rawValue
        precondition([1002, 1007, 1009].contains(reading.code), "an unknown failure")
        precondition(error.message.utf8.count <= 123, "a reason too long for a close frame")
    }
    return reading
}

private func encode(_ message: WebSocketMessage, maskKey: UInt32?) -> [UInt8] {
    switch message {
    case .text(let text):
        precondition(text.utf8.count <= limit, "a message over its limit")
        return FrameWriter.encode(.text, text.utf8, isFinal: true, maskKey: maskKey)
    case .binary(let bytes):
        precondition(bytes.count <= limit, "a message over its limit")
        return FrameWriter.encode(.binary, bytes, isFinal: true, maskKey: maskKey)
    case .ping(let bytes): return FrameWriter.encode(.ping, bytes, isFinal: true, maskKey: maskKey)
    case .pong(let bytes): return FrameWriter.encode(.pong, bytes, isFinal: true, maskKey: maskKey)
    case .close(let code, let reason):
        return FrameWriter.encode(.close, FrameWriter.closePayload(code, reason), isFinal: true, maskKey: maskKey)
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let bytes = input.dropFirst()
    let role: WebSocketRole = first & 1 == 0 ? .server : .client
    let whole = read(bytes, role, cutInto: max(1, bytes.count))
    precondition(read(bytes, role, cutInto: Int(first >> 1) + 1) == whole, "cut into pieces it means something else")
    precondition(read(bytes, role, cutInto: 1) == whole, "byte by byte it means something else")
    let again = whole.messages.flatMap { encode($0, maskKey: role == .server ? 0xA1B2_C3D4 : nil) }
    precondition(read(again[...], role, cutInto: 64).messages == whole.messages, "written again it reads differently")
    return 0
}
