/// Fragments, pings and pongs (RFC 6455 §5.4, §5.5).
enum MessageCases {
    static let all = pings + fragments + brokenFragments + many

    private static let pings: [ConformanceCase] =
        [0, 1, 5, 124, 125].flatMap { (size: Int) -> [ConformanceCase] in
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: 255 - $0) }
            let one = ConformanceCase("a ping of \(size)", [.ping(bytes)], [.pong(bytes)])
            return [one, one.chopped(1)]
        } + [
            ConformanceCase("a ping of 126", [.ping([UInt8](repeating: 1, count: 126))], fails: 1002),
            ConformanceCase(
                "a ping of 125 in two bytes",
                [ClientFrame.ping([UInt8](repeating: 1, count: 125)).with { $0.lengthForm = .twoBytes }], fails: 1002),
            ConformanceCase("a ping to be continued", [ClientFrame.ping([1]).unfinished], fails: 1002),
            ConformanceCase("a pong to be continued", [ClientFrame.pong([1]).unfinished], fails: 1002),
            ConformanceCase(
                "a ping in two frames", [ClientFrame.ping([1]).unfinished, .more([2])], fails: 1002),
            ConformanceCase("a pong that nobody asked for", [.pong(), .ping([7])], [.pong([7])]),
            ConformanceCase("a pong with a payload, and a message", [.pong([1, 2]), .text("a")], [said("a")]),
            ConformanceCase("a pong of 126", [.pong([UInt8](repeating: 1, count: 126))], fails: 1002),
            ConformanceCase(
                "ten pings at once", (0..<10).map { .ping([UInt8($0)]) }, (0..<10).map { .pong([UInt8($0)]) }),
            ConformanceCase(
                "ten pings, three bytes at a time", (0..<10).map { .ping([UInt8($0)]) },
                (0..<10).map { .pong([UInt8($0)]) }
            ).chopped(3),
        ]

    private static let fragments: [ConformanceCase] = [
        ConformanceCase("two fragments", [.text("one ").unfinished, .more("two")], [said("one two")]),
        ConformanceCase("two fragments, cut", [.text("one ").unfinished, .more("two")], [said("one two")]).chopped(1),
        ConformanceCase("binary in two", [.binary([1]).unfinished, .more([2])], [.binary([1, 2])]),
        ConformanceCase("three, all empty", [.text("").unfinished, .more("").unfinished, .more("")], [said("")]),
        ConformanceCase("an empty one first", [.text("").unfinished, .more("x")], [said("x")]),
        ConformanceCase("an empty one last", [.text("x").unfinished, .more("")], [said("x")]),
        ConformanceCase(
            "an empty one between", [.text("a").unfinished, .more("").unfinished, .more("b")], [said("ab")]),
        ConformanceCase(
            "a ping between", [.text("a").unfinished, .ping([9]), .more("b")], [.pong([9]), said("ab")]),
        ConformanceCase(
            "a ping between, cut", [.text("a").unfinished, .ping([9]), .more("b")], [.pong([9]), said("ab")]
        ).chopped(1),
        ConformanceCase(
            "pings and a pong between five",
            [
                .text("f1").unfinished, .more("f2").unfinished, .ping([1]), .more("f3").unfinished, .pong([3]),
                .more("f4").unfinished, .ping([2]), .more("f5"),
            ], [.pong([1]), .pong([2]), said("f1f2f3f4f5")]),
        ConformanceCase(
            "two fragmented messages", [.text("a").unfinished, .more("b"), .binary([1]).unfinished, .more([2])],
            [said("ab"), .binary([1, 2])]),
        ConformanceCase(
            "a close between", [.text("a").unfinished, .close(1000), .more("b")], [], fails: 1000),
    ]

    private static let brokenFragments: [ConformanceCase] = [
        ConformanceCase("a continuation of nothing", [.more("x")], fails: 1002),
        ConformanceCase("an unfinished continuation of nothing", [.more("x").unfinished], fails: 1002),
        ConformanceCase("an empty continuation of nothing", [.more("")], fails: 1002),
        ConformanceCase("a continuation after a message", [.text("a"), .more("b")], [said("a")], fails: 1002),
        ConformanceCase(
            "a continuation after a fragmented message", [.text("a").unfinished, .more("b"), .more("c").unfinished],
            [said("ab")], fails: 1002),
        ConformanceCase("text within text", [.text("a").unfinished, .text("b")], fails: 1002),
        ConformanceCase("binary within text", [.text("a").unfinished, .binary([1])], fails: 1002),
        ConformanceCase("text within binary", [.binary([1]).unfinished, .text("a")], fails: 1002),
        ConformanceCase(
            "an unfinished one within another", [.text("a").unfinished, .text("b").unfinished], fails: 1002),
        ConformanceCase(
            "a second one after a ping", [.text("a").unfinished, .ping(), .text("b")], [.pong([])], fails: 1002),
    ]

    /// 64 KiB in pieces of each size, and a message that grows past what one may have.
    private static let many: [ConformanceCase] =
        [64, 256, 1000, 4096, 65_535].map { (size: Int) -> ConformanceCase in
            let text = (0..<65_536).map { UInt8(ascii: "a") + UInt8($0 % 26) }
            var frames: [ClientFrame] = []
            for start in stride(from: 0, to: text.count, by: size) {
                let piece = Array(text[start..<min(text.count, start + size)])
                frames.append((start == 0 ? ClientFrame.text(piece) : .more(piece)).unfinished)
            }
            frames[frames.count - 1].isFinal = true
            return ConformanceCase("64 KiB in fragments of \(size)", frames, [.text(text)])
        } + [
            ConformanceCase(
                "fragments that together are too long",
                (0..<9).map { ($0 == 0 ? ClientFrame.binary(tooMuch) : .more(tooMuch)).unfinished }, fails: 1009),
            ConformanceCase("exactly as long as a message may be", [.binary(most)], [.binary(most)]),
        ]

    private static let tooMuch = [UInt8](repeating: 1, count: ConformanceTests.messageBytes / 8)
    private static let most = [UInt8](repeating: 2, count: ConformanceTests.messageBytes)

    private static func said(_ text: String) -> ServerSaid { FramingCases.said(text) }
}
