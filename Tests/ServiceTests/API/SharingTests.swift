import Contracts
import Crypto
import Domain
import PostgresClient
import Storage
import TestSupport
import Testing

@testable import aragora_api

@Suite("Naming, deleting and showing debates", .needsPostgres, .timeLimit(.minutes(2)))
struct SharingTests {
    @Test("title, tags and metadata are stored, shown everywhere and found")
    func update() async throws {
        try await APIFixture.with { api in
            let id = try await api.create()
            let answer = try await api.send(
                "PATCH", "/api/v1/debates/\(id)",
                #"{"title":"  The big one ","tags":["db","db","q3"],"metadata":{"domain":"storage"}}"#)
            #expect(answer.status == 200)
            for body in [
                answer.json, try await api.get("/api/debates/\(id)").json,
                try #require(
                    try await api.get("/api/debates").json["debates"]?.array?.first),
            ] {
                #expect(body["title"]?.string == "The big one")
                #expect(body["tags"]?.array?.compactMap(\.string) == ["db", "q3"])
                #expect(body["task"]?.string == "Should we use Postgres?")
            }
            #expect(answer.json["metadata"]?["domain"]?.string == "storage")
            for query in ["query=big+one", "query=postgres&tag=q3", "q=postg&domain=storage"] {
                #expect(try await api.get("/api/v1/search?\(query)").json["total"]?.int == 1, "\(query)")
            }
            #expect(try await api.get("/api/v1/search?query=postgres&tag=none").json["total"]?.int == 0)
            let removed = try await api.send("PATCH", "/api/debates/\(id)", #"{"title":"","tags":[]}"#).json
            #expect(removed["title"]?.string == "Should we use Postgres?" && removed["tags"]?.array?.isEmpty == true)
        }
    }

    @Test(
        "what is wrong with a change is named",
        arguments: [
            (#"{}"#, "body"), (#"[]"#, "body"), (#"{"title":7}"#, "title"), (#"{"tags":"a"}"#, "tags"),
            (#"{"tags":[""]}"#, "tags[0]"), (#"{"tags":["a",7]}"#, "tags[1]"), (#"{"status":"running"}"#, "status"),
            (#"{"metadata":[]}"#, "metadata"),
            (#"{"title":"\#(String(repeating: "x", count: 501))"}"#, "title"),
            (#"{"tags":[\#(Array(repeating: "\"a\"", count: 21).joined(separator: ","))]}"#, "tags"),
        ])
    func refused(body: String, field: String) async throws {
        try await APIFixture.with { api in
            let id = try await api.create()
            let answer = try await api.send("PATCH", "/api/debates/\(id)", body)
            #expect(answer.status == 400 && answer.fields == [field], "\(answer.text)")
        }
    }

    @Test("a debate that is over can be archived, one that is not can not; pausing goes by PATCH too")
    func status() async throws {
        try await APIFixture.with { api in
            let id = try await api.create()
            func patch(_ status: String) async throws -> Answer {
                try await api.send("PATCH", "/api/debates/\(id)", #"{"status":"\#(status)"}"#)
            }
            #expect(try await patch("archived").code == "debate_not_finished")
            #expect(try await patch("paused").json["status"]?.string == "paused")
            #expect(try await patch("active").json["status"]?.string == "pending")
            #expect(try await api.send("POST", "/api/debates/\(id)/cancel").status == 200)
            #expect(try await patch("archived").json["archived"]?.bool == true)
            #expect(try await patch("concluded").status == 200)
            #expect(try await patch("active").json["archived"]?.bool == false)
            #expect(try await patch("paused").code == "debate_already_finished")
        }
    }

    @Test("a link shows the log of its debate, without what is the organization's, and does not count as opened")
    func sharedEvents() async throws {
        try await APIFixture.with { api in
            let id = try await api.create()
            let link = try #require(try await api.send("POST", "/api/debates/\(id)/share").json["token"]?.string)
            let shown = try await api.get("/api/v1/shared/\(link)/events", token: nil)
            let own = try await api.get("/api/debates/\(id)/events")
            #expect(shown.status == 200 && shown.text == own.text)
            #expect(
                try await api.get("/api/shared/\(link)/events?since=1", token: nil).json["events"]?.array?.isEmpty
                    == true)
            #expect(try await api.get("/api/shared/\(link)", token: nil).json["views"]?.int == 1)
            _ = try await api.send("POST", "/api/debates/\(id)/share/revoke")
            for token in [link, "none"] {
                #expect(try await api.get("/api/shared/\(token)/events", token: nil).code == "share_not_found")
            }
        }
    }

    @Test("a link that was revoked, has expired or whose debate was deleted is not in force")
    func inForce() async throws {
        try await APIFixture.with { api in
            let store = ShareStore(pool: api.pool)
            let debates = [try await api.create(), try await api.create("Another?")]
            func link(_ debate: String) async throws -> [UInt8] {
                let answer = try await api.send("POST", "/api/debates/\(debate)/share")
                return SHA256.hash(Array(try #require(answer.json["token"]?.string).utf8))
            }
            let kept = try await link(debates[0])
            let late = try await link(debates[0])
            let gone = try await link(debates[1])
            let never = SHA256.hash([1])
            #expect(try await store.inForce([kept, late, gone, never]) == [kept, late, gone])
            #expect(try await store.find(kept)?.debate.text == debates[0])
            _ = try await api.pool.query(
                "UPDATE debate_shares SET expires_at = now() - interval '1 second' WHERE token_hash = \(late)")
            _ = try await api.pool.query("UPDATE debates SET deleted_at = now() WHERE id = \(debates[1])")
            #expect(try await store.inForce([kept, late, gone, never]) == [kept])
            for digest in [late, gone, never] { #expect(try await store.find(digest) == nil) }
            #expect(try await api.send("POST", "/api/debates/\(debates[0])/share/revoke").status == 200)
            #expect(try await store.inForce([kept]).isEmpty)
            #expect(try await store.inForce([]).isEmpty)
            #expect(try await store.find(kept) == nil)
        }
    }

    @Test(
        "what a link does not show keeps its place and its hashes",
        arguments: ["budget_alert", "knowledge_recalled", "vote"])
    func withheld(type: String) {
        let event = SealedEvent(
            seq: 2, type: type, round: 0, agent: nil, at: Timestamp(milliseconds: 0), epoch: 1, data: [1], salt: [2],
            dataHash: [3], prevHash: [4], hash: [5], call: nil)
        let shown = event.shownByLink
        #expect(shown.isErased == (type != "vote") && shown.salt.isEmpty == (type != "vote"))
        #expect(shown.seq == 2 && shown.dataHash == [3] && shown.prevHash == [4] && shown.hash == [5])
    }

    @Test("a deleted debate is nowhere, its texts are gone, its chain still holds; twice is 404")
    func delete() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let id = try await api.create("Delete all of it?")
            #expect(try await api.send("DELETE", "/api/v1/debates/\(id)").code == "debate_not_finished")
            try await api.finish(id)
            let receipt = try #require(try await api.get("/api/debates/\(id)/receipt").json["receipt_id"]?.string)
            let link = try #require(try await api.send("POST", "/api/debates/\(id)/share").json["token"]?.string)
            let answer = try await api.send("DELETE", "/api/v1/debates/\(id)")
            #expect(answer.status == 200 && answer.json["success"]?.bool == true)
            for path in ["", "/messages", "/events", "/export/html", "/summary"] {
                #expect(try await api.get("/api/debates/\(id)\(path)").status == 404, "\(path)")
            }
            #expect(try await api.send("DELETE", "/api/debates/\(id)").status == 404)
            #expect(try await api.get("/api/debates").json["total"]?.int == 0)
            #expect(try await api.get("/api/search?query=delete").json["total"]?.int == 0)
            #expect(try await api.get("/api/shared/\(link)", token: nil).status == 404)
            let verified = try await api.send("POST", "/api/receipts/\(receipt)/verify").json
            #expect(verified["integrity_valid"]?.bool == true && verified["chain_valid"]?.bool == true)
            let texts = try await api.pool.query(
                "SELECT count(*) AS n FROM debate_events WHERE debate_id = \(id) AND octet_length(data) > 0")
            #expect(try texts.first?.int("n") == 0)
        }
    }

    @Test("a link shows the debate to anyone until it is revoked or expires")
    func links() async throws {
        try await APIFixture.with { api in
            let id = try await api.create("May others see this?", #","metadata":{"secret":"of mine"}"#)
            let made = try await api.send("POST", "/api/debates/\(id)/share", "{}")
            let token = try #require(made.json["token"]?.string)
            #expect(made.json["share_url"]?.string == "/api/v1/shared/\(token)" && token.utf8.count == 64)
            let shown = try await api.get("/api/v1/shared/\(token)", token: nil)
            #expect(shown.status == 200 && shown.json["debate"]?["task"]?.string == "May others see this?")
            #expect(!shown.text.contains("of mine") && shown.json["views"]?.int == 1)
            #expect(try await api.get("/api/shared/\(token)", token: "wrong").json["views"]?.int == 2)
            // What is in the table opens nothing.
            let stored = try await api.pool.query("SELECT encode(token_hash, 'hex') AS hash FROM debate_shares")
            let hash = try #require(try stored.first?.text("hash"))
            #expect(try await api.get("/api/shared/\(hash)", token: nil).code == "share_not_found")
            #expect(try await api.send("POST", "/api/debates/\(id)/share/revoke").json["revoked"]?.int == 1)
            #expect(try await api.get("/api/shared/\(token)", token: nil).status == 404)
            let short = try await api.send("POST", "/api/debates/\(id)/share", #"{"expires_in_seconds":60}"#)
            let second = try #require(short.json["token"]?.string)
            #expect(try await api.get("/api/shared/\(second)", token: nil).status == 200)
            _ = try await api.pool.execute("UPDATE debate_shares SET expires_at = now() - interval '1 second'")
            #expect(try await api.get("/api/shared/\(second)", token: nil).status == 404)
            #expect(
                try await api.send("POST", "/api/debates/\(id)/share", #"{"expires_in_hours":0}"#).fields == [
                    "expires_in_hours"
                ])
        }
    }
}
