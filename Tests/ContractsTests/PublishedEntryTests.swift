import Contracts
import TestSupport
import Testing

@Suite("Entries and jobs in Redis")
struct PublishedEntryTests {
    let entry = PublishedEntry(
        kind: .event, seq: 0x0102_0304_0506_0708, epoch: 3, hash: Array(0..<32), prevHash: Array(32..<64),
        envelope: Array(#"{"v":1}"#.utf8))

    @Test("an entry has the bytes of the golden sample and reads back")
    func golden() throws {
        let hex = entry.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        #expect(Array(hex.utf8) == (try Golden.bytes("published_entry.hex")))
        #expect(entry.bytes.count == PublishedEntry.headerLength + 7)
        #expect(try PublishedEntry(decoding: entry.bytes) == entry)
    }

    @Test("a cut header, another version, an unknown kind or a number past 2^63 is refused")
    func refuses() {
        for count in 0...82 {
            #expect(throws: ContractError.self) { try PublishedEntry(decoding: Array(entry.bytes[..<count])) }
        }
        for (offset, value) in [(0, 2), (0, 0), (1, 0), (1, 4), (2, 0x80), (10, 0xFF)] as [(Int, UInt8)] {
            var bytes = entry.bytes
            bytes[offset] = value
            #expect(throws: ContractError.self) { try PublishedEntry(decoding: bytes) }
        }
    }

    @Test("a job reads back from its fields, whatever else is there")
    func job() throws {
        let job = JobMessage(kind: .debate, id: "dbt_x", trace: "00ff", body: Array("{}".utf8))
        #expect(job.fields.map(\.name) == ["v", "kind", "id", "trace", "body"])
        #expect(try JobMessage(fields: job.fields + [("later", [1])]) == job)
    }

    @Test("a job's body is taken at its limit and not one byte more")
    func jobBody() throws {
        let job = { JobMessage(kind: .debate, id: "x", body: [UInt8](repeating: 0x20, count: $0)) }
        #expect(throws: Never.self) { try JobMessage(fields: job(JobMessage.maximumBodyBytes).fields) }
        #expect(throws: ContractError.self) { try JobMessage(fields: job(JobMessage.maximumBodyBytes + 1).fields) }
    }

    @Test(
        "a job without a field it needs, of another version or kind is refused",
        arguments: [
            [], [("v", "1")], [("v", "1"), ("kind", "debate")], [("v", "2"), ("kind", "debate"), ("id", "x")],
            [("v", "1"), ("kind", "x"), ("id", "x")], [("v", "1"), ("kind", "debate"), ("id", "")],
            [("v", "1"), ("kind", "debate"), ("id", String(repeating: "x", count: 65))],
        ])
    func badJobs(fields: [(String, String)]) {
        #expect(throws: ContractError.self) {
            try JobMessage(fields: fields.map { (name: $0.0, value: Array($0.1.utf8)) })
        }
    }
}
