import Compression

/// permessage-deflate (RFC 7692): what may be compressed, how it may be cut, and what must be refused.
enum DeflateCases {
    static let all =
        (examples + sizes + rules + damaged).map { $0.offering() }
        + [ConformanceCase("compressed without leave", [ClientFrame.text(hello).compressed], fails: 1002)]

    /// The offers of §7.1 and §5.1, and what this server may answer.
    static let negotiations: [(offer: String, isAgreed: Bool)] =
        [
            ("permessage-deflate", true), ("permessage-deflate; client_max_window_bits", true),
            ("permessage-deflate; client_no_context_takeover", true),
            ("permessage-deflate; server_no_context_takeover", true),
            (
                "permessage-deflate; client_no_context_takeover; server_no_context_takeover; client_max_window_bits=9",
                true
            ),
            ("PERMESSAGE-DEFLATE", true), ("permessage-deflate;client_max_window_bits=\"12\"", true),
            ("permessage-deflate, permessage-deflate; client_max_window_bits", true),
            ("x-unknown, permessage-deflate", true),
            ("permessage-deflate; nonsense, permessage-deflate", true), ("permessage-bzip2", false),
            ("x-webkit-deflate-frame", false),
            ("permessage-deflate; nonsense", false), ("permessage-deflate; server_max_window_bits", false),
            ("permessage-deflate; client_max_window_bits=7", false),
            ("permessage-deflate; client_max_window_bits=16", false),
            ("permessage-deflate; server_max_window_bits=010", false),
            ("permessage-deflate; server_max_window_bits=x", false),
            ("permessage-deflate; server_no_context_takeover=true", false),
            ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", false),
            (";", false), ("=", false), (",,,", false),
        ] + (9...15).map { ("permessage-deflate; server_max_window_bits=\($0)", true) }

    private static let hello: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]

    /// §7.2.3, word for word.
    private static let examples: [ConformanceCase] = [
        ConformanceCase("one block", [ClientFrame.text(hello).compressed], [said("Hello")]),
        ConformanceCase("one block, cut", [ClientFrame.text(hello).compressed], [said("Hello")]).chopped(1),
        ConformanceCase(
            "two fragments", [ClientFrame.text(Array(hello[..<3])).compressed.unfinished, .more(Array(hello[3...]))],
            [said("Hello")]),
        ConformanceCase(
            "a block without compression",
            [ClientFrame.text([0, 5, 0, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0]).compressed], [said("Hello")]),
        ConformanceCase(
            "a block that says it is the last", [ClientFrame.text([0xF3, 0x48, 0xCD, 0xC9, 0xC9, 7, 0, 0]).compressed],
            [said("Hello")]),
        ConformanceCase(
            "two blocks", [ClientFrame.text([0xF2, 0x48, 5, 0, 0, 0, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 7, 0]).compressed],
            [said("Hello")]),
        ConformanceCase("an empty message", [ClientFrame.text([0]).compressed], [said("")]),
        ConformanceCase(
            "the window of the message before, which was given up",
            [ClientFrame.text(hello).compressed, ClientFrame.text([0xF2, 0, 0x11, 0, 0]).compressed], [said("Hello")],
            fails: 1007),
        ConformanceCase(
            "the same message twice", [ClientFrame.text(hello).compressed, ClientFrame.text(hello).compressed],
            [said("Hello"), said("Hello")]),
    ]

    private static let sizes = [1, 16, 64, 255, 256, 257, 1024, 4096, 65_535, 65_536, 131_072].flatMap {
        (size: Int) -> [ConformanceCase] in
        let text = (0..<size).map { UInt8(ascii: "a") + UInt8(($0 / 7) % 26) }
        let noise = noise(size)
        guard let packed = pack(text) else { return [] }
        return [
            ConformanceCase("compressible text of \(size)", [ClientFrame.text(packed).compressed], [.text(text)]),
            ConformanceCase("compressible text of \(size), cut", [ClientFrame.text(packed).compressed], [.text(text)])
                .chopped(max(1, packed.count / 50)),
            ConformanceCase("compressible text of \(size) in fragments", fragments(packed, of: 64), [.text(text)]),
            ConformanceCase("text of \(size), sent plain", [.text(text)], [.text(text)]),
            ConformanceCase("noise of \(size)", [.binary(noise)], [.binary(noise)]),
            ConformanceCase(
                "noise of \(size) in stored blocks", [ClientFrame.binary(stored(noise)).compressed], [.binary(noise)]),
        ]
    }

    private static let rules: [ConformanceCase] = [
        ConformanceCase(
            "plain and compressed messages in turn",
            [.text("a"), ClientFrame.text(hello).compressed, .binary([1]), ClientFrame.text(hello).compressed],
            [said("a"), said("Hello"), .binary([1]), said("Hello")]),
        ConformanceCase(
            "a ping within a compressed message",
            [ClientFrame.text(Array(hello[..<2])).compressed.unfinished, .ping([4]), .more(Array(hello[2...]))],
            [.pong([4]), said("Hello")]),
        ConformanceCase(
            "an empty fragment first", [ClientFrame.text([]).compressed.unfinished, .more(hello)], [said("Hello")]),
        ConformanceCase(
            "an empty fragment last", [ClientFrame.text(hello).compressed.unfinished, .more([])], [said("Hello")]),
        ConformanceCase("RSV1 on a ping", [ClientFrame.ping().compressed], fails: 1002),
        ConformanceCase("RSV1 on a pong", [ClientFrame.pong().compressed], fails: 1002),
        ConformanceCase("RSV1 on a close", [ClientFrame.close(1000).compressed], fails: 1002),
        ConformanceCase(
            "RSV1 on a continuation", [ClientFrame.text(hello).compressed.unfinished, ClientFrame.more([]).compressed],
            fails: 1002),
        ConformanceCase(
            "RSV1 on a continuation of plain text",
            [ClientFrame.text("a").unfinished, ClientFrame.more(hello).compressed],
            fails: 1002),
        ConformanceCase("RSV1 and RSV2", [ClientFrame.text(hello).with { $0.reserved = 6 }], fails: 1002),
        ConformanceCase("RSV3", [ClientFrame.text("a").with { $0.reserved = 1 }], fails: 1002),
    ]

    private static let damaged: [ConformanceCase] = [
        ConformanceCase("a block of a kind that is not", [ClientFrame.binary([7]).compressed], fails: 1007),
        ConformanceCase("noise", [ClientFrame.binary([0xFE, 0xDC, 0xBA, 0x98]).compressed], fails: 1007),
        ConformanceCase(
            "a stored block whose lengths disagree", [ClientFrame.binary([0, 5, 0, 5, 0, 1, 2, 3]).compressed],
            fails: 1007),
        ConformanceCase(
            "damage in a frame that does not end",
            [ClientFrame.binary([7, 7, 7]).compressed.with { $0.claimedLength = 5000 }], fails: 1007),
        ConformanceCase("what is not UTF-8, compressed", [ClientFrame.text(stored([0xFF])).compressed], fails: 1007),
        ConformanceCase("half a character, compressed", [ClientFrame.text(stored([0xC3])).compressed], fails: 1007),
        ConformanceCase(
            "a bomb", [ClientFrame.binary(bomb).compressed], fails: 1009),
        ConformanceCase("a bomb in fragments", fragments(bomb, of: 500), fails: 1009),
        // Nothing but what it inflates to is too long: no frame's head says so, before or after it.
        ConformanceCase(
            "a bomb in the last fragment", [ClientFrame.binary([]).compressed.unfinished, .more(bomb)], fails: 1009),
        ConformanceCase(
            "a bomb that does not end",
            [ClientFrame.binary(bomb).compressed.with { $0.claimedLength = UInt64(ConformanceTests.messageBytes) }],
            fails: 1009),
    ]

    /// Four times what a message may have, in a KB: still little enough to be said back where nobody minds.
    private static let bomb = pack([UInt8](repeating: 0, count: ConformanceTests.messageBytes * 4)) ?? []

    private static func pack(_ bytes: [UInt8]) -> [UInt8]? {
        (try? MessageDeflater(windowBits: 15))?.compress(bytes) ?? stored(bytes)
    }

    /// Stored blocks (RFC 1951 §3.2.4), and the empty one's first byte that a message ends with.
    private static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var blocks: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 65_535) {
            let part = bytes[start..<min(bytes.count, start + 65_535)]
            let (low, high) = (UInt8(part.count & 0xFF), UInt8(part.count >> 8))
            blocks += [0, low, high, ~low, ~high] + part
        }
        return blocks + [0]
    }

    static func noise(_ count: Int) -> [UInt8] {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state >> 24)
        }
    }

    private static func fragments(_ bytes: [UInt8], of size: Int) -> [ClientFrame] {
        var frames: [ClientFrame] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            let piece = Array(bytes[start..<min(bytes.count, start + size)])
            frames.append((start == 0 ? ClientFrame.text(piece).compressed : .more(piece)).unfinished)
        }
        if let last = frames.indices.last { frames[last].isFinal = true }
        return frames
    }

    private static func said(_ text: String) -> ServerSaid { FramingCases.said(text) }
}
