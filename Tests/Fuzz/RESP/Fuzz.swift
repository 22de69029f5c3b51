// However a peer's bytes are split, the same replies come out, and the same end: an error, or more bytes needed.
// The first byte says how the rest is split.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let seed = input.first else { return 0 }
    let bytes = input[1...]
    let whole = read([bytes])
    precondition(read(split(bytes, seed)) == whole, "split feeding differs from whole feeding")
    return 0
}

/// The replies, and whether an error ended them.
private func read(_ pieces: [ArraySlice<UInt8>]) -> Outcome {
    var outcome = Outcome(replies: [], failed: false)
    do throws(RedisError) {
        var reader = try ReplyReader()
        for piece in pieces {
            try reader.feed(piece)
            while let reply = try reader.next() { outcome.replies.append(reply) }
        }
    } catch {
        precondition(error.code == .protocolViolation, "an error of another kind")
        outcome.failed = true
    }
    return outcome
}

private struct Outcome: Equatable {
    var replies: [RedisReply]
    var failed: Bool
}

/// Pieces of 1 to 16 bytes, from a generator that the seed starts.
private func split(_ bytes: ArraySlice<UInt8>, _ seed: UInt8) -> [ArraySlice<UInt8>] {
    var state = UInt32(seed) &+ 1
    var pieces: [ArraySlice<UInt8>] = []
    var rest = bytes
    while !rest.isEmpty {
        state = state &* 1_664_525 &+ 1_013_904_223
        let piece = rest.prefix(Int(state >> 28) + 1)
        pieces.append(piece)
        rest = rest.dropFirst(piece.count)
    }
    return pieces
}
