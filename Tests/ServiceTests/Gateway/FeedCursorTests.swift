import Testing

@testable import aragora_ws_gateway

@Suite("The cursor of a viewer")
struct FeedCursorTests {
    static let one = [UInt8](repeating: 1, count: 32)
    static let two = [UInt8](repeating: 2, count: 32)

    @Test(
        "sends what is next and linked, drops what was, fills what is missing, resets what has another past",
        arguments: [
            (5, one, 5, one, .send), (5, one, 5, two, .reset), (5, one, 4, one, .drop), (5, one, 1, two, .drop),
            (5, one, 6, one, .fill), (5, one, .max, two, .fill), (1, nil, 1, two, .send), (7, nil, 7, one, .send),
            (7, nil, 6, one, .drop), (7, nil, 8, one, .fill), (5, one, 0, one, .drop), (5, one, -1, one, .drop),
        ] as [(Int64, [UInt8]?, Int64, [UInt8], FeedCursor.Step)])
    func step(next: Int64, last: [UInt8]?, seq: Int64, prev: [UInt8], step: FeedCursor.Step) {
        #expect(FeedCursor(nextSeq: next, lastHash: last).step(seq: seq, prevHash: prev) == step)
    }

    @Test("advances past what it sent, and then wants its link")
    func advance() {
        var cursor = FeedCursor(nextSeq: 1, lastHash: nil)
        cursor.advance(past: 1, hash: Self.one)
        #expect(cursor.nextSeq == 2)
        #expect(cursor.step(seq: 2, prevHash: Self.one) == .send)
        #expect(cursor.step(seq: 2, prevHash: Self.two) == .reset)
        #expect(cursor.step(seq: 1, prevHash: Self.one) == .drop)
    }

    @Test(
        "is contradicted by a log that is shorter, or ends where it stands with another hash",
        arguments: [
            (6, one, 5, one, false), (6, one, 5, two, true), (6, one, 4, one, true), (6, one, 9, two, false),
            (6, nil, 5, two, false), (6, nil, 4, two, true), (1, nil, 0, two, false), (1, nil, 3, two, false),
        ] as [(Int64, [UInt8]?, Int64, [UInt8], Bool)])
    func contradiction(next: Int64, last: [UInt8]?, tail: Int64, hash: [UInt8], contradicts: Bool) {
        #expect(FeedCursor(nextSeq: next, lastHash: last).contradicts(tailSeq: tail, tailHash: hash) == contradicts)
    }
}
