import Contracts
import TestSupport
import Testing

@testable import aragora_api

@Suite("Batches and searches", .needsPostgres, .timeLimit(.minutes(2)))
struct BatchTests {
    private static func items(_ count: Int, _ more: String = "") -> String {
        (0..<count).map { #"{"task":"Is \#($0) enough?","agents":["demo","demo"],"rounds":1\#(more)}"# }.joined(
            separator: ",")
    }

    @Test("a batch is created whole, told by its id, and its debates run", arguments: ["items", "requests"])
    func created(name: String) async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let answer = try await api.send(
                "POST", "/api/v1/debates/batch",
                #"{"\#(name)":[\#(Self.items(3))],"priority":"high","metadata":{"source":"test"}}"#)
            #expect(answer.status == 200 && answer.json["items_queued"]?.int == 3, "\(answer.text)")
            let id = try #require(answer.json["batch_id"]?.string)
            let url = try #require(answer.json["status_url"]?.string)
            #expect(url == "/api/v1/debates/batch/\(id)/status")
            let waiting = try await api.get(url).json
            #expect(waiting["status"]?.string == "pending" && waiting["total"]?.int == 3)
            #expect(
                waiting["items"]?.array?.compactMap { $0["task"]?.string } == [
                    "Is 0 enough?", "Is 1 enough?", "Is 2 enough?",
                ])
            let first = try #require(waiting["items"]?.array?.first?["debate_id"]?.string)
            #expect(try await api.get("/api/debates/\(first)").json["metadata"]?["source"]?.string == "test")
            #expect(
                try await api.get("/api/queue/jobs").json["jobs"]?.array?.allSatisfy { $0["priority"]?.int == 1 }
                    == true)
            #expect(try await api.get("/api/debates").json["total"]?.int == 3)
            let listed = try await api.get("/api/v1/debates/batch").json
            #expect(listed["batches"]?.array?.first?["batch_id"]?.string == id && listed["count"]?.int == 1)
            #expect(try await api.get("/api/debates/batch?status=completed").json["total"]?.int == 0)
            for debate in waiting["items"]?.array ?? [] {
                try await api.finish(try #require(debate["debate_id"]?.string))
            }
            let done = try await api.get(url).json
            #expect(done["status"]?.string == "completed" && done["completed"]?.int == 3)
            #expect(done["progress_percent"]?.int == 100)
            #expect(try await api.get("/api/debates/batch?status=completed").json["total"]?.int == 1)
        }
    }

    @Test("one item that is wrong refuses all, and every problem has its place")
    func allOrNone() async throws {
        try await APIFixture.with { api in
            let answer = try await api.send(
                "POST", "/api/debates/batch",
                #"{"items":[\#(Self.items(1)),{"task":"x"},7,{"task":"Fine?","rounds":99,"priority":1000}]}"#)
            #expect(answer.status == 400)
            #expect(answer.fields == ["items[1].task", "items[2]", "items[3].priority", "items[3].rounds"])
            for body in [
                "{}", #"{"items":[]}"#, #"{"items":{}}"#, #"{"items":[\#(Self.items(1))],"webhook_url":"ftp://x"}"#,
            ] {
                #expect(try await api.send("POST", "/api/debates/batch", body).status == 400, "\(body)")
            }
            let unknown = try await api.send(
                "POST", "/api/debates/batch", #"{"items":[{"task":"Who?","agents":["mistral"]}]}"#)
            #expect(unknown.code == "no_agents_available")
            #expect(try await api.get("/api/debates").json["total"]?.int == 0)
            #expect(try await api.get("/api/debates/batch").json["total"]?.int == 0)
            #expect(try await api.get("/api/debates/batch/none/status").code == "batch_not_found")
        }
    }

    @Test("the same batch under the same key is one batch; another under it is 409")
    func idempotent() async throws {
        try await APIFixture.with { api in
            let (body, key) = (#"{"items":[\#(Self.items(2))]}"#, ["Idempotency-Key": "once"])
            let one = try await api.send("POST", "/api/debates/batch", body, headers: key)
            let two = try await api.send("POST", "/api/debates/batch", body, headers: key)
            #expect(one.text == two.text && one.status == 200)
            #expect(try await api.get("/api/debates").json["total"]?.int == 2)
            let other = try await api.send(
                "POST", "/api/debates/batch", #"{"items":[\#(Self.items(1))]}"#, headers: key)
            #expect(other.status == 409 && other.code == "IDEMPOTENCY_CONFLICT")
        }
    }

    @Test("a thousand debates and a body of 16 MiB are taken, one more of either is not")
    func limits() async throws {
        try await APIFixture.with { api in
            let thousand = #"{"items":[\#(Self.items(1000))]}"#
            let limit = BatchRequest.maximumBytes
            let padded = thousand + String(repeating: " ", count: limit - thousand.utf8.count)
            let taken = try await api.send("POST", "/api/debates/batch", padded)
            #expect(taken.status == 200 && taken.json["items_queued"]?.int == 1000, "\(taken.status)")
            #expect(try await api.get("/api/debates").json["total"]?.int == 1000)
            #expect(
                try await api.send("POST", "/api/debates/batch", #"{"items":[\#(Self.items(1001))]}"#).fields == [
                    "items"
                ])
        }
    }

    @Test("a search finds every word in question, context, title or answer, the best first")
    func search() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let plain = try await api.create("Should robots vote in elections?")
            let rich = try await api.create("Robots: do robots need robots?")
            _ = try await api.create("Is tea better than coffee?", #","context":"robots are not part of this""#)
            let found = try await api.get("/api/v1/search?query=robots&limit=2").json
            #expect(found["total"]?.int == 3 && found["has_more"]?.bool == true && found["query"]?.string == "robots")
            #expect(found["results"]?.array?.first?["debate_id"]?.string == rich)
            #expect(found["results"]?.array?.first?["snippet"]?.string?.contains("**Robots**") == true)
            let both = try await api.send("POST", "/api/v1/search", #"{"query":"robot elect","scope":"debates"}"#).json
            #expect(both["results"]?.array?.compactMap { $0["debate_id"]?.string } == [plain])
            #expect(try await api.get("/api/search?q=robots&status=completed").json["total"]?.int == 0)
            try await api.finish(plain)
            let done = try await api.get("/api/search?q=robots+election&status=completed").json
            #expect(done["results"]?.array?.compactMap { $0["debate_id"]?.string } == [plain])
            // Operators of the search language are words like others.
            for text in ["!", "robots%20%26%20!tea", "'", "%3A*", "(", "robots%5C"] {
                #expect(try await api.get("/api/search?query=\(text)").status == 200, "\(text)")
            }
            #expect(try await api.get("/api/search").fields == ["query"])
            #expect(try await api.send("POST", "/api/search", #"{"scope":"everything"}"#).fields == ["query", "scope"])
        }
    }
}
