/// The closing handshake (RFC 6455 §5.5.1, §7).
enum CloseCases {
    static let all = good + bad

    private static let good: [ConformanceCase] =
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999].map {
            (code: UInt16) in
            ConformanceCase("close \(code)", [.close(code, Array("done".utf8))], fails: code)
        } + [
            ConformanceCase("a close without a reason", [.close(1000)], fails: 1000),
            ConformanceCase("a close without a reason, cut", [.close(1000)], fails: 1000).chopped(1),
            ConformanceCase(
                "the longest reason", [.close(1000, [UInt8](repeating: UInt8(ascii: "x"), count: 123))], fails: 1000),
            ConformanceCase("a reason beyond ASCII", [.close(1000, Array("κόσμε €𐍈".utf8))], fails: 1000),
            ConformanceCase(
                "messages, then a close", [.text("a"), .close(1000)], [FramingCases.said("a")], fails: 1000),
            ConformanceCase("a message after the close", [.close(1000), .text("a")], fails: 1000),
            ConformanceCase("a ping after the close", [.close(1000), .ping()], fails: 1000),
            ConformanceCase(
                "nonsense after the close", [.close(1000), ClientFrame(opcode: 15, payload: [])], fails: 1000),
            ConformanceCase("two closes", [.close(1000), .close(1001)], fails: 1000),
        ]

    private static let bad: [ConformanceCase] =
        [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map { (code: UInt16) in
            ConformanceCase("close \(code), which may not be sent", [.close(code)], fails: 1002)
        } + [
            ConformanceCase("half a code", [ClientFrame.emptyClose.with { $0.payload = [3] }], fails: 1002),
            ConformanceCase(
                "a reason that is too long", [.close(1000, [UInt8](repeating: 120, count: 124))], fails: 1002),
            ConformanceCase("a close to be continued", [ClientFrame.close(1000).unfinished], fails: 1002),
            ConformanceCase("a reason that is not UTF-8", [.close(1000, [0xCE, 0xBA, 0xED, 0xA0, 0x80])], fails: 1007),
            ConformanceCase("a reason cut within a character", [.close(1000, [0xCE])], fails: 1007),
            ConformanceCase("a bad code with a reason", [.close(1005, Array("x".utf8))], fails: 1002),
        ]
}
