// The first byte says how the rest is cut into pieces. A head means the same cut or whole, its parts can be read, its
// query parsed or refused, and nothing traps.
private struct Reading: Equatable {
    var status = 0
    var used = 0
    var path = ""
    var fields: [String] = []
    var framing = BodyFraming.none
}

private func read(_ bytes: ArraySlice<UInt8>, cutInto size: Int) -> Reading {
    var limits = HTTPLimits()
    (limits.headBytes, limits.headerCount, limits.targetBytes) = (1024, 12, 128)
    var parser = HeadParser(limits: limits)
    var reading = Reading()
    var end = bytes.startIndex
    do throws(HTTPError) {
        while end < bytes.endIndex {
            end = min(bytes.endIndex, end + size)
            let fed = bytes[..<end]
            guard let (head, used) = try parser.parse(fed.span) else { continue }
            reading.status = 200
            reading.used = used
            reading.path = head.path
            reading.fields = head.allFields.flatMap { [$0.name, $0.value] }
            reading.framing = head.framing
            check(head, used)
            return reading
        }
    } catch {
        reading.status = error.status.code
        precondition((400...505).contains(reading.status), "an error without an error status")
    }
    return reading
}

private func check(_ head: RequestHead, _ used: Int) {
    precondition(used <= 1024 && head.bytes.count <= used, "a head longer than its limit")
    precondition(head.fields.count <= 12, "more fields than the limit")
    for (name, value) in head.allFields {
        precondition(ByteClass.isToken(name.utf8), "a name that is not a token")
        precondition(value.utf8.allSatisfy(ByteClass.isFieldValue), "a value with a control character")
    }
    precondition(head.values("host").count == 1 || head.versionMinor == 0, "not exactly one Host")
    precondition(head.values("content-length").isEmpty || head.values("transfer-encoding").isEmpty, "two framings")
    _ = PercentCoding.decode(head.path.utf8)
    if let query = head.rawQuery { _ = try? QueryItems(Array(query.utf8), limit: 5) }
    _ = head.lists("websocket", in: "upgrade")
}

@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let bytes = input.dropFirst()
    let whole = read(bytes, cutInto: max(1, bytes.count))
    precondition(read(bytes, cutInto: Int(first) + 1) == whole, "cut into pieces it means something else")
    if bytes.count < 256 { precondition(read(bytes, cutInto: 1) == whole, "byte by byte it means something else") }
    return 0
}
