import Contracts
import Crypto
import Domain
import Glibc
import HTTPClient
import Platform
import PostgresClient
import Sockets
import Storage
import TestSupport
import Testing
import Webhooks

@testable import ServiceKit
@testable import aragora_api

/// Slack's requests in the forms that it documents, with its own library's signatures; our messages judged by its models.
@Suite("Slack", .needsPostgres, .timeLimit(.minutes(2)))
struct SlackTests {
    static let secret = "8f742231b10e8888abcd99yyyzzz85a5"

    /// What Slack has been asked, and what it answers.
    struct Workspace {
        let api: APIFixture
        let slack: ScriptedServer
        let courier: WebhookCourier
        let client: HTTPClient
        let box: SecretBox

        func go() async -> Int { await courier.deliverDue(box, client) }

        /// A request as Slack would send it, signed by Slack's library unless told otherwise.
        func send(
            _ path: String, _ body: String, type: String = "application/x-www-form-urlencoded",
            at offset: Int64 = 0, secret: String = SlackTests.secret, signature: String? = nil
        ) async throws -> Answer {
            let time = WallClock.nowMilliseconds() / 1000 + offset
            let signed = try signature ?? SlackTests.librarySignature(body, timestamp: time, secret: secret)
            return try await api.send(
                "POST", "/api/v1/bots/slack/\(path)", body, token: nil,
                headers: [
                    "X-Slack-Signature": signed, "X-Slack-Request-Timestamp": "\(time)", "Content-Type": type,
                ])
        }

        func command(_ text: String, trigger: String = "13345224609.738474920.8088930838d88f008e0") async throws
            -> Answer
        {
            let url = PercentText.encode(slack.url + "/commands/1234/5678")
            return try await send(
                "commands",
                "token=gIkuvaNzQIHg97ATvDxqgjtO&team_id=T0001&team_domain=example&channel_id=C2147483705"
                    + "&channel_name=test&user_id=U2147483697&user_name=Steve&command=%2Faragora"
                    + "&text=\(PercentText.encode(text))&response_url=\(url)&trigger_id=\(trigger)&api_app_id=A123456")
        }

        func debate() async throws -> String {
            try #require(try await api.get("/api/debates").json["debates"]?.array?.first?["id"]?.string)
        }

        var posts: [JSONValue] {
            get throws { try slack.requests.map { try JSONParser.parse($0.body) } }
        }
    }

    static func with(
        _ environment: [String: String] = [:],
        script: @escaping ScriptedServer.Script = { _ in
            [
                .response(
                    "200 OK", headers: "Content-Type: application/json\r\n",
                    body: #"{"ok":true,"ts":"1503435956.000247"}"#)
            ]
        },
        _ body: (Workspace) async throws -> Void
    ) async throws {
        let loop = try EventLoop(name: "slack")
        let slack = try ScriptedServer(loop: loop, script: script)
        let standard = [
            "SLACK_SIGNING_SECRET": secret, "SLACK_BOT_TOKEN": "xoxb-not-a-real-token", "SLACK_API_URL": slack.url,
        ]
        let all = WebhookTests.environment.merging(standard) { $1 }.merging(environment) { $1 }
        try await APIFixture.with(all) { api in
            let box = try #require(api.context.common.sessions.secretBox)
            let courier = WebhookCourier(
                store: WebhookStore(pool: api.backends.main.postgres), box: box, settings: api.settings.webhooks,
                loop: api.loop, log: api.context.log, metrics: api.context.metrics)
            let client = courier.makeClient()
            let workspace = Workspace(api: api, slack: slack, courier: courier, client: client, box: box)
            do { try await body(workspace) } catch {
                await client.close()
                throw error
            }
            await client.close()
        }
        loop.stop()
    }

    // MARK: Slack's own library

    private static func python(_ arguments: String, _ input: [UInt8]) throws -> (status: Int32, output: String)? {
        let name = "TEST_PYTHON"
        guard let python = unsafe getenv(name).map({ unsafe String(cString: $0) }) else { return nil }
        let folder = "/tmp/aragora-slack-\(Hex.encode(try RandomBytes.make(8)))"
        defer {
            unlink(folder + ".in")
            unlink(folder + ".out")
        }
        let written = unsafe fopen(folder + ".in", "w")
        _ = unsafe input.withUnsafeBytes { unsafe fwrite($0.baseAddress, 1, $0.count, written) }
        unsafe fclose(written)
        let status = system("'\(python)' Tests/Chat/slack.py \(arguments) <'\(folder).in' >'\(folder).out'")
        var output: [UInt8] = [UInt8](repeating: 0, count: 4096)
        let read = unsafe fopen(folder + ".out", "r")
        let count = unsafe output.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, read) }
        unsafe fclose(read)
        return (status, String(decoding: output.prefix(count), as: UTF8.self))
    }

    static func librarySignature(_ body: String, timestamp: Int64, secret: String) throws -> String {
        let answer = try python("sign '\(secret)' \(timestamp)", Array(body.utf8))
        guard let answer else {
            return SlackSignature.sign(Array(body.utf8), timestamp: "\(timestamp)", secret: Array(secret.utf8))
        }
        return answer.output.split(separator: "\n").first.map(String.init) ?? ""
    }

    private static func libraryTakes(_ message: JSONValue) throws -> Bool {
        try python("judge", CanonicalJSON.encode(message)).map { $0.status == 0 } ?? true
    }

    // MARK: Tests

    @Test("signatures are those of Slack's own example; older, later, wrong and foreign ones are none")
    func example() {
        // From Slack's documentation, "Verifying requests from Slack".
        let body =
            "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
        let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
        func check(_ signature: String, now: Int64, secret: String = Self.secret) -> SlackSignature.Verdict {
            SlackSignature.check(
                signature, Array(body.utf8), timestamp: "1531420618", secret: Array(secret.utf8), now: now)
        }
        #expect(check(signature, now: 1_531_420_618) == .valid)
        #expect(
            check(signature, now: 1_531_420_618 + 300) == .valid && check(signature, now: 1_531_420_618 + 301) == .stale
        )
        #expect(check(signature, now: 1_531_420_618 - 301) == .stale)
        #expect(check(signature.uppercased(), now: 1_531_420_618) == .invalid)
        #expect(check(signature, now: 1_531_420_618, secret: "other") == .invalid)
        for time in ["", "now", "-9223372036854775808", "9223372036854775807"] {
            #expect(SlackSignature.check("", [], timestamp: time, secret: [1], now: 0) == .stale)
        }
    }

    @Test("a slash command begins a debate; its beginning is posted, and its end in the thread of that, once each")
    func asked() async throws {
        try await Self.with { desk in
            let answer = try await desk.command("ask Should we keep <https://x.example|this> &amp; that?")
            #expect(answer.status == 200 && answer.json["response_type"]?.string == "ephemeral", "\(answer.text)")
            let debate = try await desk.debate()
            #expect(answer.json["text"]?.string?.contains(debate) == true)
            let record = try await desk.api.get("/api/debates/\(debate)")
            #expect(record.json["task"]?.string == "Should we keep https://x.example & that?")
            try await desk.api.finish(debate)
            #expect(await desk.go() == 1, "the beginning goes before the end")
            #expect(await desk.go() == 1)
            #expect(await desk.go() == 0)
            let posts = try desk.posts
            #expect(posts.count == 2 && posts.allSatisfy { $0["channel"]?.string == "C2147483705" })
            #expect(posts[0]["thread_ts"] == nil && posts[1]["thread_ts"]?.string == "1503435956.000247")
            #expect(posts[0]["text"]?.string?.contains("https://x.example &amp; that") == true)
            #expect(posts[1]["text"]?.string?.contains("The panel") == true)
            for (request, post) in zip(desk.slack.requests, posts) {
                #expect(request.head.hasPrefix("POST /chat.postMessage "))
                #expect(request.header("Authorization") == "Bearer xoxb-not-a-real-token")
                #expect(try Self.libraryTakes(post), "\(post)")
            }
        }
    }

    @Test("what is unsigned, too old, from the future, wrongly signed or seen before is refused")
    func refused() async throws {
        try await Self.with { desk in
            let body = "text=status&channel_id=C1&user_id=U1"
            for answer in [
                try await desk.send("commands", body, at: -400), try await desk.send("commands", body, at: 400),
                try await desk.send("commands", body, secret: "another"),
                try await desk.send("commands", body, signature: ""),
                try await desk.send("commands", body, signature: "v0=" + String(repeating: "0", count: 64)),
                try await desk.api.send("POST", "/api/v1/bots/slack/events", "{}", token: nil),
                try await desk.api.send("POST", "/api/v1/bots/slack/interactions", "{}"),
            ] {
                #expect(answer.status == 401 && answer.code == "invalid_token", "\(answer.text)")
            }
            let time = WallClock.nowMilliseconds() / 1000
            let signature = try Self.librarySignature(body, timestamp: time, secret: Self.secret)
            let headers = ["X-Slack-Signature": signature, "X-Slack-Request-Timestamp": "\(time)"]
            let path = "/api/v1/bots/slack/commands"
            #expect(try await desk.api.send("POST", path, body, token: nil, headers: headers).status == 200)
            #expect(try await desk.api.send("POST", path, body, token: nil, headers: headers).status == 401)
            #expect(try await desk.api.send("POST", path, body + "1", token: nil, headers: headers).status == 401)
        }
        try await APIFixture.with { api in
            let answer = try await api.send("POST", "/api/v1/bots/slack/commands", "text=help", token: nil)
            #expect(answer.status == 409 && answer.code == "not_configured")
            #expect(try await api.get("/api/v1/bots/slack/status").json["enabled"]?.bool == false)
        }
    }

    @Test("every word of a command is answered, and nothing that others wrote becomes markup")
    func words() async throws {
        try await Self.with { desk in
            var trigger = 0
            func say(_ text: String) async throws -> String {
                trigger += 1
                let answer = try await desk.command(text, trigger: "\(trigger).1")
                #expect(answer.status == 200, "\(text): \(answer.text)")
                return answer.json["text"]?.string ?? ""
            }
            #expect(try await say("").contains("ask QUESTION"))
            #expect(try await say("help").contains("leaderboard"))
            #expect(try await say("status").contains("debates wait"))
            #expect(try await say("leaderboard").contains("No debate was rated yet"))
            #expect(try await say("status dbt_none") == "Debate not found.")
            #expect(try await say("vote dbt_none yes") == "Debate not found.")
            #expect(try await say("ask ok").contains("question must have from 3"))
            _ = try await say("plan <!channel> moving the *database*")
            let debate = try await desk.debate()
            #expect(try await desk.api.get("/api/debates/\(debate)").json["task"]?.string == "moving the *database*")
            #expect(try await say("vote \(debate) Postgres & <!here>").contains("Noted"))
            #expect(try await say("status \(debate)").contains("Status: "))
            try await desk.api.finish(debate)
            #expect(try await say("leaderboard").contains("1. demo"))
            #expect(try await say("vote \(debate) late").contains("already"))
            #expect(try await say("implement a queue in Postgres").contains("debates it"))
        }
        #expect(SlackMessage.escape("<!channel> & <@U1|x>") == "&lt;!channel&gt; &amp; &lt;@U1|x&gt;")
        #expect(
            SlackMessage.plain("<@U1> see <#C1|general> at <https://a.b/?c&amp;d>") == "see general at https://a.b/?c&d"
        )
    }

    @Test("an answer full of markup and of any length is a message that Slack takes, with all of it escaped")
    func longAnswer() throws {
        let nasty = String(repeating: "<!channel>&*_`", count: 500)
        for type in ["debate.completed", "debate.failed", "chat.reply", "debate.started"] {
            let body = CanonicalJSON.encode(
                [
                    "type": .string(type), "timestamp": "2026-01-01T00:00:00.000Z",
                    "data": [
                        "debate_id": "dbt_01kdyqrq00000000000000000a", "final_answer": .string(nasty),
                        "reason": .string(nasty), "text": .string(nasty), "question": .string(nasty),
                        "confidence": .double(0.5), "consensus_reached": true, "rounds_used": 1,
                    ],
                ] as JSONValue)
            let notice = try #require(ChatNotice(body: body))
            let message = JSONValue.object(SlackMessage.body(notice, question: nasty))
            let text = try #require(message["text"]?.string)
            #expect(!text.contains("<") && !text.contains(">") && text.contains("&lt;!channel&gt;"))
            #expect(try Self.libraryTakes(message), "\(type)")
        }
        #expect(ChatNotice(body: Array("{}".utf8)) == nil)
    }

    @Test(
        "Slack's question whether we are there is answered; a mention is answered in its thread, once for all repeats")
    func events() async throws {
        try await Self.with { desk in
            let hello = try await desk.send(
                "events", #"{"token":"x","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY","type":"url_verification"}"#,
                type: "application/json")
            #expect(hello.json["challenge"]?.string == "3eZbrw1aBm2rZgRNFdxV2595E9CY")
            func mention(_ text: String, id: String, more: String = "") async throws {
                let body = #"""
                    {"token":"ZZZ","team_id":"T123ABC456","api_app_id":"A123ABC456","event":{"type":"app_mention",\#(more)
                    "user":"U123ABC456","text":"<@U0LAN0Z89> \#(text)","ts":"1515449522.000016","channel":"C123ABC456",
                    "event_ts":"1515449522000016"},"type":"event_callback","event_id":"\#(id)","event_time":1515449522000016}
                    """#
                #expect(try await desk.send("events", body, type: "application/json").status == 200)
            }
            try await mention("Is it worth its price?", id: "Ev123ABC456")
            try await mention("Is it worth its price?", id: "Ev123ABC456", more: #""x":1,"#)
            #expect(try await desk.api.get("/api/debates").json["total"]?.int == 1)
            let debate = try await desk.debate()
            try await mention("status", id: "Ev2")
            try await mention("I am a bot", id: "Ev3", more: #""bot_id":"B1","#)
            try await desk.api.finish(debate)
            while await desk.go() > 0 {}
            let posts = try desk.posts
            #expect(posts.count == 3 && posts.allSatisfy { $0["thread_ts"]?.string == "1515449522.000016" })
            #expect(posts.contains { $0["text"]?.string?.contains("debates wait") == true })
            #expect(try posts.allSatisfy(Self.libraryTakes))
        }
    }

    @Test("buttons stop a debate, for whoever began it alone")
    func buttons() async throws {
        try await Self.with { desk in
            _ = try await desk.command("ask Shall we go on with it?")
            let debate = try await desk.debate()
            func press(_ action: String, user: String, trigger: String) async throws {
                let payload =
                    #"{"type":"block_actions","team":{"id":"T0001","domain":"example"},"user":{"id":"\#(user)","username":"x","team_id":"T0001"},"api_app_id":"A02","token":"S","container":{"type":"message","message_ts":"1548261231.000200","channel_id":"CBR2V3XEX"},"trigger_id":"\#(trigger)","channel":{"id":"CBR2V3XEX","name":"review"},"message":{"bot_id":"BAH5CA16Z","type":"message","ts":"1548261231.000200"},"response_url":"https://hooks.slack.com/actions/A/1/x","actions":[{"action_id":"\#(action)","block_id":"=qXel","value":"\#(debate)","type":"button","action_ts":"1548426417.840180"}]}"#
                let answer = try await desk.send("interactions", "payload=\(PercentText.encode(payload))")
                #expect(answer.status == 200, "\(answer.text)")
            }
            try await press("aragora_stop", user: "U9", trigger: "1")
            #expect(try await desk.api.get("/api/debates/\(debate)").json["status"]?.string != "cancelled")
            try await press("aragora_status", user: "U9", trigger: "2")
            try await press("aragora_stop", user: "U2147483697", trigger: "3")
            #expect(try await desk.api.get("/api/debates/\(debate)").json["status"]?.string == "cancelled")
            while await desk.go() > 0 {}
            let texts = try desk.posts.compactMap { $0["text"]?.string }
            #expect(texts.contains { $0.contains("somebody else") } && texts.contains { $0.contains("was stopped") })
        }
    }

    @Test("where the app may not post, the command itself is answered; what Slack can not do now is tried again")
    func otherWays() async throws {
        let answers = Lock([#"{"ok":false,"error":"not_in_channel"}"#, "ok", #"{"ok":false,"error":"ratelimited"}"#])
        try await Self.with(script: { _ in
            let next = answers.withLock { $0.isEmpty ? #"{"ok":true,"ts":"1.1"}"# : $0.removeFirst() }
            return [.response("200 OK", headers: "Content-Type: application/json\r\n", body: next)]
        }) { desk in
            _ = try await desk.command("ask Does it come through?")
            #expect(await desk.go() == 1)
            #expect(
                desk.slack.requests.map { $0.head.split(separator: "\r\n")[0] } == [
                    "POST /chat.postMessage HTTP/1.1", "POST /commands/1234/5678 HTTP/1.1",
                ])
            try await desk.api.finish(try await desk.debate())
            #expect(await desk.go() == 1)
            #expect(await desk.go() == 0, "it waits")
            _ = try await desk.api.pool.execute("UPDATE webhook_outbox SET next_attempt = now() - interval '1 second'")
            #expect(await desk.go() == 1)
            #expect(desk.slack.requests.count == 4)
            let posts = try desk.posts
            #expect(posts[1]["response_type"]?.string == "in_channel" && posts[1]["channel"] == nil)
        }
    }

    @Test("a response_url that is not Slack's is not called")
    func foreignURL() async throws {
        try await Self.with(["SLACK_BOT_TOKEN": "", "SLACK_API_URL": "https://slack.com/api"]) { desk in
            _ = try await desk.command("ask Where does this go?")
            #expect(await desk.go() == 1)
            #expect(desk.slack.requests.isEmpty)
            let rows = try await desk.api.pool.query("SELECT failure FROM webhook_outbox")
            #expect(try rows[0].text("failure").contains("SLACK_BOT_TOKEN"))
        }
    }
}

/// As forms have it.
enum PercentText {
    static func encode(_ text: String) -> String {
        text.utf8.map { byte in
            byte >= 0x30 && byte <= 0x39 || byte >= 0x41 && byte <= 0x5A || byte >= 0x61 && byte <= 0x7A
                ? String(UnicodeScalar(byte)) : "%" + Hex.encode([byte])
        }.joined()
    }
}
