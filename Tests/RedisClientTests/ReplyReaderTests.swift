import RedisClient
import Testing

@Suite("RESP replies")
struct ReplyReaderTests {
    /// Everything that comes out, and the error that ended it.
    static func read(_ pieces: [[UInt8]], maxReplyBytes: Int = ReplyReader.maxReplyBytes) -> (
        replies: [RedisReply], error: RedisError?
    ) {
        var replies: [RedisReply] = []
        do throws(RedisError) {
            var reader = try ReplyReader(maxReplyBytes: maxReplyBytes)
            for piece in pieces {
                try reader.feed(piece[...])
                while let reply = try reader.next() { replies.append(reply) }
            }
            return (replies, nil)
        } catch {
            return (replies, error)
        }
    }

    static func read(_ text: String) -> (replies: [RedisReply], error: RedisError?) { read([Array(text.utf8)]) }

    @Test(
        "reads each kind of reply",
        arguments: [
            ("+OK\r\n", RedisReply.status("OK")), ("-ERR no\r\n", .error("ERR no")), (":-42\r\n", .integer(-42)),
            (":9223372036854775807\r\n", .integer(.max)), ("$3\r\na\r\n\r\n", .string([0x61, 0x0D, 0x0A])),
            ("$0\r\n\r\n", .string([])),
            ("$-1\r\n", .null), ("*-1\r\n", .null), ("*0\r\n", .array([])),
            ("*2\r\n*1\r\n:1\r\n$-1\r\n", .array([.array([.integer(1)]), .null])),
        ] as [(String, RedisReply)])
    func kinds(text: String, reply: RedisReply) {
        let result = Self.read(text)
        #expect(result.replies == [reply])
        #expect(result.error == nil)
    }

    @Test(
        "refuses what is not RESP",
        arguments: [
            "HTTP/1.1 400 Bad Request\r\n", "!1\r\n", "$x\r\n", ":1a\r\n", "*1\r\nx\r\n", "$-2\r\n", "*-2\r\n",
            "*99999999999\r\n",
            "*1048577\r\n:1\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
        ])
    func refuses(text: String) {
        let result = Self.read(text)
        #expect(result.replies.isEmpty)
        #expect(result.error?.code == .protocolViolation)
    }

    @Test("refuses a reply over the limit, and takes one at it")
    func limit() {
        func bulk(_ count: Int) -> [[UInt8]] {
            let bytes = Array("$\(count)\r\n".utf8) + [UInt8](repeating: 7, count: count) + [0x0D, 0x0A]
            return bytes.map { [$0] }
        }
        let header = "$1000\r\n".utf8.count + 2
        #expect(Self.read(bulk(1000), maxReplyBytes: 1000 + header).replies.count == 1)
        #expect(Self.read(bulk(1000), maxReplyBytes: 1000 + header - 1).error?.code == .protocolViolation)
        // Many replies may come to more than the limit of one.
        let many = (0..<100).map { _ in Array(bulk(1000).joined()) }
        #expect(Self.read(many, maxReplyBytes: 1000 + header).replies.count == 100)
    }

    @Test("reads the same, however the bytes are split")
    func splits() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let replies = (0..<Int.random(in: 1...6)).map { _ in Self.randomReply(depth: 0, using: &random) }
            let bytes = replies.flatMap(Self.encode)
            #expect(Self.read([bytes]).replies == replies)
            var pieces: [[UInt8]] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                pieces.append(Array(rest.prefix(Int.random(in: 1...9))))
                rest = rest.dropFirst(pieces.last!.count)
            }
            #expect(Self.read(pieces).replies == replies)
        }
    }

    private static func randomReply(depth: Int, using random: inout SystemRandomNumberGenerator) -> RedisReply {
        switch Int.random(in: 0..<(depth < 4 ? 6 : 5), using: &random) {
        case 0: .string((0..<Int.random(in: 0...40)).map { _ in UInt8.random(in: 0...255) })
        case 1: .integer(Int64.random(in: Int64.min...Int64.max))
        case 2: .null
        case 3: .status("OK \(Int.random(in: 0...9))")
        case 4: .error("ERR \(Int.random(in: 0...9))")
        default: .array((0..<Int.random(in: 0...5)).map { _ in randomReply(depth: depth + 1, using: &random) })
        }
    }

    private static func encode(_ reply: RedisReply) -> [UInt8] {
        switch reply {
        case .string(let bytes): Array("$\(bytes.count)\r\n".utf8) + bytes + [0x0D, 0x0A]
        case .integer(let value): Array(":\(value)\r\n".utf8)
        case .null: Array("$-1\r\n".utf8)
        case .status(let text): Array("+\(text)\r\n".utf8)
        case .error(let text): Array("-\(text)\r\n".utf8)
        case .array(let items): Array("*\(items.count)\r\n".utf8) + items.flatMap(encode)
        }
    }
}
