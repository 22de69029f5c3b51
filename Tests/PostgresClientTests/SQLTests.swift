import PostgresClient
import Testing

private struct Name: PGEncodable {
    let text: String
    var pgValue: PGValue { .text(text) }
    static var pgNull: PGNull { .text }
}

@Suite("SQL by interpolation")
struct SQLTests {
    @Test("every value becomes a numbered parameter and never enters the text")
    func binds() {
        let id = "'; DROP TABLE debates; --"
        let missing: Int? = nil
        let sql: SQL =
            "SELECT \(raw: "a, b") FROM t WHERE id = \(id) AND n > \(7) AND m = \(missing) AND o = \(Name(text: "x"))"
        #expect(sql.text == "SELECT a, b FROM t WHERE id = $1 AND n > $2 AND m = $3 AND o = $4")
        #expect(sql.binds == [.text(id), .int(7), .null, .text("x")])
    }

    @Test("a fragment's parameters are renumbered after those before it")
    func fragments() {
        let filter: SQL = "a = \("x") AND b = \(2)"
        let sql: SQL = "SELECT 1 WHERE z = \(true) AND (\(filter)) AND c = \(filter)"
        #expect(sql.text == "SELECT 1 WHERE z = $1 AND (a = $2 AND b = $3) AND c = a = $4 AND b = $5")
        #expect(sql.binds == [.bool(true), .text("x"), .int(2), .text("x"), .int(2)])
    }

    @Test("a fragment with more than nine parameters keeps their order")
    func longFragment() {
        var filter: SQL = "x = \(0)"
        for number in 1...11 { filter = "\(filter) OR x = \(number)" }
        let sql: SQL = "\(-1), \(filter)"
        #expect(sql.text.hasSuffix("x = $12 OR x = $13"))
        #expect(sql.binds.last == .int(11))
    }
}
