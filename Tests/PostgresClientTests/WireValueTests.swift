import Testing

@testable import PostgresClient

@Suite("Values on the wire, without a server")
struct WireValueTests {
    @Test("malformed cells of every type read as nothing, and never trap")
    func malformedCells() {
        var random = SystemRandomNumberGenerator()
        let types: [PGType] = [
            .bool, .bytea, .int2, .int4, .int8, .oid, .text, .jsonb, .uuid, .float4, .float8, .timestamptz, .boolArray,
            .byteaArray, .int8Array, .textArray, PGType(rawValue: 99_999),
        ]
        for length in 0..<64 {
            for type in types {
                var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
                // One dimension and a small count, so that the reader gets past the header.
                if length >= 16 {
                    bytes.replaceSubrange(0..<16, with: [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 25, 0, 0, 0, 3])
                }
                let cell = bytes[...]
                _ = CellReader.text(cell, type)
                _ = CellReader.double(cell, type)
                _ = CellReader.milliseconds(cell, type)
                _ = CellReader.array(cell, type, CellReader.text)
                #expect(CellReader.int(cell, type) == nil || [.int2, .int4, .int8, .oid].contains(type))
                #expect(CellReader.bool(cell, type) == nil || length == 1)
            }
        }
    }

    @Test("an array cut short anywhere reads as nothing")
    func truncatedArray() {
        var encoder = ParameterEncoder()
        encoder.encode([.textArray(["ab", nil, ""])])
        let whole = encoder.bytes[...]
        #expect(CellReader.array(whole, .textArray, CellReader.text) == ["ab", nil, ""])
        for length in 0..<whole.count {
            #expect(CellReader.array(whole.prefix(length), .textArray, CellReader.text) == nil)
        }
    }

    @Test("parameters are laid out as Postgres reads them")
    func layout() {
        var encoder = ParameterEncoder()
        encoder.encode([.int(1), .null, .text(""), .bool(true), .intArray([])])
        #expect(encoder.offsets == [0, -1, 8, 8, 9])
        #expect(encoder.lengths == [8, 0, 0, 1, 12])
        #expect(encoder.bytes == [0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20])
    }

    @Test("the least recently used statement goes first, and an unconfirmed one is not relied on")
    func statementCache() throws {
        var cache = StatementCache(capacity: 2)
        let keys = (1...3).map { StatementCache.Key(text: "\($0)", types: []) }
        for key in keys.prefix(2) {
            guard case .prepareFirst = cache.plan(key) else { return #expect(Bool(false), "must be prepared first") }
            guard case .unnamed = cache.plan(key) else { return #expect(Bool(false), "not confirmed yet") }
            cache.confirm(key)
        }
        guard case .prepared = cache.plan(keys[0]) else { return #expect(Bool(false), "is prepared") }
        #expect(cache.evict() == nil)
        _ = cache.plan(keys[2])
        #expect(cache.evict() == "s2")
        #expect(cache.count == 2)
        cache.forget(keys[0])
        guard case .prepareFirst = cache.plan(keys[0]) else { return #expect(Bool(false), "was forgotten") }
    }
}

@Suite("Connection parameters")
struct ConnectionParametersTests {
    @Test("session parameters travel as escaped options after those of the DSN")
    func options() throws {
        var configuration = PGConfiguration(dsn: "postgresql://u@h/d?options=-c%20geqo%3Doff&application_name=mine")
        configuration.sessionParameters = ["search_path": "a, \"b\\\""]
        configuration.statementTimeout = .milliseconds(1500)
        let values = try ConnectionParameters(configuration).values
        #expect(values["options"] == "-c geqo=off -c search_path=a,\\ \"b\\\\\" -c statement_timeout=1500")
        #expect(values["application_name"] == "mine")
        #expect(values["client_encoding"] == "UTF8")
        configuration.namedStatements = false
        #expect(try ConnectionParameters(configuration).values["options"] == "-c geqo=off")
    }

    @Test("each host keeps its name for TLS and gets an address with its port")
    func hosts() async throws {
        let configuration = PGConfiguration(dsn: "host=127.0.0.1,/run/postgresql,127.0.0.2 port=1,2,3")
        let values = try await ConnectionParameters(configuration).resolved().values
        #expect(values["host"] == "127.0.0.1,/run/postgresql,127.0.0.2")
        #expect(values["hostaddr"] == "127.0.0.1,,127.0.0.2")
        #expect(values["port"] == "1,2,3")
    }
}
