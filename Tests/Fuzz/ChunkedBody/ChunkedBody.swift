// The first byte says how the rest is cut into pieces. A chunked body decodes to the same bytes cut or whole, never
// to more than its limit, and nothing traps.
private struct Reading: Equatable {
    var status = 0
    var used = 0
    var body: [UInt8] = []
}

private func read(_ bytes: ArraySlice<UInt8>, cutInto size: Int) -> Reading {
    var limits = HTTPLimits()
    (limits.chunkExtensionBytes, limits.trailerBytes) = (64, 64)
    var decoder = ChunkedDecoder(limits: limits, bodyLimit: 256)
    var reading = Reading()
    var position = bytes.startIndex
    do throws(HTTPError) {
        while position < bytes.endIndex, !decoder.isFinished {
            let fed = bytes[position..<min(bytes.endIndex, position + size)]
            let used = try decoder.decode(fed.span, into: &reading.body)
            precondition(used == fed.count || decoder.isFinished, "bytes left over before the end")
            position += used
        }
        reading.status = decoder.isFinished ? 200 : 0
        reading.used = position - bytes.startIndex
    } catch {
        reading.status = error.status.code
        // What was decoded before the error depends on the cuts; the connection is closed either way.
        reading.body = []
    }
    precondition(reading.body.count <= 256, "a body longer than its limit")
    return reading
}

@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let bytes = input.dropFirst()
    let whole = read(bytes, cutInto: max(1, bytes.count))
    precondition(read(bytes, cutInto: Int(first) + 1) == whole, "cut into pieces it means something else")
    precondition(read(bytes, cutInto: 1) == whole, "byte by byte it means something else")
    return 0
}
