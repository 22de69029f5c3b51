// However the bytes are split, the events and the failure are the same; nothing grows past its limit.
private let lineLimit = 64
private let eventLimit = 100

private func parse(_ pieces: [ArraySlice<UInt8>]) -> ([ServerSentEvent], ServerSentEventParser.Failure?) {
    var parser = ServerSentEventParser(maxLineBytes: lineLimit, maxEventBytes: eventLimit)
    var events: [ServerSentEvent] = []
    for piece in pieces {
        do { try parser.feed(piece, into: &events) } catch { return (events, error) }
    }
    return (events, nil)
}

@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let whole = parse([input[...]])
    let bytewise = parse(input.indices.map { input[$0...$0] })
    precondition(whole == bytewise, "split byte by byte, something else was read")
    if let first = input.first {
        let middle = Int(first) % input.count
        precondition(parse([input[..<middle], input[middle...]]) == whole, "split in two, something else was read")
    }
    for event in whole.0 {
        // A byte that is no UTF-8 becomes three.
        precondition(
            event.data.utf8.count <= 3 * eventLimit && event.name.utf8.count <= 3 * lineLimit, "larger than its limit")
        precondition(!event.name.isEmpty && !event.name.utf8.contains(0x0A), "a name that no line can give")
    }
    return 0
}
