import Contracts
import Crypto
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

/// Teams' activities in the forms that Microsoft documents, with really signed tokens, against a Bot Connector and a login of
/// the test's.
@Suite("Teams", .needsPostgres, .timeLimit(.minutes(2)))
struct TeamsTests {
    static let app = "c9e8c047-2a34-40a1-b28a-b162d5f5327c"
    static let tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"
    static let password = "not a real/password"
    static let conversation = "19:253b1f341670408fb6fe51050b6e5ceb@thread.skype;messageid=1485983194839"

    /// What Microsoft's side does.
    struct Script: Sendable {
        var keys: [JSONValue] = []
        var keyRequests = 0
        var logins = 0
        /// Of the next messages; 201 when there is none.
        var statuses: [String] = []
        var issuer = ConnectorMetadata.issuer
        var isAway = false
    }

    struct Desk {
        let api: APIFixture
        let microsoft: ScriptedServer
        let script: Lock<Script>
        let signer: TokenSigner
        let courier: WebhookCourier
        let client: HTTPClient
        let box: SecretBox

        var service: String { microsoft.url + "/amer/" }
        func go() async -> Int { await courier.deliverDue(box, client) }

        /// Makes everything due that waits.
        func hurry() async throws {
            _ = try await api.pool.execute("UPDATE webhook_outbox SET next_attempt = now() - interval '1 second'")
        }

        func claims(_ change: (inout JSONObject) -> Void = { _ in }) -> JSONObject {
            let now = WallClock.nowMilliseconds() / 1000
            var claims = JSONObject([
                ("serviceurl", .string(service)), ("nbf", .int(now - 10)), ("exp", .int(now + 3600)),
                ("iss", .string(ConnectorMetadata.issuer)), ("aud", .string(TeamsTests.app)),
            ])
            change(&claims)
            return claims
        }

        func send(_ body: String, token: String? = nil) async throws -> Answer {
            try await api.send(
                "POST", "/api/v1/bots/teams/messages", body, token: nil,
                headers: [
                    "Authorization": "Bearer \(token ?? signer.token(claims()))",
                    "Content-Type": "application/json; charset=utf-8",
                ])
        }

        /// As a person writes it in a channel, where the bot is mentioned.
        func activity(
            _ text: String, id: String = "1485983408511", type: String = "message",
            user: String = "29:1XJKJMvc5GBtc2Jw",
            person: String = "7faf8a98-4f4c-4c4d-8f8f-3e0f2b1f4a11", service: String? = nil,
            channel: String = "msteams",
            more: String = ""
        ) -> String {
            let text = String(decoding: CanonicalJSON.encode(.string(text)), as: UTF8.self)
            return #"""
                {"type":"\#(type)","id":"\#(id)","timestamp":"2017-02-01T21:10:07.437Z",
                "localTimestamp":"2017-02-01T14:10:07.437-07:00","serviceUrl":"\#(service ?? self.service)",
                "channelId":"\#(channel)","from":{"id":"\#(user)","name":"Megan Bowen","aadObjectId":"\#(person)"},
                "conversation":{"isGroup":true,"conversationType":"channel","tenantId":"72f988bf-86f1-41af-91ab-2d7cd011db47",
                "id":"\#(TeamsTests.conversation)"},
                "recipient":{"id":"28:\#(TeamsTests.app)","name":"Aragora"},"textFormat":"plain","text":\#(text),
                "attachments":[{"contentType":"text/html","content":"<div></div>"}],
                "entities":[{"type":"clientInfo","locale":"en-US","platform":"Windows"},
                {"type":"mention","mentioned":{"id":"28:\#(TeamsTests.app)","name":"Aragora"},"text":"<at>Aragora</at>"}],
                "channelData":{"tenant":{"id":"72f988bf-86f1-41af-91ab-2d7cd011db47"},"team":{"id":"19:x@thread.skype"}}\#(more)}
                """#
        }

        func say(_ text: String, id: String) async throws {
            let answer = try await send(activity("<at>Aragora</at> " + text, id: id))
            #expect(answer.status == 200, "\(text): \(answer.text)")
        }

        func debate() async throws -> String {
            try #require(try await api.get("/api/debates").json["debates"]?.array?.first?["id"]?.string)
        }

        var messages: [ScriptedServer.Request] { microsoft.requests.filter { $0.head.contains("/v3/conversations/") } }
        var posts: [JSONValue] { get throws { try messages.map { try JSONParser.parse($0.body) } } }

        /// Every word of a message, ours and others'.
        static func words(_ post: JSONValue) -> String {
            let body = post["attachments"]?.array?.first?["content"]?["body"]?.array ?? []
            return body.map { block in
                block["text"]?.string ?? (block["inlines"]?.array ?? []).compactMap { $0["text"]?.string }.joined()
            }.joined(separator: "\n")
        }
    }

    static func with(_ environment: [String: String] = [:], _ body: (Desk) async throws -> Void) async throws {
        let loop = try EventLoop(name: "teams")
        defer { loop.stop() }
        let signer = TokenSigner(.rsa(bits: 2048), id: "first")
        let script = Lock(Script(keys: [endorsed(signer)]))
        let microsoft = try ScriptedServer(loop: loop) { request in answer(request, script) }
        let standard = [
            "TEAMS_APP_ID": app, "TEAMS_APP_PASSWORD": password, "TEAMS_TENANT_ID": tenant,
            "TEAMS_OPENID_URL": microsoft.url + "/openid",
            "TEAMS_LOGIN_URL": microsoft.url + "/", "TEAMS_SERVICE_URLS": microsoft.url,
        ]
        let all = WebhookTests.environment.merging(standard) { $1 }.merging(environment) { $1 }
        try await APIFixture.with(all) { api in
            let box = try #require(api.context.common.sessions.secretBox)
            let courier = WebhookCourier(
                store: WebhookStore(pool: api.backends.main.postgres), box: box, settings: api.settings.webhooks,
                loop: api.loop, log: api.context.log, metrics: api.context.metrics)
            let client = courier.makeClient()
            let desk = Desk(
                api: api, microsoft: microsoft, script: script, signer: signer, courier: courier, client: client,
                box: box)
            do { try await body(desk) } catch {
                await client.close()
                throw error
            }
            await client.close()
        }
    }

    private static func endorsed(_ signer: TokenSigner, _ channels: [String] = ["msteams", "webchat"]) -> JSONValue {
        var key = signer.published.object ?? JSONObject()
        key["endorsements"] = .strings(channels)
        return .object(key)
    }

    private static func answer(_ request: ScriptedServer.Request, _ script: Lock<Script>) -> [ScriptedServer.Step] {
        let path = String(request.head.split(separator: " ").dropFirst().first ?? "")
        func json(_ value: JSONValue, _ status: String = "200 OK") -> [ScriptedServer.Step] {
            [
                .response(
                    status, headers: "Content-Type: application/json\r\n",
                    body: String(decoding: CanonicalJSON.encode(value), as: UTF8.self))
            ]
        }
        return script.withLock { script in
            switch path {
            case _ where script.isAway: return [.close]
            case "/openid":
                return json([
                    "issuer": .string(script.issuer), "authorization_endpoint": "https://invalid.botframework.com",
                    "jwks_uri": .string("http://\(request.header("Host") ?? "")/keys"),
                    "id_token_signing_alg_values_supported": ["RS256"],
                    "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                ])
            case "/keys":
                script.keyRequests += 1
                return json(["keys": .array(script.keys)])
            case "/\(tenant)/oauth2/v2.0/token":
                script.logins += 1
                let form =
                    "grant_type=client_credentials&client_id=\(app)&client_secret=not%20a%20real%2Fpassword"
                    + "&scope=https%3A%2F%2Fapi.botframework.com%2F.default"
                guard String(decoding: request.body, as: UTF8.self) == form else { return json([:], "400 Bad Request") }
                return json([
                    "token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599,
                    "access_token": .string("token-\(script.logins)"),
                ])
            default:
                let status = script.statuses.isEmpty ? "201 Created" : script.statuses.removeFirst()
                return json(["id": "1:1Qs3gr7o"], status)
            }
        }
    }

    // MARK: Tests

    @Test(
        "a mention begins a debate; its beginning and its end go to the conversation, once each, however often it comes"
    )
    func asked() async throws {
        try await Self.with { desk in
            for _ in 0..<2 { try await desk.say("Should we keep &lt;this&gt; &amp; that?", id: "1") }
            #expect(try await desk.api.get("/api/debates").json["total"]?.int == 1)
            let debate = try await desk.debate()
            #expect(
                try await desk.api.get("/api/debates/\(debate)").json["task"]?.string == "Should we keep <this> & that?"
            )
            try await desk.api.finish(debate)
            #expect(await desk.go() == 1, "the beginning goes before the end")
            #expect(await desk.go() == 1)
            #expect(await desk.go() == 0)
            let posts = try desk.posts
            try #require(posts.count == 2)
            for (request, post) in zip(desk.messages, posts) {
                let path =
                    "/amer/v3/conversations/19%3A253b1f341670408fb6fe51050b6e5ceb%40thread.skype%3Bmessageid%3D1485983194839"
                    + "/activities"
                #expect(request.head.hasPrefix("POST \(path) "), "\(request.head)")
                #expect(request.header("Authorization") == "Bearer token-1")
                #expect(post["from"]?["id"]?.string == "28:\(Self.app)" && post["type"]?.string == "message")
                #expect(post["conversation"]?["id"]?.string == Self.conversation)
                #expect(
                    post["attachments"]?.array?.first?["contentType"]?.string
                        == "application/vnd.microsoft.card.adaptive")
            }
            #expect(desk.script.withLock { $0.logins } == 1, "a token is good for many messages")
            #expect(Desk.words(posts[0]).contains("Should we keep <this> & that?"))
            let buttons = posts[0]["attachments"]?.array?.first?["content"]?["actions"]?.array ?? []
            #expect(buttons.map { $0["data"]?["debate"]?.string } == [debate, debate])
            #expect(Desk.words(posts[1]).contains("The panel"))
        }
    }

    @Test("no token but the connector's own, for us, now, and for this activity, is taken")
    func attacks() async throws {
        try await Self.with { desk in
            let (rsa, now) = (desk.signer, WallClock.nowMilliseconds() / 1000)
            let stranger = TokenSigner(.rsa(bits: 2048), id: "first")
            let curve = TokenSigner(.p256, id: "curve")
            let other = TokenSigner(.rsa(bits: 2048), id: "webchat")
            desk.script.withLock { $0.keys += [curve.published, Self.endorsed(other, ["webchat"])] }
            func claims(_ change: (inout JSONObject) -> Void) -> String { rsa.token(desk.claims(change)) }
            func unsigned(_ header: String) -> String {
                rsa.token(desk.claims(), header: header).split(separator: ".").prefix(2).joined(separator: ".") + "."
            }
            func hmac(_ key: [UInt8], _ header: String) -> String {
                let signed = rsa.token(desk.claims(), header: header).split(separator: ".").prefix(2)
                    .joined(separator: ".")
                return signed + "." + Base64.encodeURLSafe(HMACSHA256.code(for: Array(signed.utf8), key: key))
            }
            let bad: [(String, String)] = [
                ("another audience", claims { $0["aud"] = "other" }), ("no audience", claims { $0["aud"] = nil }),
                ("two audiences", claims { $0["aud"] = [.string(Self.app), "other"] }),
                ("another issuer", claims { $0["iss"] = "https://sts.windows.net/x/" }),
                ("no issuer", claims { $0["iss"] = nil }),
                ("expired", claims { $0["exp"] = .int(now - 301) }), ("no end", claims { $0["exp"] = nil }),
                ("an end that is a text", claims { $0["exp"] = "9999999999" }),
                ("not before", claims { $0["nbf"] = .int(now + 400) }),
                ("another service", claims { $0["serviceurl"] = "https://smba.trafficmanager.net/amer/" }),
                ("another path of it", claims { $0["serviceurl"] = .string(desk.microsoft.url + "/emea/") }),
                ("no service", claims { $0["serviceurl"] = nil }),
                ("none", unsigned(#"{"alg":"none"}"#)), ("None", unsigned(#"{"alg":"None","kid":"first"}"#)),
                ("RS256 without a signature", unsigned(#"{"alg":"RS256","kid":"first"}"#)),
                ("HS256 with the key's DER", hmac(rsa.info, #"{"alg":"HS256","kid":"first"}"#)),
                ("HS256 with the password", hmac(Array(Self.password.utf8), #"{"alg":"HS256","kid":"first"}"#)),
                ("RS256 that is an HMAC", hmac(rsa.info, #"{"alg":"RS256","kid":"first"}"#)),
                ("ES256", curve.token(desk.claims())),
                ("an unknown id", rsa.token(desk.claims(), header: #"{"alg":"RS256","kid":"second"}"#)),
                ("a key of its own", rsa.token(desk.claims(), header: #"{"alg":"RS256","kid":"first","jwk":{}}"#)),
                ("a stranger's signature", stranger.token(desk.claims())),
                ("a key for another channel", other.token(desk.claims())),
                ("a cut signature", String(rsa.token(desk.claims()).dropLast(4))), ("no token", "x"), ("nothing", ""),
                ("our own API's", APIFixture.token),
            ]
            let body = desk.activity("<at>Aragora</at> Is this taken?")
            for (name, token) in bad {
                let answer = try await desk.send(body, token: token)
                #expect(answer.status == 401 && answer.code == "invalid_token", "\(name): \(answer.text)")
            }
            #expect(try await desk.api.send("POST", "/api/bots/teams/messages", body, token: nil).status == 401)
            #expect(try await desk.send(desk.activity("x", service: "https://evil.example/")).status == 401)
            #expect(try await desk.api.get("/api/debates").json["total"]?.int == 0)
            let good = [
                claims { _ in }, claims { $0["aud"] = [.string(Self.app)] }, claims { $0["exp"] = .int(now - 200) },
                rsa.token(desk.claims(), header: #"{"alg":"RS256","kid":"first","x5t":"first","typ":"JWT"}"#),
            ]
            for token in good { #expect(try await desk.send(body, token: token).status == 200) }
            #expect(try await desk.api.get("/api/debates").json["total"]?.int == 1)
        }
    }

    @Test(
        "a new key of the connector's is found, unknown ids ask for the set seldom, and while it is away known keys are good"
    )
    func rotation() async throws {
        try await Self.with { desk in
            try await desk.say("status", id: "1")
            #expect(desk.script.withLock { $0.keyRequests } == 1)
            let next = TokenSigner(.rsa(bits: 2048), id: "next")
            desk.script.withLock { $0.keys.append(Self.endorsed(next)) }
            #expect(
                try await desk.send(desk.activity("status", id: "2"), token: next.token(desk.claims())).status == 200)
            for _ in 0..<3 {
                let unknown = desk.signer.token(desk.claims(), header: #"{"alg":"RS256","kid":"none"}"#)
                #expect(try await desk.send(desk.activity("status", id: "3"), token: unknown).status == 401)
            }
            #expect(desk.script.withLock { $0.keyRequests } == 2)
            desk.script.withLock { $0.isAway = true }
            try await desk.say("status", id: "4")
        }
        for change in [{ $0.isAway = true }, { $0.issuer = "https://evil.example" }] as [(inout Script) -> Void] {
            try await Self.with { desk in
                desk.script.withLock { change(&$0) }
                let answer = try await desk.send(desk.activity("status"))
                #expect(answer.status == 502 || answer.status == 503, "\(answer.text)")
                #expect(answer.code == "upstream_unavailable")
            }
        }
    }

    @Test("words are answered in the conversation, a vote once; what bots say, and who comes and goes, is not answered")
    func words() async throws {
        try await Self.with { desk in
            try await desk.say("help", id: "1")
            try await desk.say("help", id: "1")
            try await desk.say("ask ok", id: "2")
            try await desk.say("plan moving the *database*", id: "3")
            let debate = try await desk.debate()
            for _ in 0..<2 { try await desk.say("vote \(debate) Postgres", id: "4") }
            let silent = [
                desk.activity("", type: "conversationUpdate", more: #","membersAdded":[{"id":"28:x"}]"#),
                desk.activity("hello", user: "28:another"), desk.activity("", type: "typing"),
                desk.activity("", type: "invoke", more: #","name":"composeExtension/query","value":{}"#),
                #"{"type":"conversationUpdate","channelId":"msteams","serviceUrl":"\#(desk.service)"}"#,
            ]
            for body in silent { #expect(try await desk.send(body).status == 200) }
            while await desk.go() > 0 {}
            let texts = try desk.posts.map(Desk.words)
            // The end of the debate may be there already.
            #expect((4...5).contains(texts.count), "\(texts)")
            #expect(texts.filter { $0.contains("ask QUESTION") }.count == 1)
            #expect(texts.contains { $0.contains("question must have from 3") })
            #expect(texts.contains { $0.contains("moving the *database*") })
            #expect(texts.filter { $0.contains("Noted") }.count == 1)
            for body in ["", "{}", "[]", "x", #"{"type":"message"}"#] {
                #expect(try await desk.send(body).status == 400)
            }
            #expect(try await desk.send(desk.activity("hello", channel: "emulator")).status == 401)
        }
    }

    @Test("buttons stop a debate, for whoever began it alone, as Submit and as Execute")
    func buttons() async throws {
        try await Self.with { desk in
            try await desk.say("Shall we go on with it?", id: "1")
            let debate = try await desk.debate()
            func status() async throws -> String? {
                try await desk.api.get("/api/debates/\(debate)").json["status"]?.string
            }
            let submit = #","replyToId":"1:1Qs3gr7o","value":{"verb":"aragora_stop","debate":"\#(debate)"}"#
            let stranger = "00000000-4f4c-4c4d-8f8f-3e0f2b1f4a11"
            #expect(try await desk.send(desk.activity("", id: "2", person: stranger, more: submit)).status == 200)
            let before = try await status()
            #expect(before != "cancelled")
            func execute(_ verb: String) -> String {
                #","name":"adaptiveCard/action","value":{"action":{"type":"Action.Execute","id":"x","verb":"\#(verb)","data":{"debate":"\#(debate)"}},"trigger":"manual"}"#
            }
            let shown = try await desk.send(desk.activity("", id: "3", type: "invoke", more: execute("aragora_status")))
            #expect(
                shown.json["statusCode"]?.int == 200
                    && shown.json["type"]?.string == "application/vnd.microsoft.activity.message", "\(shown.text)")
            #expect(
                try await desk.send(desk.activity("", id: "4", type: "invoke", more: execute("other"))).status == 200)
            #expect(try await desk.send(desk.activity("", id: "5", more: submit)).status == 200)
            let after = try await status()
            #expect(after == "cancelled")
            while await desk.go() > 0 {}
            let texts = try desk.posts.map(Desk.words)
            #expect(texts.contains { $0.contains("somebody else") } && texts.contains { $0.contains("Status: ") })
            #expect(texts.contains { $0.contains("was stopped") })
        }
    }

    @Test("a refused token is had anew, a pause is kept, and what can not be cured is a dead letter")
    func failures() async throws {
        try await Self.with { desk in
            desk.script.withLock { $0.statuses = ["401 Unauthorized", "429 Too Many Requests", "502 Bad Gateway"] }
            try await desk.say("help", id: "1")
            for count in 1...4 {
                #expect(await desk.go() == 1)
                #expect(desk.messages.count == count)
                try await desk.hurry()
            }
            #expect(await desk.go() == 0)
            #expect(
                desk.messages.map { $0.header("Authorization") } == [
                    "Bearer token-1", "Bearer token-2", "Bearer token-2", "Bearer token-2",
                ])
            desk.script.withLock { $0.statuses = ["403 Forbidden"] }
            try await desk.say("help", id: "2")
            #expect(await desk.go() == 1)
            try await desk.hurry()
            #expect(await desk.go() == 0, "the bot is not there: it is given up")
        }
    }

    @Test("the people of one tenant are heard, and nobody whose activity or token names another, or none")
    func tenant() async throws {
        try await Self.with(["TEAMS_TENANT_ID": Self.tenant.uppercased()]) { desk in
            try await desk.say("help", id: "1")
            _ = await desk.go()
            #expect(
                desk.microsoft.requests.contains {
                    $0.head.hasPrefix("POST /\(Self.tenant)/oauth2/v2.0/token ")
                })
            let ours = desk.activity("ask Whose tenant is this one?")
            let conversation = #""tenantId":"\#(Self.tenant)","#, channel = #""tenant":{"id":"\#(Self.tenant)"},"#
            let foreign = [
                ("both", ours.replacing("72f988bf", with: "00000000")),
                ("the conversation's", ours.replacing(conversation, with: #""tenantId":"x","#)),
                ("the channel's", ours.replacing(channel, with: #""tenant":{"id":"x"},"#)),
                ("a number", ours.replacing(channel, with: #""tenant":{"id":7},"#)),
                ("none", ours.replacing(conversation, with: "").replacing(channel, with: "")),
                ("the sender's", ours.replacing(#""name":"Megan"#, with: #""tenantId":"x","name":"Megan"#)),
            ]
            for (name, body) in foreign {
                #expect(body != ours)
                let answer = try await desk.send(body)
                #expect(answer.status == 403 && answer.code == "permission_denied", "\(name): \(answer.text)")
            }
            let token = desk.signer.token(desk.claims { $0["tid"] = "00000000-86f1-41af-91ab-2d7cd011db47" })
            #expect(try await desk.send(ours, token: token).status == 401)
            #expect(try await desk.api.get("/api/debates").json["total"]?.int == 0)
            let own = desk.signer.token(desk.claims { $0["tid"] = .string(Self.tenant.uppercased()) })
            #expect(try await desk.send(ours, token: own).status == 200)
            #expect(try await desk.api.get("/api/debates").json["total"]?.int == 1)
        }
    }

    @Test("an app without its tenant stops the start, and so does a tenant that is everybody's")
    func tenantIsNeeded() {
        func problems(_ environment: [String: String]) -> [String] {
            var reader = SettingsReader { environment[$0] }
            let settings = TeamsSettings(reading: &reader)
            #expect(settings.isEnabled == (reader.problems.isEmpty && environment.count == 3))
            return reader.problems
        }
        let app = ["TEAMS_APP_ID": Self.app, "TEAMS_APP_PASSWORD": Self.password]
        #expect(problems([:]).isEmpty)
        #expect(problems(app.merging(["TEAMS_TENANT_ID": Self.tenant]) { $1 }).isEmpty)
        for environment in [app, ["TEAMS_APP_ID": Self.app], ["TEAMS_APP_PASSWORD": Self.password]] {
            let found = problems(environment)
            #expect(found.count == 1 && found.first?.hasPrefix("TEAMS_TENANT_ID: must be set") == true, "\(found)")
        }
        for word in [
            "common", "organizations", "consumers", "botframework.com", "72f988bf-86f1-41af-91ab-2d7cd011db4g",
        ] {
            #expect(problems(app.merging(["TEAMS_TENANT_ID": word]) { $1 }).count == 1, "\(word)")
        }
    }

    @Test("without both halves of the app, requests are refused; addresses that are not public are not written to")
    func notSetUp() async throws {
        try await Self.with(["TEAMS_APP_PASSWORD": ""]) { desk in
            let answer = try await desk.send(desk.activity("help"))
            #expect(answer.status == 409 && answer.code == "not_configured")
            let status = try await desk.api.get("/api/v1/bots/teams/status").json
            #expect(status["enabled"]?.bool == false && status["app_id_configured"]?.bool == true)
        }
        try await Self.with(["ARAGORA_WEBHOOK_ALLOWED_ADDRESSES": ""]) { desk in
            #expect(try await desk.api.get("/api/v1/bots/teams/status").json["enabled"]?.bool == true)
            try await desk.say("help", id: "1")
            #expect(await desk.go() == 1)
            #expect(desk.messages.isEmpty)
            #expect(desk.script.withLock { $0.logins } == 0)
        }
        try await Self.with(["TEAMS_SERVICE_URLS": ""]) { desk in
            let answer = try await desk.send(desk.activity("help"))
            #expect(answer.status == 403)
        }
    }

    @Test("our token goes to Microsoft's hosts and those that are named, whatever a URL looks like")
    func services() async throws {
        try await APIFixture.with(["TEAMS_SERVICE_URLS": "https://Proxy.example:8443, http://127.0.0.1:3978"]) { api in
            let teams = api.settings.webhooks.chat.teams
            for url in [
                "https://smba.trafficmanager.net/amer/", "https://smba.trafficmanager.net",
                "https://SMBA.trafficmanager.net/de/72f988bf-86f1-41af-91ab-2d7cd011db47/",
                "https://smba.infra.gcc.teams.microsoft.com/gcc/", "https://proxy.example:8443/x",
                "http://127.0.0.1:3978/",
            ] { #expect(teams.mayWrite(to: url), "\(url)") }
            for url in [
                "", "http://smba.trafficmanager.net/", "https://evil.trafficmanager.net/", "https://proxy.example/",
                "https://smba.trafficmanager.net:444/", "https://smba.trafficmanager.net@evil.example/",
                "https://evil.example/smba.trafficmanager.net", "https://evil.example?.teams.microsoft.com",
                "https://evil.example#.teams.microsoft.com", "https://evil.example\\.teams.microsoft.com",
                "https://evil.example/.teams.microsoft.com", "https://teams.microsoft.com.evil.example/",
                "https://evilteams.microsoft.com/", "http://x.teams.microsoft.com/", "HTTPS://smba.trafficmanager.net/",
                "https://smba.trafficmanager.net\r\nHost: x/", "https://smba.trafficmanager.net/?x=", "https:///amer/",
                "https://smba.trafficmanager.net/%2e%2e/", "file:///etc/passwd", "https://127.0.0.1:3978/",
            ] { #expect(!teams.mayWrite(to: url), "\(url)") }
        }
    }

    @Test(
        "an answer full of markup and of any length is a card of bounded size, in which others' words are text runs alone"
    )
    func longAnswer() throws {
        let nasty = String(repeating: "**<at>all</at>** [x](https://evil.example) {{DATE(2026)}}\n", count: 500)
        for type in ["debate.completed", "debate.failed", "chat.reply", "debate.started"] {
            let body = CanonicalJSON.encode(
                [
                    "type": .string(type), "timestamp": "2026-01-01T00:00:00.000Z",
                    "data": [
                        "debate_id": "dbt_01kdyqrq00000000000000000a", "final_answer": .string(nasty),
                        "reason": .string(nasty), "text": .string(nasty), "question": .string(nasty),
                        "agents": ["**evil**"], "confidence": .double(0.5), "consensus_reached": true, "rounds_used": 1,
                    ],
                ] as JSONValue)
            let notice = try #require(ChatNotice(body: body))
            let message = TeamsMessage.body(
                notice,
                to: CallbackAddress.Teams(service: "https://x/", conversation: "c", bot: "28:b", question: nasty))
            let blocks = try #require(message["attachments"]?.array?.first?["content"]?["body"]?.array)
            #expect(blocks.count < 80 && CanonicalJSON.encode(message).count < 28 * 1024)
            for block in blocks where block["type"]?.string != "RichTextBlock" {
                #expect(block["type"]?.string == "TextBlock" && block["text"]?.string?.contains("evil") == false)
            }
            #expect(message["summary"]?.string?.contains("evil") == false)
        }
        #expect(TeamsMessage.plain("<at id=\"0\">Bob</at>&nbsp;a < b &amp;&lt;c") == "Bob a < b &<c")
    }
}
