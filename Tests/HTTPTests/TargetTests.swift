import Testing

@testable import HTTP

@Suite("Escapes in paths and queries")
struct TargetTests {
    @Test(
        "stand for UTF-8 text",
        arguments: [
            ("", ""), ("abc", "abc"), ("a%20b", "a b"), ("%41%62", "Ab"), ("%c3%A9", "é"), ("a+b", "a+b"),
        ])
    func decodes(text: String, expected: String) {
        #expect(PercentCoding.decode(text.utf8) == expected)
    }

    @Test("are refused when bad", arguments: ["%", "%4", "%zz", "%4z", "%c3", "%ff", "%00", "%ed%a0%80", "%c0%af"])
    func refuses(text: String) {
        #expect(PercentCoding.decode(text.utf8) == nil)
    }

    @Test("make a query's parameters")
    func query() throws {
        let query = try QueryItems(Array("a=1&b=two+words&a=%33&&flag&=x&e=a=b".utf8), limit: 10)
        #expect(query["a"] == "1")
        #expect(query.all("a") == ["1", "3"])
        #expect(query["b"] == "two words")
        #expect(query["flag"] == "")
        #expect(query[""] == "x")
        #expect(query["e"] == "a=b")
        #expect(query["B"] == nil)
    }

    @Test("bound the number of parameters", arguments: [(3, true), (4, false)])
    func limit(count: Int, isFine: Bool) {
        let text = (0..<count).map { "p\($0)" }.joined(separator: "&")
        #expect((try? QueryItems(Array(text.utf8), limit: 3)) == nil ? !isFine : isFine)
    }

    @Test("of a bad query are 400", arguments: ["a=%ff", "%c3=1", "a=%00"])
    func badQuery(text: String) {
        #expect(throws: HTTPError.self) { try QueryItems(Array(text.utf8), limit: 3) }
    }
}
