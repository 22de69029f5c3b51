import Testing

@testable import HTTP

@Suite("A chunked body")
struct ChunkedDecoderTests {
    enum Outcome: Equatable {
        case body(String, used: Int)
        case more
        case refused(Int)
    }

    static func decode(_ text: String, cutInto size: Int = .max, bodyLimit: Int = 64) -> Outcome {
        let bytes = Array(text.utf8)
        var limits = HTTPLimits()
        limits.chunkExtensionBytes = 16
        limits.trailerBytes = 32
        var decoder = ChunkedDecoder(limits: limits, bodyLimit: bodyLimit)
        var (body, used): ([UInt8], Int) = ([], 0)
        do throws(HTTPError) {
            while used < bytes.count, !decoder.isFinished {
                let end = min(bytes.count, used + min(size, bytes.count))
                let fed = bytes[used..<end]
                used += try decoder.decode(fed.span, into: &body)
            }
        } catch {
            return .refused(error.status.code)
        }
        return decoder.isFinished ? .body(String(decoding: body, as: UTF8.self), used: used) : .more
    }

    static let table: [(String, Outcome)] = [
        ("5\r\nhello\r\n0\r\n\r\n", .body("hello", used: 15)),
        ("5\r\nhello\r\n0\r\n\r\nGET /", .body("hello", used: 15)),
        ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", .body("hello world", used: 26)),
        ("00a\r\n0123456789\r\n000\r\n\r\n", .body("0123456789", used: 24)),
        ("A;x=y\r\n0123456789\r\n0;z=\"q\"\r\n\r\n", .body("0123456789", used: 30)),
        ("0\r\n\r\n", .body("", used: 5)),
        ("0\r\nX-Sum: 1\r\nY: 2\r\n\r\n", .body("", used: 21)),
        ("5\r\nhel", .more),
        ("0\r\n", .more),
        ("0x5\r\nhello\r\n0\r\n\r\n", .refused(400)),
        ("+5\r\nhello\r\n0\r\n\r\n", .refused(400)),
        (" 5\r\nhello\r\n0\r\n\r\n", .refused(400)),
        ("5 \r\nhello\r\n0\r\n\r\n", .refused(400)),
        ("5\nhello\r\n0\r\n\r\n", .refused(400)),
        ("5\r\nhello\n0\r\n\r\n", .refused(400)),
        ("5\r\nhelloX\r\n0\r\n\r\n", .refused(400)),
        ("5\r\nhello\rX", .refused(400)),
        ("\r\nhello", .refused(400)),
        (";x\r\n", .refused(400)),
        ("5;x\ny\r\nhello\r\n0\r\n\r\n", .refused(400)),
        ("5\rX", .refused(400)),
        ("0000000000000005\r\nhello", .refused(400)),
        ("ffffffffffffffff\r\n", .refused(400)),
        ("fffffffffffffff\r\n", .refused(413)),
        ("40\r\n\(String(repeating: "x", count: 64))\r\n0\r\n\r\n", .body(String(repeating: "x", count: 64), used: 75)),
        ("41\r\n", .refused(413)),
        ("40\r\n\(String(repeating: "x", count: 64))\r\n1\r\n", .refused(413)),
        ("0;\(String(repeating: "x", count: 16))\r\n\r\n", .body("", used: 22)),
        ("0;\(String(repeating: "x", count: 17))\r\n\r\n", .refused(400)),
        ("1;123456789\r\nx\r\n0;12345678\r\n\r\n", .refused(400)),
        ("0\r\nX:\(String(repeating: "x", count: 30))\r\n\r\n", .body("", used: 39)),
        ("0\r\nX:\(String(repeating: "x", count: 31))\r\n\r\n", .refused(431)),
        ("0\r\nno colon\r\n\r\n", .refused(400)),
        ("0\r\n: x\r\n\r\n", .refused(400)),
        ("0\r\nA b: x\r\n\r\n", .refused(400)),
        ("0\r\nContent-Length: 5\r\n\r\n", .refused(400)),
        ("0\r\nX: a\0\r\n\r\n", .refused(400)),
        ("0\r\nX: a\n\r\n", .refused(400)),
        ("0\r\n\rX", .refused(400)),
    ]

    @Test("is decoded or refused", arguments: table)
    func decodes(text: String, expected: Outcome) {
        #expect(Self.decode(text) == expected)
    }

    @Test("means the same however it is cut into pieces", arguments: table)
    func split(text: String, expected: Outcome) {
        for size in [1, 2, 3, 5] { #expect(Self.decode(text, cutInto: size) == expected) }
    }
}
