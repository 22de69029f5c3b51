import Contracts
import Domain
import Platform
import PostgresClient
import TestSupport
import Testing

@testable import aragora_api

@Suite("Debates over the API", .needsPostgres, .timeLimit(.minutes(3)))
struct APIDebateTests {
    @Test(
        "are created from every form of a request",
        arguments: [
            #"{"topic":"Which way?","agents":["demo","demo"]}"#, #"{"task":"Which way?","agents":"demo,demo"}"#,
            #"{"question":"Which way?","agents":{"provider":"demo"}}"#,
            #"{"question":" Which way? ","topic":"Which way?","agents":[{"provider":"demo","role":"critic","name":"Zoë"},"demo"]}"#,
            #"{"task":"Which way?","config":{"rounds":1},"protocol":{"rounds":7,"consensus":"unanimous"}}"#,
            #"{"task":"Which way?","rounds":12,"consensus":"majority","context":"c","metadata":{"a":[1,null]},"auto_select":true}"#,
            #"{"task":"Which way?","documents":["x"],"enable_anything":true,"budget_limit_usd":0.5,"debate_format":"light"}"#,
        ])
    func forms(body: String) async throws {
        try await APIFixture.with { api in
            for path in [
                "/api/v1/debates", "/api/debates", "/api/debate", "/api/v1/debate", "/api/v2/debates",
                "/api/v1/debate-this", "/api/debates/",
            ] {
                let answer = try await api.send("POST", path, body)
                #expect(answer.status == 200, "\(path): \(answer.text)")
                let id = try #require(answer.json["debate_id"]?.string)
                #expect(answer.json["success"]?.bool == true && answer.json["status"]?.string == "created")
                #expect(answer.json["id"]?.string == id && answer.json["task"]?.string == "Which way?")
                #expect((answer.json["agents"]?.array?.count ?? 0) >= 1 && answer.json["demo"]?.bool == true)
                #expect(answer.json["websocket_url"]?.string == "/ws?debate_id=\(id)")
                #expect(answer.header("X-API-Version") == (path.hasPrefix("/api/v2/") ? "v2" : "v1"))
                let stored = try await api.get("/api/debates/\(id)")
                #expect(stored.json["question"]?.string ?? stored.json["task"]?.string == "Which way?")
            }
        }
    }

    @Test(
        "are refused with the field that is wrong, all at once",
        arguments: [
            (#"{"topic":"ab"}"#, ["topic"]), (#"{"agents":["demo"]}"#, ["topic"]), (#"{"topic":7}"#, ["topic"]),
            (#"{"topic":"one thing","question":"another"}"#, ["topic"]),
            (#"{"topic":"Which way?","rounds":13}"#, ["rounds"]),
            (#"{"topic":"Which way?","rounds":0,"consensus":"dice","agents":7}"#, ["rounds", "consensus", "agents"]),
            (#"{"topic":"Which way?","rounds":"three"}"#, ["rounds"]),
            (#"{"topic":"Which way?","agents":["nobody-knows"]}"#, ["agents"]),
            (#"{"topic":"Which way?","metadata":[]}"#, ["metadata"]),
            (#"{"topic":"Which way?","budget_limit_usd":-1}"#, ["budget_limit_usd"]),
            (#"{"topic":"Which way?","config":7}"#, ["config"]), (#"[]"#, ["body"]), (#"{"topic":"#, ["body"]),
            ("", ["body"]), ("\u{0}", ["body"]),
        ] as [(String, [String])])
    func refusals(body: String, fields: [String]) async throws {
        try await APIFixture.with { api in
            let answer = try await api.send("POST", "/api/v1/debates", body)
            #expect(answer.status == 400, "\(answer.text)")
            #expect(answer.json["error"]?.string?.isEmpty == false && answer.code != nil)
            #expect(answer.json["trace_id"]?.string?.utf8.count == 32)
            let named = Set(answer.fields.map { $0.split(separator: "[").first.map(String.init) ?? $0 })
            for field in fields {
                #expect(named.contains(field) || (field == "topic" && named.contains("question")), "\(answer.text)")
            }
            #expect(try await api.get("/api/debates").json["total"]?.int == 0)
        }
    }

    @Test("whose text Postgres can not hold are refused, not failed")
    func nul() async throws {
        try await APIFixture.with { api in
            for body in [
                #"{"topic":"a\u0000bcdef"}"#, #"{"topic":"Which way?","context":"\u0000"}"#,
                #"{"topic":"Which way?","metadata":{"a":"\u0000"}}"#,
                #"{"topic":"Which way?","agents":[{"provider":"demo","name":"a\u0000"}]}"#,
            ] {
                let answer = try await api.send("POST", "/api/debates", body)
                #expect(answer.status == 400 || answer.status == 200, "\(answer.text)")
            }
            let id = try await api.create()
            let remark = try await api.send("POST", "/api/debates/\(id)/messages", #"{"content":"\u0000"}"#)
            #expect([200, 202, 400].contains(remark.status), "\(remark.text)")
            for target in ["/api/debates?q=%00", "/api/debates/%00", "/api/debates/%ff", "/api/debates?q=%ff"] {
                #expect(try await api.get(target).status == 400, "\(target)")
            }
            for target in ["/api/debates?q=%25_%5C%27", "/api/debates?agent=%F0%9F%98%80"] {
                #expect(try await api.get(target).status == 200)
            }
        }
    }

    @Test("are estimated without being created, by what a create takes")
    func estimate() async throws {
        try await APIFixture.with { api in
            let answer = try await api.send(
                "POST", "/api/v1/debates/estimate", #"{"topic":"What if?","agents":["demo","demo"],"rounds":2}"#)
            #expect(answer.status == 200)
            #expect(answer.json["calls"]?.int == 18, "two agents, five phases and four")
            #expect(answer.json["worst_cost_usd"]?.double == 0)
            #expect(answer.json["breakdown_by_model"]?.array?.first?["model"]?.string == "demo")
            #expect(try ClientForms.estimate(Array(answer.text.utf8)).last?.hasPrefix("18 calls") == true)
            #expect(
                try await api.send("POST", "/api/debates/estimate", #"{"topic":"What if?","rounds":13}"#).status == 400)
            #expect(try await api.get("/api/debates").json["total"]?.int == 0)
        }
    }

    @Test("are created once for one Idempotency-Key")
    func idempotency() async throws {
        try await APIFixture.with { api in
            let body = #"{"topic":"Once only?","agents":["demo"]}"#
            let key = ["Idempotency-Key": "key-1"]
            let first = try await api.send("POST", "/api/debates", body, headers: key)
            let second = try await api.send("POST", "/api/v1/debates", body, headers: key)
            #expect(first.status == 200 && first.text == second.text)
            let other = try await api.send("POST", "/api/debates", #"{"topic":"Another one?"}"#, headers: key)
            #expect(other.status == 409 && other.code == "IDEMPOTENCY_CONFLICT")
            let foreign = try await api.send(
                "POST", "/api/debates", body, token: APIFixture.signedToken("somebody"), headers: key)
            #expect(foreign.status == 200 && foreign.text != first.text)
            for bad in ["", "with space", "é", String(repeating: "x", count: 256)] {
                let answer = try await api.send("POST", "/api/debates", body, headers: ["Idempotency-Key": bad])
                #expect(answer.status == 400 && answer.code == "INVALID_IDEMPOTENCY_KEY", "\(bad)")
            }
            #expect(
                try await api.send(
                    "POST", "/api/debates", body, headers: ["Idempotency-Key": String(repeating: "x", count: 255)]
                ).status == 200)
            #expect(try await api.get("/api/debates").json["total"]?.int == 3)
        }
    }

    @Test("are one when the same key comes many times at once")
    func idempotentRace() async throws {
        try await APIFixture.with { api in
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await api.send(
                            "POST", "/api/debates", #"{"topic":"Once only?"}"#, headers: ["Idempotency-Key": "k"])
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.status == 200 || ($0.status == 429 && $0.header("Retry-After") == "1") })
            #expect(Set(answers.filter { $0.status == 200 }.map(\.text)).count == 1)
            #expect(try await api.get("/api/debates").json["total"]?.int == 1)
        }
    }

    @Test("are listed newest first, filtered and in pages")
    func list() async throws {
        try await APIFixture.with { api in
            var ids: [String] = []
            for number in 0..<5 { ids.append(try await api.create("Question number \(number)?")) }
            _ = try await api.send("POST", "/api/debates/\(ids[0])/cancel")
            let all = try await api.get("/api/v1/debates").json
            #expect(
                all["total"]?.int == 5 && all["count"]?.int == 5 && all["has_more"]?.bool == false
                    && all["limit"]?.int == 20)
            let rows = try #require(all["items"]?.array)
            #expect(rows == all["debates"]?.array)
            #expect(rows.map { $0["id"]?.string } == ids.reversed())
            let page = try await api.get("/api/debates?limit=2&offset=2").json
            #expect(page["items"]?.array?.compactMap { $0["id"]?.string } == [ids[2], ids[1]])
            #expect(page["has_more"]?.bool == true && page["offset"]?.int == 2)
            for (query, found) in [
                ("status=cancelled", 1), ("status=active", 4), ("status=pending", 4), ("status=completed", 0),
                ("q=number+3", 1),
                ("agent=demo-1", 5), ("agent=nobody", 0), ("since=2020-01-01", 5), ("until=2020-01-01T00:00:00Z", 0),
                ("offset=9", 5),
                ("since=\(WallClock.nowMilliseconds() / 1000 + 60)", 0),
            ] as [(String, Int64)] {
                #expect(try await api.get("/api/debates?\(query)").json["total"]?.int == found, "\(query)")
            }
            let active = try await api.get("/api/debates/active").json
            #expect(active["debates"]?.array?.count == 4)
        }
    }

    @Test(
        "are not listed for a query that makes no sense: 400 with every field",
        arguments: [
            ("limit=0", ["limit"]), ("limit=101", ["limit"]), ("limit=x&offset=-1", ["limit", "offset"]),
            ("status=nonsense", ["status"]),
            ("since=yesterday&until=2026-02-30", ["since", "until"]), ("limit=", ["limit"]), ("since=1e400", ["since"]),
            ("limit=99999999999999999999", ["limit"]),
        ])
    func badQueries(query: String, fields: [String]) async throws {
        try await APIFixture.with { api in
            let answer = try await api.get("/api/v2/debates?\(query)")
            #expect(answer.status == 400 && answer.code == "validation_error")
            #expect(answer.fields == fields)
        }
    }

    @Test("show their events as they are, from any number", arguments: ["api", "api/v1", "api/v2"])
    func events(prefix: String) async throws {
        try await APIFixture.with { api in
            let id = try await api.create()
            let page = try await api.get("/\(prefix)/debates/\(id)/events").json
            #expect(page["events"]?.array?.count == 1)
            #expect(page["events"]?.array?.first?["type"]?.string == "debate_start")
            for since in ["1", "9007199254740991"] {
                #expect(
                    try await api.get("/\(prefix)/debates/\(id)/events?since=\(since)").json["events"]?.array?.isEmpty
                        == true)
            }
            for query in [
                "since=9223372036854775807", "since=9007199254740992", "since=-1", "limit=0", "limit=501", "since=x",
            ] {
                #expect(try await api.get("/\(prefix)/debates/\(id)/events?\(query)").status == 400, "\(query)")
            }
        }
    }

    @Test("that are queued can be cancelled once: one debate_end, then 400; an unknown one is 404")
    func cancel() async throws {
        try await APIFixture.with { api in
            let id = try await api.create()
            let answer = try await api.send("POST", "/api/debates/\(id)/cancel", headers: ["Content-Length": "0"])
            #expect(
                answer.status == 200 && answer.json["success"]?.bool == true
                    && answer.json["status"]?.string == "cancelled")
            for verb in ["cancel", "stop", "pause", "resume"] {
                let again = try await api.send("POST", "/api/debates/\(id)/\(verb)")
                #expect(again.status == 400 && again.code == "debate_already_finished", "\(verb)")
                #expect(again.json["error"]?.string == "Debate already completed (status: cancelled)")
            }
            let events = try #require(try await api.get("/api/debates/\(id)/events").json["events"]?.array)
            #expect(events.filter { $0["type"]?.string == "debate_end" }.count == 1)
            #expect(events.last?["type"]?.string == "debate_end")
            for path in ["dbt_01kdyqrq00000000000000000a", "no-such-slug"] {
                for verb in ["cancel", "pause", "resume"] {
                    #expect(try await api.send("POST", "/api/debates/\(path)/\(verb)").status == 404)
                }
            }
        }
    }

    @Test("that are queued take pause, remark and resume into their log")
    func commands() async throws {
        try await APIFixture.with { api in
            let id = try await api.create()
            let paused = try await api.send("POST", "/api/debates/\(id)/pause")
            #expect(paused.status == 200 && paused.json["status"]?.string == "paused")
            let again = try await api.send("POST", "/api/debates/\(id)/pause")
            #expect(again.status == 200 && again.json["message"]?.string == "Nothing to change")
            #expect(
                try await api.send("POST", "/api/debates/\(id)/messages", #"{"content":"Think of backups."}"#).status
                    == 200)
            for bad in [
                "", "{}", #"{"content":" "}"#, #"{"content":7}"#,
                #"{"content":"\#(String(repeating: "x", count: 4001))"}"#,
            ] {
                #expect(try await api.send("POST", "/api/debates/\(id)/messages", bad).status == 400)
            }
            #expect(
                try await api.send("POST", "/api/debates/\(id)/messages", String(repeating: "x", count: 64 * 1024 + 1))
                    .status == 413)
            #expect(try await api.send("POST", "/api/debates/\(id)/resume").json["status"]?.string == "pending")
            let events = try #require(try await api.get("/api/debates/\(id)/events").json["events"]?.array)
            #expect(
                events.compactMap { $0["type"]?.string } == [
                    "debate_start", "debate_paused", "user_message", "debate_resumed",
                ])
            let messages = try await api.get("/api/debates/\(id)/messages").json
            #expect(messages["messages"]?.array?.first?["content"]?.string == "Think of backups.")
            #expect(messages["total"]?.int == 1)
        }
    }

    @Test("that have ended show decision, votes, costs, exports and a receipt that verifies")
    func finished() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let id = try await api.create("Is it <finished>?", #","metadata":{"k":"v"}"#)
            try await api.finish(id)
            let debate = try await api.get("/api/debates/\(id)").json
            #expect(debate["status"]?.string == "completed" && debate["metadata"]?["k"]?.string == "v")
            #expect(debate["final_answer"]?.string?.isEmpty == false)
            #expect((debate["messages"]?.array?.count ?? 0) > 3)
            let consensus = try await api.get("/api/debates/\(id)/consensus").json
            #expect(consensus["votes"]?.array?.count == 2 && consensus["final_answer"] == debate["final_answer"])
            let convergence = try await api.get("/api/debates/\(id)/convergence").json
            #expect(convergence["rounds_used"]?.int == 1)
            let costs = try await api.get("/api/debates/\(id)/costs").json
            #expect(costs["data"]?["total_tokens_in"] == costs["total_tokens_in"] && costs["debate_id"]?.string == id)
            let markdown = try await api.get("/api/debates/\(id)/export/md")
            #expect(
                markdown.header("Content-Type") == "text/markdown; charset=utf-8" && markdown.text.contains("Is it"))
            #expect(try await api.get("/api/debates/\(id)/export/json").json["id"]?.string == id)
            #expect(try await api.get("/api/debates/\(id)/export/pdf").fields == ["format"])
            let page = try await api.get("/api/debates/\(id)/messages?limit=2&offset=1").json
            #expect(
                page["messages"]?.array?.compactMap { $0["index"]?.int } == [1, 2] && page["has_more"]?.bool == true)
            try await checkReceipt(of: id, api)
        }
    }

    private func checkReceipt(of debate: String, _ api: APIFixture) async throws {
        let list = try await api.get("/api/v2/receipts?debate_id=\(debate)&signed_only=true").json
        #expect(list["total"]?.int == 1)
        let id = try #require(list["receipts"]?.array?.first?["receipt_id"]?.string)
        #expect(try await api.get("/api/v2/receipts/\(id)").json["debate_id"]?.string == debate)
        #expect(
            try await api.get("/api/receipts?verdict=REJECTED&limit=0&debate_id=x&date_from=never").fields.sorted() == [
                "date_from", "debate_id", "limit", "verdict",
            ])
        #expect(try await api.get("/api/receipts/rcp_01kdyqrq00000000000000000a").status == 404)
        #expect(try await api.get("/api/receipts/nonsense").code == "receipt_not_found")
        let good = try await api.send("POST", "/api/v2/receipts/\(id)/verify").json
        #expect(good["integrity_valid"]?.bool == true && good["chain_valid"]?.bool == true)
        #expect(good["stored_checksum"] == good["computed_checksum"])
        let signed = try await api.send("POST", "/api/v2/receipts/\(id)/verify-signature").json
        #expect(signed["signature_valid"]?.bool == true && signed["key_id"]?.string?.hasPrefix("hmac-") == true)

        let document = try await api.get("/api/v2/receipts/\(id)").text
        let foreign = try await api.create("Another one?")
        try await api.finish(foreign)
        let other = try await api.get("/api/debates/\(foreign)/receipt").text
        let changed = document.replacing(/"confidence":[0-9.]+/, with: "\"confidence\":0.0001")
        try #require(changed != document)
        for (text, what) in [(changed, "changed"), (other, "exchanged"), ("{}", "emptied"), ("not json", "broken")] {
            _ = try await api.pool.query("ALTER TABLE receipts DISABLE TRIGGER USER")
            _ = try await api.pool.query("UPDATE receipts SET document = \(Array(text.utf8)) WHERE id = \(id)")
            let verdict = try await api.send("POST", "/api/receipts/\(id)/verify")
            #expect(verdict.status == 200 && verdict.json["integrity_valid"]?.bool == false, "\(what): \(verdict.text)")
            let signature = try await api.send("POST", "/api/receipts/\(id)/verify-signature")
            #expect(
                signature.status == 200 && signature.json["signature_valid"]?.bool == false,
                "\(what): \(signature.text)")
        }
    }
}
