import Contracts
import Domain
import Platform
import PostgresClient
import TestSupport
import Testing

@testable import Storage
@testable import aragora_api

@Suite("Answers about debates that are over, kept")
struct KeptAnswerTests {
    private static func id(_ number: Int) -> DebateID {
        DebateID(milliseconds: Int64(number), random: [UInt8](repeating: 7, count: 10))
    }

    @Test("no more than so many, the least used goes first")
    func entries() {
        let kept = KeptAnswers()
        for number in 0..<KeptAnswers.maxEntries {
            kept.keep([1], of: Self.id(number), version: "1", now: Int64(number))
        }
        #expect(kept.find(Self.id(0), now: 10_000) != nil)
        kept.keep([1], of: Self.id(KeptAnswers.maxEntries), version: "1", now: 10_001)
        #expect(kept.size == (KeptAnswers.maxEntries, KeptAnswers.maxEntries))
        #expect(kept.find(Self.id(0), now: 10_002) != nil && kept.find(Self.id(1), now: 10_002) == nil)
    }

    @Test("no more than so many bytes, none that is too long, none for too long")
    func bytes() {
        let kept = KeptAnswers()
        let long = [UInt8](repeating: 1, count: KeptAnswers.maxAnswerBytes)
        kept.keep(long + [1], of: Self.id(0), version: "1", now: 0)
        #expect(kept.size == (0, 0))
        for number in 1...5 { kept.keep(long, of: Self.id(number), version: "1", now: Int64(number)) }
        #expect(kept.size == (4, KeptAnswers.maxBytes) && kept.find(Self.id(1), now: 6) == nil)
        kept.keep([1], of: Self.id(5), version: "2", now: 7)
        #expect(kept.size == (4, 3 * KeptAnswers.maxAnswerBytes + 1))
        #expect(kept.find(Self.id(5), now: 8)?.version == "2")
        let age = KeptAnswers.maxAge.nanosecondsClamped
        #expect(kept.find(Self.id(2), now: age + 2) == nil && kept.size.entries == 3)
        kept.keep([1], of: Self.id(9), version: "1", now: age + 20)
        #expect(kept.size == (1, 1), "what is too old goes when another comes")
    }
}

@Suite("A finished debate, asked for again", .needsPostgres, .timeLimit(.minutes(2)))
struct KeptDebateTests {
    @Test("is told as it was, without its log, until anything of it changes: then as it is")
    func changes() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let id = try await api.create("Is this told again?")
            let kept = api.routes.read.kept
            #expect(try await api.get("/api/debates/\(id)").status == 200)
            #expect(kept.size == (0, 0), "it is not over")
            try await api.finish(id)
            let debate = try #require(DebateID(id))
            let first = try await api.get("/api/debates/\(id)")
            let answer = try #require(kept.find(debate))
            #expect(answer.bytes == Array(first.text.utf8))
            // Another text under the same version shows where the answer comes from.
            let marked = first.text.replacing("Is this told again?", with: "Is this told by heart?")
            kept.keep(Array(marked.utf8), of: debate, version: answer.version)
            #expect(try await api.get("/api/debates/\(id)").text == marked)

            let named = try await api.send(
                "PATCH", "/api/debates/\(id)", #"{"title":"Another name","tags":["kept"]}"#)
            #expect(named.status == 200, "\(named.text)")
            let second = try await api.get("/api/debates/\(id)").json
            #expect(second["title"]?.string == "Another name" && second["tags"]?.array?.first?.string == "kept")
            #expect(kept.find(debate)?.version != answer.version)

            // As erasing somebody's remark, or another debate's conclusion, does: the row itself says the same as before.
            let messages = try #require(second["messages"]?.array)
            let seq = try await api.pool.query(
                "SELECT min(seq) AS seq FROM debate_events WHERE debate_id = \(debate) AND type = 'agent_message'")[0]
            _ = try await api.pool.query(
                EmptiedEvents.statement("e.debate_id = \(debate) AND e.seq = \(try seq.int64("seq"))"))
            let third = try #require(try await api.get("/api/debates/\(id)").json["messages"]?.array)
            #expect(third.count == messages.count - 1 && third.first?["content"] != messages.first?["content"])

            #expect(try await api.send("DELETE", "/api/debates/\(id)").status == 200)
            let gone = try await api.get("/api/debates/\(id)")
            #expect(gone.status == 404 || !gone.text.contains("Is this told again?"), "\(gone.text)")
        }
    }

    @Test("erased by another process, it tells nothing any more")
    func erased() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let id = try await api.create("Was this a secret?")
            try await api.finish(id)
            let debate = try #require(DebateID(id))
            #expect(try await api.get("/api/debates/\(id)").text.contains("Was this a secret?"))
            #expect(api.routes.read.kept.find(debate) != nil)
            #expect(
                try await ErasureStore(pool: api.pool).erase(debate) { $0 } != .notFound)
            let gone = try await api.get("/api/debates/\(id)")
            #expect(gone.json["erased"]?.bool == true && !gone.text.contains("Was this a secret?"), "\(gone.text)")
            #expect(gone.json["messages"]?.array?.isEmpty == true)
        }
    }

    @Test("is nobody's but whose it was: another debate's token and no token see nothing")
    func reach() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let (id, other) = (try await api.create("Whose is this?"), try await api.create("And this?"))
            try await api.finish(id)
            #expect(try await api.get("/api/debates/\(id)").status == 200)
            #expect(api.routes.read.kept.size.entries > 0)
            #expect(try await api.get("/api/debates/\(id)", token: nil).status == 401)
            #expect(try await api.get("/api/debates/\(id)", token: APIFixture.signedToken(other)).status == 403)
            _ = try await api.pool.execute("UPDATE debates SET deleted_at = now() WHERE id = \(id)")
            #expect(try await api.get("/api/debates/\(id)").status == 404)
        }
    }
}
