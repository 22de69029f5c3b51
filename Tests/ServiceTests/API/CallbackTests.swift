import Contracts
import Domain
import Platform
import PostgresClient
import Storage
import TestSupport
import Testing
import Webhooks

@testable import aragora_api

/// `webhook_url` of a create and of a batch: told of that debate's end and of nothing else, through the same outbox.
@Suite("webhook_url", .needsPostgres, .timeLimit(.minutes(1)))
struct CallbackTests {
    private func ask(_ desk: WebhookTests.Desk, _ more: String) async throws -> Answer {
        try await desk.api.send(
            "POST", "/api/v1/debates", #"{"topic":"Who is told of this?","agents":["demo","demo"],"rounds":1\#(more)}"#)
    }

    @Test("the one who asked is told of the end, signed with the secret that the answer showed, once")
    func told() async throws {
        try await WebhookTests.with { desk in
            let asked = try await ask(
                desk, #","webhook_url":"\#(desk.receiver.url)/mine","webhook_headers":{"X-Team":"blue"}"#)
            let secret = try #require(asked.json["webhook_secret"]?.string, "\(asked.text)")
            let debate = try #require(asked.json["debate_id"]?.string)
            let other = try await desk.api.create()
            try await desk.api.finish(debate)
            try await desk.api.finish(other)
            #expect(await desk.go() == 1)
            let request = try #require(desk.receiver.requests.first)
            #expect(request.head.hasPrefix("POST /mine HTTP/1.1") && request.header("X-Team") == "blue")
            let body = try JSONParser.parse(request.body)
            #expect(body["type"]?.string == "debate.completed" && body["data"]?["debate_id"]?.string == debate)
            #expect(body["data"]?["receipt_id"]?.string?.hasPrefix("rcp_") == true)
            #expect(try WebhookTests.libraryTakes(request, secret: secret))
            #expect(await desk.go() == 0 && desk.receiver.requests.count == 1)
            let columns = try await desk.api.pool.query("SELECT address FROM debate_callbacks")
            let kept = try columns.map { String(decoding: try $0.bytes("address"), as: UTF8.self) }
            #expect(kept.count == 1 && !kept[0].contains("blue"))
        }
    }

    @Test("a repetition under the same key shows no secret, a given one is never shown, and none lies in any table")
    func secretOnce() async throws {
        try await WebhookTests.with { desk in
            let own = "whsec_" + String(repeating: "A", count: 32)
            let body = #"{"topic":"Who is told of this?","webhook_url":"\#(desk.receiver.url)/x""#
            let key = ["Idempotency-Key": "one"]
            let first = try await desk.api.send("POST", "/api/debates", body + "}", headers: key)
            let secret = try #require(first.json["webhook_secret"]?.string, "\(first.text)")
            let again = try await desk.api.send("POST", "/api/debates", body + "}", headers: key)
            #expect(again.json["debate_id"] == first.json["debate_id"] && again.json["webhook_secret"] == nil)
            let given = try await desk.api.send("POST", "/api/debates", body + #","webhook_secret":"\#(own)"}"#)
            #expect(given.status == 200 && given.json["webhook_secret"] == nil)
            let rows = try await desk.api.pool.query("SELECT body FROM idempotency_keys")
            #expect(try rows.count == 1 && !String(decoding: rows[0].bytes("body"), as: UTF8.self).contains(secret))
        }
    }

    @Test("a batch's address is told of each of its debates, but for those that name their own")
    func batch() async throws {
        try await WebhookTests.with { desk in
            let answer = try await desk.api.send(
                "POST", "/api/debates/batch",
                #"""
                {"webhook_url":"\#(desk.receiver.url)/batch","items":[
                {"task":"The first of three?","agents":["demo","demo"],"rounds":1},
                {"task":"The second of three?","agents":["demo","demo"],"rounds":1},
                {"task":"The third of three?","agents":["demo","demo"],"rounds":1,"webhook_url":"\#(desk.receiver.url)/own"}]}
                """#)
            let secret = try #require(answer.json["webhook_secret"]?.string, "\(answer.text)")
            for item in answer.json["items"]?.array ?? [] {
                try await desk.api.finish(try #require(item["debate_id"]?.string))
            }
            #expect(await desk.go() == 3)
            let requests = desk.receiver.requests
            #expect(requests.filter { $0.head.hasPrefix("POST /batch ") }.count == 2)
            #expect(requests.filter { $0.head.hasPrefix("POST /own ") }.count == 1)
            #expect(try requests.allSatisfy { try WebhookTests.libraryTakes($0, secret: secret) })
        }
    }

    @Test("one that is not taken is a dead letter in the end, and is sent again by hand to where it was")
    func dead() async throws {
        let isUp = Lock(false)
        try await WebhookTests.with(script: { _ in
            [.response(isUp.withLock { $0 } ? "200 OK" : "410 Gone", body: "")]
        }) { desk in
            let asked = try await ask(desk, #","webhook_url":"\#(desk.receiver.url)/mine""#)
            try await desk.api.finish(try #require(asked.json["debate_id"]?.string))
            #expect(await desk.go() == 1)
            let letter = try #require(try await desk.letters().first)
            #expect(letter["webhook_id"]?.isNull == true && letter["channel"]?.string == "webhook")
            isUp.withLock { $0 = true }
            let id = try #require(letter["id"]?.string)
            #expect(try await desk.api.send("POST", "/api/v1/webhooks/dead-letter/\(id)/retry").status == 200)
            #expect(await desk.go() == 1)
            #expect(try await desk.letters().isEmpty)
            #expect(Set(desk.receiver.requests.compactMap { $0.header("webhook-id") }).count == 1)
        }
    }

    @Test(
        "a name that leads into our network is given up, nothing is connected to; a private address is refused at once")
    func inside() async throws {
        try await WebhookTests.with(["ARAGORA_WEBHOOK_ALLOWED_ADDRESSES": ""]) { desk in
            let asked = try await ask(desk, #","webhook_url":"http://localhost:\#(desk.receiver.port)/""#)
            try await desk.api.finish(try #require(asked.json["debate_id"]?.string, "\(asked.text)"))
            #expect(await desk.go() == 1)
            #expect(desk.receiver.connectionCount == 0)
            #expect(try await desk.letters().first?["error"]?.string?.hasPrefix("addressRefused") == true)
            for url in ["http://10.0.0.1/", "http://[::1]/", "ftp://x.example/", "https://a:b@x.example/"] {
                let refused = try await ask(desk, #","webhook_url":"\#(url)""#)
                #expect(refused.status == 400 && refused.fields == ["webhook_url"], "\(refused.text)")
            }
            let orphan = try await ask(desk, #","webhook_secret":"whsec_x""#)
            #expect(orphan.status == 400 && orphan.fields == ["webhook_secret"])
            let items = #"{"items":[{"task":"Is it inside?"}],"webhook_url":"http://127.0.0.1/"}"#
            let batch = try await desk.api.send("POST", "/api/debates/batch", items)
            #expect(batch.status == 400 && batch.text.contains("webhook_url"))
        }
    }

    @Test("erasing a debate forgets who was to be told, and what was sent to them")
    func erased() async throws {
        try await WebhookTests.with { desk in
            let asked = try await ask(desk, #","webhook_url":"\#(desk.receiver.url)/mine""#)
            let debate = try #require(asked.json["debate_id"]?.string)
            try await desk.api.finish(debate)
            #expect(try await desk.api.send("DELETE", "/api/debates/\(debate)").status == 200)
            let left = try await desk.api.pool.query(
                "SELECT (SELECT count(*) FROM debate_callbacks) + (SELECT count(*) FROM webhook_outbox) AS n")
            #expect(try left[0].int("n") == 0)
        }
    }

    @Test("without an encryption key nobody can be told; a debate that asks for it is refused")
    func noKey() async throws {
        try await APIFixture.with { api in
            let answer = try await api.send(
                "POST", "/api/debates", #"{"topic":"Who is told of this?","webhook_url":"https://x.example/"}"#)
            #expect(answer.status == 409 && answer.code == "not_configured")
        }
    }

    @Test(
        "auto_select_config says how many are chosen, and what it can not say is refused",
        arguments: [
            (#""auto_select":true"#, 3), (#""auto_select":true,"auto_select_config":{"max_agents":2}"#, 2),
            (#""auto_select_config":{"min_agents":5,"max_agents":6}"#, 5),
        ] as [(String, Int)])
    func selected(_ fields: String, _ count: Int) async throws {
        try await APIFixture.with { api in
            let answer = try await api.send("POST", "/api/debates", #"{"topic":"How many speak?",\#(fields)}"#)
            #expect(answer.json["agents"]?.array?.count == count, "\(answer.text)")
        }
    }

    @Test(
        "an auto_select_config that is none",
        arguments: [
            (#""auto_select_config":{"primary_domain":"law"}"#, "auto_select_config.primary_domain"),
            (#""auto_select_config":{"min_agents":1}"#, "auto_select_config.min_agents"),
            (#""auto_select_config":{"min_agents":4,"max_agents":3}"#, "auto_select_config.min_agents"),
            (#""auto_select":false,"auto_select_config":{"max_agents":3}"#, "auto_select_config"),
            (#""agents":["demo"],"auto_select_config":{"max_agents":3}"#, "auto_select_config"),
        ] as [(String, String)])
    func notSelected(_ fields: String, _ field: String) async throws {
        try await APIFixture.with { api in
            let answer = try await api.send("POST", "/api/debates", #"{"topic":"How many speak?",\#(fields)}"#)
            #expect(answer.status == 400 && answer.fields == [field], "\(answer.text)")
        }
    }
}
