import Testing

@testable import Platform

@Suite("RollingCounts")
struct RollingCountsTests {
    private static let second: Int64 = 1_000_000_000

    @Test("forget a slot as soon as the window has passed it")
    func forgets() {
        var counts = RollingCounts(slot: .seconds(1), count: 3)
        counts.add(.init(all: 5, failed: 2, slow: 1), at: 10 * Self.second)
        counts.add(.init(all: 1), at: 12 * Self.second)
        #expect(counts.sum(at: 12 * Self.second + 999_999_999) == .init(all: 6, failed: 2, slow: 1))
        #expect(counts.sum(at: 13 * Self.second) == .init(all: 1))
        #expect(counts.sum(at: 15 * Self.second) == .init())
        #expect(counts.sum(at: 900 * Self.second) == .init())
    }

    @Test("begin a slot anew when the ring comes round to it")
    func comesRound() {
        var counts = RollingCounts(slot: .seconds(1), count: 3)
        counts.add(.init(all: 7), at: 10 * Self.second)
        counts.add(.init(all: 1), at: 13 * Self.second)
        #expect(counts.sum(at: 13 * Self.second) == .init(all: 1))
    }

    @Test("leave out the slot that is not finished, when asked")
    func whole() {
        var counts = RollingCounts(slot: .seconds(1), count: 11)
        for second in 0..<30 { counts.add(.init(all: second), at: Int64(second) * Self.second) }
        #expect(counts.sum(at: 29 * Self.second, whole: true).all == (19...28).reduce(0, +))
    }
}
