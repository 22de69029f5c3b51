import Contracts
import Domain
import Ledger
import PostgresClient
import Storage
import TestSupport
import Testing

@testable import aragora_api

@Suite("Forks and follow-ups over the API", .needsPostgres, .timeLimit(.minutes(3)))
struct APIBranchTests {
    private func finished(_ api: APIFixture, rounds: Int = 2) async throws -> String {
        let answer = try await api.send(
            "POST", "/api/debates",
            #"{"task":"Should we use Postgres?","agents":["demo","demo","demo"],"rounds":\#(rounds),"context":"A small team."}"#
        )
        let id = try #require(answer.json["debate_id"]?.string)
        try await api.finish(id)
        return id
    }

    private func branch(of debate: String, _ api: APIFixture) async throws -> Branch {
        let log = PostgresEventLog(pool: api.pool)
        let id = try #require(DebateID(debate))
        let first = try #require(try await log.read(id, from: 1, limit: 1).first)
        guard case .debateStart(let start) = try EventCodec.decode(first) else {
            throw Answer.Malformed(text: "event 1")
        }
        return try #require(start.branch)
    }

    @Test("the official client's bodies fork the question itself", arguments: ["", "{}", #"{"changes":{}}"#])
    func fromTheStart(body: String) async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let parent = try await finished(api)
            let answer = try await api.send("POST", "/api/v1/debates/\(parent)/fork", body)
            try #require(answer.status == 200, "\(answer.text)")
            let child = try #require(answer.json["branch_id"]?.string)
            #expect(answer.json["success"]?.bool == true && answer.json["parent_debate_id"]?.string == parent)
            #expect(answer.json["branch_point"]?.int == 0 && answer.json["messages_inherited"]?.int == 0)
            #expect(answer.json["status"]?.string == "created" && answer.json["modified_context"]?.isNull == true)
            let branch = try await branch(of: child, api)
            #expect(branch.round == 0 && branch.tail.seq <= 4 && branch.parent.text == parent)
            let (old, new) = (
                try await api.get("/api/debates/\(parent)").json, try await api.get("/api/debates/\(child)").json
            )
            for key in ["task", "context", "agents", "rounds", "consensus_mode"] {
                #expect(old[key] == new[key], "\(key)")
            }
            #expect(new["parent_id"]?.string == parent && new["branch_point"]?.int == 0)
            #expect(old["parent_id"]?.isNull == true)
            try await api.finish(child)
        }
    }

    @Test("a fork shares complete rounds by the hash of their last event, and copies nothing")
    func fromARound() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let parent = try await finished(api)
            let answer = try await api.send(
                "POST", "/api/debates/\(parent)/fork",
                #"{"branch_point":1,"changes":{"rounds":1,"consensus":"unanimous","context":"Now a large one."}}"#)
            try #require(answer.status == 200, "\(answer.text)")
            let child = try #require(answer.json["branch_id"]?.string)
            #expect(answer.json["modified_context"]?.string == "Now a large one.")
            #expect(answer.json["messages_inherited"]?.int ?? 0 >= 9)
            let branch = try await branch(of: child, api)
            let log = PostgresEventLog(pool: api.pool)
            let shared = try await log.read(branch.parent, from: branch.tail.seq, limit: 2)
            #expect(shared[0].hash == branch.tail.hash && shared[1].type == "round_start" && shared[1].round == 2)
            let childID = try #require(DebateID(child))
            let types = Set(try await log.read(childID, from: 1, limit: 10).map(\.type))
            #expect(types.isSubset(of: ["debate_start", "knowledge_recalled"]))
            let made = try await api.get("/api/debates/\(child)").json
            #expect(made["rounds"]?.int == 1 && made["consensus_mode"]?.string == "unanimous")
            try await api.finish(child)

            // A fork of the fork, and the list of both.
            let second = try await api.send("POST", "/api/debates/\(child)/fork", #"{"branch_point":1}"#)
            try #require(second.status == 200, "\(second.text)")
            let grandchild = try #require(second.json["branch_id"]?.string)
            try await api.finish(grandchild)
            let forks = try await api.get("/api/debates/\(parent)/forks").json
            #expect(forks["forks"]?.array?.map { $0["branch_id"]?.string } == [child])
            #expect(forks["items"] == forks["forks"] && forks["total"]?.int == 1)
            for id in [parent, child] {
                let debate = try #require(DebateID(id))
                let recording = try #require(try await RecordingReader(pool: api.pool).recording(of: debate))
                #expect(throws: Never.self) { try ReplayedDebate(recording) }
            }
        }
    }

    @Test(
        "what can not be shared is refused with the field",
        arguments: [
            (#"{"branch_point":3}"#, "branch_point"), (#"{"branch_point":-1}"#, "branch_point"),
            (#"{"branch_point":"one"}"#, "branch_point"), (#"{"changes":7}"#, "changes"),
            (#"{"changes":{"rounds":99}}"#, "rounds"), (#"{"changes":{"agents":["nobody"]}}"#, "agents[0]"),
            ("[]", "body"), ("{", "body"),
        ])
    func refusals(body: String, field: String) async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let parent = try await finished(api)
            let answer = try await api.send("POST", "/api/debates/\(parent)/fork", body)
            #expect(answer.status == 400 && answer.fields == [field], "\(answer.text)")
            #expect(try await api.get("/api/debates/\(parent)/forks").json["total"]?.int == 0)
        }
    }

    @Test("a debate that has not ended shares its complete rounds only; a cancelled one still does")
    func openAndCancelled() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let parent = try await api.create()
            #expect(try await api.send("POST", "/api/debates/\(parent)/fork", #"{"branch_point":1}"#).status == 400)
            #expect(try await api.send("POST", "/api/debates/\(parent)/fork", "{}").status == 200)
            _ = try await api.send("POST", "/api/debates/\(parent)/cancel")
            #expect(try await api.send("POST", "/api/debates/\(parent)/fork", "{}").status == 200)
            #expect(try await api.send("POST", "/api/debates/\(parent)/fork", #"{"branch_point":1}"#).status == 400)
            #expect(try await api.get("/api/debates/\(parent)/forks").json["total"]?.int == 2)
        }
    }

    @Test("an erased debate has nothing to share, and those that share it stay whole")
    func erased() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let parent = try await finished(api)
            let answer = try await api.send("POST", "/api/debates/\(parent)/fork", #"{"branch_point":1}"#)
            let child = try #require(answer.json["branch_id"]?.string)
            let id = try #require(DebateID(parent))
            _ = try await ErasureStore(pool: api.pool).erase(id) { $0 }
            let refused = try await api.send("POST", "/api/debates/\(parent)/fork", "{}")
            #expect(refused.status == 410 && refused.code == "debate_erased", "\(refused.text)")
            // It had not begun when its parent was erased: it goes on without what was said there.
            try await api.finish(child)
            #expect(try await api.get("/api/debates/\(child)").json["status"]?.string == "completed")
        }
    }

    @Test("a branch may branch again sixteen times, and no more")
    func generations() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            var debate = try await api.create()
            for _ in 1...Branch.maxGenerations {
                let answer = try await api.send("POST", "/api/debates/\(debate)/fork", "{}")
                try #require(answer.status == 200, "\(answer.text)")
                debate = try #require(answer.json["branch_id"]?.string)
            }
            let answer = try await api.send("POST", "/api/debates/\(debate)/fork", "{}")
            #expect(answer.status == 400 && answer.fields == ["id"], "\(answer.text)")
        }
    }

    @Test("the same fork under the same key is one debate; the same body of another parent is not the same request")
    func idempotency() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let (one, other) = (try await api.create(), try await api.create())
            let headers = ["Idempotency-Key": "fork-1"]
            let first = try await api.send("POST", "/api/debates/\(one)/fork", "{}", headers: headers)
            let again = try await api.send("POST", "/api/debates/\(one)/fork", "{}", headers: headers)
            #expect(first.status == 200 && first.text == again.text)
            #expect(try await api.send("POST", "/api/debates/\(other)/fork", "{}", headers: headers).status == 409)
        }
    }

    @Test("a token of one debate reads its forks and makes none")
    func scope() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let parent = try await api.create()
            let token = APIFixture.signedToken(parent)
            #expect(try await api.get("/api/debates/\(parent)/forks", token: token).status == 200)
            for path in ["fork", "followup"] {
                let answer = try await api.send("POST", "/api/debates/\(parent)/\(path)", "{}", token: token)
                #expect(answer.status == 403, "\(answer.text)")
            }
        }
    }

    @Test(
        "dissent and surviving minorities are suggested, and a follow-up takes one up",
        arguments: ["cruxId", "crux_id"])
    func followUp(field: String) async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            var (parent, open): (String, [JSONValue]) = ("", [])
            // Demonstration agents agree or not by the question.
            for word in ["Postgres", "Mongo", "queues", "Kafka", "a monolith", "Rust", "an ORM", "Go"]
            where open.isEmpty {
                let answer = try await api.send(
                    "POST", "/api/debates",
                    #"{"task":"Should we use \#(word)?","agents":["demo","demo","demo"],"rounds":1}"#)
                parent = try #require(answer.json["debate_id"]?.string)
                #expect(try await api.get("/api/debates/\(parent)/followups").json["total"]?.int == 0)
                try await api.finish(parent)
                open = try await api.get("/api/debates/\(parent)/followups").json["suggestions"]?.array ?? []
            }
            let crux = try #require(open.last)
            let id = try #require(crux["id"]?.string)
            #expect(try await api.get("/api/debates/\(parent)/followups").json["items"]?.array?.last == crux)
            let answer = try await api.send(
                "POST", "/api/debates/\(parent)/followup", #"{"\#(field)":"\#(id)","context":"We have a week."}"#)
            try #require(answer.status == 200, "\(answer.text)")
            let child = try #require(answer.json["debate_id"]?.string)
            #expect(answer.json["crux_id"]?.string == id)
            let made = try await api.get("/api/debates/\(child)").json
            #expect(made["task"] == crux["question"])
            #expect(made["context"]?.string?.hasSuffix("We have a week.") == true)
            #expect(made["agents"] == (try await api.get("/api/debates/\(parent)").json["agents"]))
            #expect(try await branch(of: child, api).round == 1)
            try await api.finish(child)

            let unknown = try await api.send("POST", "/api/debates/\(parent)/followup", #"{"crux_id":"crux_0"}"#)
            #expect(unknown.status == 400 && unknown.fields == ["crux_id"])
            let own = try await api.send(
                "POST", "/api/debates/\(parent)/followup", #"{"question":"And what will it cost?"}"#)
            #expect(own.status == 200 && own.json["task"]?.string == "And what will it cost?", "\(own.text)")
        }
    }
}
