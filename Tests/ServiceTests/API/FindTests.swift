import Contracts
import Domain
import PostgresClient
import Storage
import TestSupport
import Testing

@testable import aragora_api

@Suite("What the page finds and operates", .needsPostgres, .timeLimit(.minutes(2)))
struct FindTests {
    @Test("pages by cursor have every debate once, also while others are created, and count nothing")
    func cursor() async throws {
        try await APIFixture.with(["ARAGORA_RATE_LIMIT": "0"]) { api in
            var made: [String] = []
            for number in 1...7 { made.append(try await api.create("Question number \(number)?")) }
            // Several of one millisecond: the id decides between them.
            _ = try await api.pool.execute("UPDATE debates SET created_at = '2026-01-02T03:04:05.678Z'")
            var seen: [String] = []
            var cursor = "start"
            for _ in 1...4 {
                let page = try await api.get("/api/debates?limit=2&cursor=\(cursor)").json
                seen += page["debates"]?.array?.compactMap { $0["id"]?.string } ?? []
                #expect(page["total"] == .null && page["offset"]?.int == 0)
                #expect(page["has_more"]?.bool == (page["next_cursor"]?.string != nil))
                if cursor == "start" { _ = try await api.create("Created while somebody reads?") }
                guard let next = page["next_cursor"]?.string else { break }
                cursor = next
            }
            #expect(seen == made.sorted().reversed())
            #expect(try await api.get("/api/debates?limit=2").json["total"]?.int == 8)
        }
    }

    @Test(
        "a cursor that is none is refused, and so is an offset with one",
        arguments: [
            ("cursor=x", "cursor"), ("cursor=1.2.3", "cursor"), ("cursor=-1.dbt_01m7zh5ke0pk1gkg33jrzmeffj", "cursor"),
            ("cursor=99999999999999999.dbt_01m7zh5ke0pk1gkg33jrzmeffj", "cursor"),
            ("cursor=1767323045678.dbt_01m7zh5ke0pk1gkg33jrzmeffj&offset=1", "offset"),
        ])
    func refused(query: String, field: String) async throws {
        try await APIFixture.with { api in
            let answer = try await api.get("/api/debates?\(query)")
            #expect(answer.status == 400 && answer.fields == [field])
        }
    }

    @Test("a list is asked for one tag")
    func tag() async throws {
        try await APIFixture.with { api in
            let id = try await api.create("Which tag has this one?")
            _ = try await api.create("Which one has none?")
            #expect(try await api.send("PATCH", "/api/debates/\(id)", #"{"tags":["shed"]}"#).status == 200)
            let found = try await api.get("/api/debates?tag=shed&cursor=start").json
            #expect(found["debates"]?.array?.compactMap { $0["id"]?.string } == [id])
            #expect(try await api.get("/api/debates?tag=other").json["total"]?.int == 0)
        }
    }

    @Test("backups are shown to administrators, with the newest that was restored once")
    func backups() async throws {
        try await APIFixture.with { api in
            #expect(try await api.get("/api/backups").json["last_verified"] == .null)
            let store = BackupStore(pool: api.pool)
            try await store.begin(id: "bkp_1", file: "aragora-1.sql.gz", generation: 1)
            try await store.verified(
                id: "bkp_1", sizeBytes: 1024, checksum: "ab", rowCounts: #"{"debates": 2, "receipts": 3}"#)
            _ = try await api.pool.execute("UPDATE backups SET started_at = now() - interval '1 hour'")
            try await store.begin(id: "bkp_2", file: "aragora-2.sql.gz", generation: 1)
            try await store.failed(id: "bkp_2", reason: "killed")
            let found = try await api.get("/api/backups").json
            #expect(found["backups"]?.array?.compactMap { $0["id"]?.string } == ["bkp_2", "bkp_1"])
            #expect(found["backups"]?.array?.first?["error"]?.string == "killed")
            #expect(found["last_verified"]?["id"]?.string == "bkp_1" && found["last_verified"]?["rows"]?.int == 5)
            #expect((3600...3700).contains(found["last_verified_age_seconds"]?.int ?? 0))
            #expect(try await api.get("/api/backups", token: APIFixture.signedToken("")).status == 403)
        }
    }
}
