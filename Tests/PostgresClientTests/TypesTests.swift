import Platform
import PostgresClient
import Sockets
import TestSupport
import Testing

@Suite("Types, there and back", .needsPostgres)
struct TypesTests {
    @Test(
        "text keeps every character",
        arguments: ["", "a", "it's \"quoted\" \\ {a,b} NULL", "ünïcødé 漢字 🧪\u{10FFFF}", "line\nline\ttab\u{1}"])
    func text(value: String) async throws {
        try await TestDatabase.withSchema { pool, _ in
            let row = try await pool.query("SELECT \(value) AS v, \(value)::varchar AS w, \([value, value]) AS a")[0]
            #expect(try row.text("v") == value)
            #expect(try row.text("w") == value)
            #expect(try row.textArray("a") == [value, value])
        }
    }

    @Test("numbers keep their extremes")
    func numbers() async throws {
        try await TestDatabase.withSchema { pool, _ in
            for value in [Int64.min, -1, 0, 1, .max] {
                #expect(try await pool.query("SELECT \(value) AS v")[0].int64("v") == value)
            }
            for value in [-Double.infinity, -1.5, 0, 1e-308, 1.7976931348623157e308] {
                #expect(try await pool.query("SELECT \(value) AS v")[0].double("v") == value)
            }
            let row = try await pool.query(
                "SELECT (-7)::smallint AS s, (-8)::int AS i, 1.5::real AS r, \(Double.nan) AS n, 9::oid AS o")[0]
            #expect(try row.int("s") == -7)
            #expect(try row.int("i") == -8)
            #expect(try row.double("r") == 1.5)
            #expect(try row.double("n").isNaN)
            #expect(try row.int("o") == 9)
            #expect(try row.double("i") == -8)
        }
    }

    @Test("bytes, booleans, nulls, times, uuid and jsonb are read")
    func others() async throws {
        try await TestDatabase.withSchema { pool, _ in
            let bytes: [UInt8] = (0...255).map { $0 }
            let none: [UInt8]? = nil
            let row = try await pool.query(
                """
                SELECT \(bytes) AS b, \([UInt8]()) AS e, \(none) AS n, \(true) AS t, \(false) AS f,
                       '1999-12-31 23:59:59.9995Z'::timestamptz AS old, '2026-01-02 03:04:05.678Z'::timestamptz AS new,
                       'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS u, \("{\"a\": [1, null]}")::jsonb AS j
                """)[0]
            #expect(try row.bytes("b") == bytes)
            #expect(try row.bytes("e") == [])
            #expect(try row.optionalBytes("n") == nil)
            #expect(try row.isNull("n"))
            #expect(try row.bool("t") && !row.bool("f"))
            #expect(try row.milliseconds("old") == 946_684_799_999)
            #expect(try row.milliseconds("new") == 1_767_323_045_678)
            #expect(try row.text("u") == "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
            #expect(try row.text("j") == "{\"a\": [1, null]}")
        }
    }

    @Test("arrays keep nulls, quotes, commas and emptiness")
    func arrays() async throws {
        try await TestDatabase.withSchema { pool, _ in
            let texts: [String?] = ["a", nil, "", "NULL", "{\"x\",y}", "ü🧪"]
            let ints: [Int64?] = [.min, nil, .max]
            let blobs: [[UInt8]?] = [[], nil, [0, 255]]
            let bools: [Bool?] = [true, nil, false]
            let row = try await pool.query(
                """
                SELECT \(texts) AS t, \(ints) AS i, \(blobs) AS b, \(bools) AS o, \([String]()) AS e,
                       ARRAY[1, 2]::int[] AS small, \([String]())::text[] = '{}' AS same
                """)[0]
            #expect(try row.nullableTextArray("t") == texts)
            #expect(try row.nullableIntArray("i") == ints)
            #expect(try row.nullableBytesArray("b") == blobs)
            #expect(try row.nullableBoolArray("o") == bools)
            #expect(try row.textArray("e") == [])
            #expect(try row.intArray("small") == [1, 2])
            #expect(try row.bool("same"))
            #expect(throws: PGError.self) { try row.textArray("t") }
        }
    }

    @Test("a wrong name, a null and a wrong type are errors that say which column")
    func decodingErrors() async throws {
        try await TestDatabase.withSchema { pool, _ in
            let none: String? = nil
            let row = try await pool.query("SELECT \(none) AS n, 1::numeric AS d, 'x' AS t")[0]
            for read in [{ try row.text("nope") }, { try row.text("n") }, { try row.text("d") }]
                as [() throws -> String]
            {
                let error = #expect(throws: PGError.self) { try read() }
                #expect(error?.code == .decoding)
            }
            let error = #expect(throws: PGError.self) { try row.int("t") }
            #expect(error?.message.contains("column t") == true)
        }
    }

    @Test(
        "a text with NUL is refused before it is sent, and the connection stays",
        arguments: [
            "SELECT \("a\0b")", "SELECT \(["ok", "\0"])", SQL(text: "SELECT 1 \0"),
        ])
    func refusesNUL(sql: SQL) async throws {
        try await TestDatabase.withSchema(poolSize: 1) { pool, _ in
            let pid = try await pool.query("SELECT pg_backend_pid() AS p")[0].int("p")
            let error = await #expect(throws: PGError.self) { try await pool.query(sql) }
            #expect(error?.code == .invalid)
            #expect(try await pool.query("SELECT pg_backend_pid() AS p")[0].int("p") == pid)
        }
    }
}
