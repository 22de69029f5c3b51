/// UTF-8 in text messages (RFC 6455 §8.1, RFC 3629): what is right comes back however it is cut; what is wrong ends the
/// connection with 1007 as soon as it can be known.
enum TextCases {
    static let all = right + wrong + early

    static let good: [(name: String, bytes: [UInt8])] = [
        ("ASCII", Array("Hello".utf8)), ("Latin, ß and µ", Array("Hello-µ@ßöäüàá-UTF-8!!".utf8)),
        ("Greek", Array("κόσμε".utf8)), ("beyond the plane", Array("𐍈 and 😀 and 👩‍👩‍👧".utf8)),
        ("combining marks", Array("e\u{301}\u{302}".utf8)), ("U+0000", [0]), ("U+007F", [0x7F]),
        ("U+0080", [0xC2, 0x80]),
        ("U+07FF", [0xDF, 0xBF]), ("U+0800", [0xE0, 0xA0, 0x80]), ("U+D7FF", [0xED, 0x9F, 0xBF]),
        ("U+E000", [0xEE, 0x80, 0x80]), ("U+FFFD", [0xEF, 0xBF, 0xBD]), ("U+FFFE", [0xEF, 0xBF, 0xBE]),
        ("U+FFFF", [0xEF, 0xBF, 0xBF]), ("U+10000", [0xF0, 0x90, 0x80, 0x80]), ("U+1FFFE", [0xF0, 0x9F, 0xBF, 0xBE]),
        ("U+10FFFF", [0xF4, 0x8F, 0xBF, 0xBF]), ("a byte order mark", [0xEF, 0xBB, 0xBF, 0x61]),
    ]

    static let bad: [(name: String, bytes: [UInt8])] =
        [UInt8](0xF5...0xFF).map { ("the byte \($0), never part of UTF-8", [$0]) }
        + [
            ("a lone continuation 80", [0x80]), ("a lone continuation BF", [0xBF]),
            ("continuations", [0x80, 0xBF, 0x80]), ("a second continuation", [0xC3, 0xA9, 0x80]),
            ("C3 and a space", [0xC3, 0x20]), ("E1 and a space", [0xE1, 0x20]),
            ("E1 80 and a space", [0xE1, 0x80, 0x20]),
            ("F1 and a space", [0xF1, 0x20]), ("F1 80 80 and a space", [0xF1, 0x80, 0x80, 0x20]),
            ("an overlong slash of 2", [0xC0, 0xAF]), ("an overlong slash of 3", [0xE0, 0x80, 0xAF]),
            ("an overlong slash of 4", [0xF0, 0x80, 0x80, 0xAF]), ("an overlong NUL", [0xC0, 0x80]),
            ("an overlong U+007F", [0xC1, 0xBF]), ("an overlong U+07FF", [0xE0, 0x9F, 0xBF]),
            ("an overlong U+FFFF", [0xF0, 0x8F, 0xBF, 0xBF]), ("five bytes", [0xF8, 0x88, 0x80, 0x80, 0x80]),
            ("six bytes", [0xFC, 0x84, 0x80, 0x80, 0x80, 0x80]), ("U+D800", [0xED, 0xA0, 0x80]),
            ("U+DB7F", [0xED, 0xAD, 0xBF]), ("U+DFFF", [0xED, 0xBF, 0xBF]),
            ("a pair of surrogates", [0xED, 0xA0, 0x80, 0xED, 0xB0, 0x80]), ("U+110000", [0xF4, 0x90, 0x80, 0x80]),
            ("bad after good", Array("κόσμε".utf8) + [0xED, 0xA0, 0x80] + Array("edited".utf8)),
        ]

    private static let right = good.flatMap { name, bytes -> [ConformanceCase] in
        let whole = ConformanceCase(name, [.text(bytes)], [.text(bytes)])
        let pieces = ConformanceCase("\(name), a fragment for each byte", singles(bytes), [.text(bytes)])
        let cuts = bytes.indices.dropFirst().map { cut in
            ConformanceCase(
                "\(name), cut before byte \(cut)",
                [ClientFrame.text(Array(bytes[..<cut])).unfinished, .more(Array(bytes[cut...]))], [.text(bytes)])
        }
        return [whole, whole.chopped(1), pieces] + (bytes.count <= 6 ? cuts : [])
    }

    private static let wrong =
        bad.flatMap { name, bytes -> [ConformanceCase] in
            let whole = ConformanceCase(name, [.text(bytes)], fails: 1007)
            return [
                whole, whole.chopped(1),
                ConformanceCase("\(name), a fragment for each byte", singles(bytes), fails: 1007),
                ConformanceCase(
                    "\(name), between messages", [.text("a"), .text(bytes), .text("b")], [FramingCases.said("a")],
                    fails: 1007),
            ]
        }
        + [[0xC3], [0xE1], [0xE1, 0x80], [0xF1], [0xF1, 0x80], [0xF1, 0x80, 0x80]].map { (bytes: [UInt8]) in
            ConformanceCase("a message that ends within \(bytes)", [.text(bytes)], fails: 1007)
        }
        + [
            ConformanceCase("binary need not be text", [.binary([0xFF, 0xFE])], [.binary([0xFF, 0xFE])]),
            ConformanceCase("a ping need not be text", [.ping([0xFF, 0xFE])], [.pong([0xFF, 0xFE])]),
        ]

    /// The rest of the frame, or of the message, is never sent: the server must not wait for it.
    private static let early = bad.flatMap { name, bytes -> [ConformanceCase] in
        let begun = Array("begun ".utf8) + bytes
        return [
            ConformanceCase(
                "\(name), in a frame that does not end", [ClientFrame.text(begun).with { $0.claimedLength = 1000 }],
                fails: 1007),
            ConformanceCase(
                "\(name), in a message that does not end", [ClientFrame.text(begun).unfinished], fails: 1007),
        ]
    }

    private static func singles(_ bytes: [UInt8]) -> [ClientFrame] {
        bytes.enumerated().map { place, byte in
            let frame = place == 0 ? ClientFrame.text([byte]) : .more([byte])
            return place == bytes.count - 1 ? frame : frame.unfinished
        }
    }
}
