/// Lengths, masks, reserved bits and opcodes (RFC 6455 §5.2, §5.3).
enum FramingCases {
    static let all = lengths + masks + badLengths + reservedBits + opcodes

    private static let sizes = [
        0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 4096, 65_534, 65_535, 65_536, 65_537, 131_072,
    ]

    private static let lengths = sizes.flatMap { size -> [ConformanceCase] in
        let text = [UInt8](repeating: UInt8(ascii: "*"), count: size)
        let binary = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let cases = [
            ConformanceCase("text of \(size)", [.text(text)], [.text(text)]),
            ConformanceCase("binary of \(size)", [.binary(binary)], [.binary(binary)]),
        ]
        return cases + (size < 300 ? cases.map { $0.chopped(1) } : cases.map { $0.chopped(997) })
    }

    private static let masks = [[0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [1, 2, 3, 4]].map { (key: [UInt8]) in
        ConformanceCase("the mask \(key)", [ClientFrame.text("masked").with { $0.mask = key }], [said("masked")])
    }

    private static let badLengths = [
        ConformanceCase("125 in two bytes", [sized(125) { $0.lengthForm = .twoBytes }], fails: 1002),
        ConformanceCase("0 in two bytes", [sized(0) { $0.lengthForm = .twoBytes }], fails: 1002),
        ConformanceCase("0 in eight bytes", [sized(0) { $0.lengthForm = .eightBytes }], fails: 1002),
        ConformanceCase("65,535 in eight bytes", [sized(65_535) { $0.lengthForm = .eightBytes }], fails: 1002),
        ConformanceCase("a length with its top bit set", [sized(0) { $0.claimedLength = 1 << 63 }], fails: 1002),
        ConformanceCase("a length of all ones", [sized(0) { $0.claimedLength = .max }], fails: 1002),
        ConformanceCase("more than a message may have", [sized(0) { $0.claimedLength = 1 << 40 }], fails: 1009),
        ConformanceCase("no mask", [ClientFrame.text("bare").with { $0.mask = nil }], fails: 1002),
        ConformanceCase("no mask on a ping", [ClientFrame.ping().with { $0.mask = nil }], fails: 1002),
        ConformanceCase("no mask, empty", [ClientFrame.text("").with { $0.mask = nil }], fails: 1002),
    ]

    private static let reservedBits = (1...7).flatMap { (bits: UInt8) -> [ConformanceCase] in
        func wrong(_ frame: ClientFrame) -> ClientFrame { frame.with { $0.reserved = bits } }
        return [
            ConformanceCase("reserved bits \(bits) of an empty text", [wrong(.text(""))], fails: 1002),
            ConformanceCase(
                "reserved bits \(bits) after a message", [.text("a"), wrong(.text("b")), .text("c")], [said("a")],
                fails: 1002),
            ConformanceCase("reserved bits \(bits) of binary", [wrong(.binary([0, 1]))], fails: 1002),
            ConformanceCase("reserved bits \(bits) of a ping", [wrong(.ping([1]))], fails: 1002),
            ConformanceCase("reserved bits \(bits) of a close", [wrong(.close(1000))], fails: 1002),
            ConformanceCase(
                "reserved bits \(bits) of a continuation", [.text("a").unfinished, wrong(.more("b"))], fails: 1002),
        ]
    }

    private static let opcodes = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap { (opcode: UInt8) -> [ConformanceCase] in
        let unknown = ClientFrame(opcode: opcode, payload: [])
        return [
            ConformanceCase("opcode \(opcode), empty", [unknown], fails: 1002),
            ConformanceCase("opcode \(opcode), with a payload", [unknown.with { $0.payload = [1, 2] }], fails: 1002),
            ConformanceCase(
                "opcode \(opcode) between messages", [.text("a"), unknown, .text("b"), .ping()], [said("a")],
                fails: 1002),
            ConformanceCase("opcode \(opcode) within a message", [.text("a").unfinished, unknown], fails: 1002),
            ConformanceCase("opcode \(opcode), to be continued", [unknown.unfinished], fails: 1002),
        ]
    }

    private static func sized(_ size: Int, _ change: (inout ClientFrame) -> Void) -> ClientFrame {
        ClientFrame.binary([UInt8](repeating: 0, count: size)).with(change)
    }

    static func said(_ text: String) -> ServerSaid { .text(Array(text.utf8)) }
}
