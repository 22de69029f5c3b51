import Contracts
import Domain
import HTTP
import Platform
import PostgresClient
import ServiceKit
import TestSupport
import Testing

@testable import aragora_api

@Suite("Organizations, roles and credentials, over the whole table of routes", .needsPostgres, .timeLimit(.minutes(4)))
struct IsolationTests {
    private static let environment = [
        "ARAGORA_EMBEDDED_RUNNER": "on", "ARAGORA_ENCRYPTION_KEY": String(repeating: "1f", count: 32),
    ]

    /// Everything there is to name in a path, of one organization.
    struct Things {
        let debate: String
        let slug: String
        let receipt: String
        let user: String
        let session: String
        let key: String
        let fact: String
        let budget: String
        let webhook: String
        let delivery: String
        let batch: String

        func target(_ path: String) -> String {
            path.replacing("/slug/{id}", with: "/slug/\(slug)").replacing("{id}", with: debate)
                .replacing("{format}", with: "json").replacing("{receipt}", with: receipt)
                .replacing("{user}", with: user).replacing("{session}", with: session).replacing("{key}", with: key)
                .replacing("{fact}", with: fact).replacing("{role}", with: "admin").replacing("{budget}", with: budget)
                .replacing("{alert}", with: "1").replacing("{webhook}", with: webhook)
                .replacing("{delivery}", with: delivery)
                .replacing("{batch}", with: batch)
        }
    }

    private func things(_ api: APIFixture, of person: Person) async throws -> Things {
        let asked = try await api.post(
            "/api/debates", #"{"topic":"Is this ours alone?","agents":["demo","demo"],"rounds":1}"#, as: person)
        let debate = try #require(asked.json["debate_id"]?.string, "\(asked.text)")
        try await api.finish(debate)
        let record = try await api.get("/api/debates/\(debate)", token: person.access)
        let receipt = try await api.get("/api/debates/\(debate)/receipt", token: person.access)
        let sessions = try await api.get("/api/auth/sessions", token: person.access)
        let key = try await api.post("/api/auth/api-keys", #"{"name":"theirs"}"#, as: person)
        let fact = try await api.post("/api/knowledge/facts", #"{"statement":"Ours is a secret fact."}"#, as: person)
        let budget = try await api.post(
            "/api/budgets", #"{"name":"ours alone","limit_amount":500,"period":"monthly"}"#, as: person)
        let webhook = try await api.post(
            "/api/webhooks", #"{"url":"https://ours.example.org/hook","events":["*"]}"#, as: person)
        let hook = try #require(webhook.json["id"]?.string, "\(webhook.text)")
        let batch = try await api.post(
            "/api/debates/batch", #"{"items":[{"task":"Is this batch ours alone?","agents":["demo","demo"]}]}"#,
            as: person)
        let sent = try await api.post("/api/webhooks/\(hook)/test", as: person)
        _ = try await api.pool.execute("UPDATE webhook_outbox SET dead_at = now()")
        return Things(
            debate: debate, slug: try #require(record.json["slug"]?.string),
            receipt: try #require(receipt.json["receipt_id"]?.string), user: person.id,
            session: try #require(sessions.json["sessions"]?.array?.first?["id"]?.string),
            key: try #require(key.json["id"]?.string), fact: try #require(fact.json["id"]?.string, "\(fact.text)"),
            budget: try #require(budget.json["id"]?.string, "\(budget.text)"), webhook: hook,
            delivery: try #require(sent.json["id"]?.string, "\(sent.text)"),
            batch: try #require(batch.json["batch_id"]?.string, "\(batch.text)"))
    }

    @Test("what another organization has is not there, by any route that names it, for a member or an administrator")
    func otherOrganization() async throws {
        try await APIFixture.with(Self.environment) { api in
            let first = try await api.register("first@example.org")
            let theirs = try await things(api, of: first)
            let stranger = try await api.register("stranger@example.org", organization: "Others")
            let key = try await api.key(of: stranger)
            var walked = 0
            for route in Routes.table where route.path.contains("{") && !route.path.contains("{role}") {
                guard case .permission = route.requirement else { continue }
                let target = theirs.target(route.path)
                #expect(!target.contains("{"), "a new kind of name in a path: \(route.path)")
                for token in [stranger.access, key] {
                    let answer = try await api.send(route.method.description, target, token: token)
                    // A body that is looked at before the name may be refused first; nothing else is said.
                    let isRefused = answer.status == 404 || (route.takes != nil && answer.status == 400)
                    #expect(isRefused, "\(route.method) \(target): \(answer.status) \(answer.text)")
                    #expect(!answer.text.contains("ours alone") && !answer.text.contains("secret fact"))
                }
                walked += 1
            }
            #expect(walked > 20)
            // Nothing was changed by trying.
            #expect(try await api.get("/api/auth/me", token: first.access).status == 200)
            #expect(try await api.get("/api/debates/\(theirs.debate)", token: first.access).status == 200)
        }
    }

    @Test("lists of one organization show nothing of another")
    func lists() async throws {
        try await APIFixture.with(Self.environment) { api in
            let first = try await api.register("first@example.org")
            let theirs = try await things(api, of: first)
            let stranger = try await api.register("stranger@example.org", organization: "Others")
            let mine = try await things(api, of: stranger)
            for route in Routes.table
            where route.method == .get && !route.path.contains("{") && !route.path.hasSuffix("logout") {
                guard case .permission = route.requirement else { continue }
                let answer = try await api.get(route.path, token: stranger.access)
                for name in [
                    theirs.debate, theirs.receipt, theirs.key, theirs.session, theirs.fact, theirs.webhook,
                    theirs.delivery, theirs.batch, "first@example.org",
                ] {
                    #expect(!answer.text.contains(name), "\(route.path) shows \(name)")
                }
            }
            let list = try await api.get("/api/debates", token: stranger.access)
            #expect(list.json["total"]?.int == 2 && list.text.contains(mine.debate))
            #expect(try await api.get("/api/matches/recent", token: stranger.access).json["total"]?.int == 1)
            // The installation's own token sees both.
            #expect(try await api.get("/api/debates").json["total"]?.int == 4)
        }
    }

    @Test("a viewer and a member are refused, by name of the permission, wherever their role has it not")
    func wrongRole() async throws {
        try await APIFixture.with { api in
            let admin = try await api.register("admin@example.org")
            for name in ["member", "viewer"] {
                let person = try await api.person("\(name)@example.org", name, by: admin)
                let role = try #require(Role(rawValue: name))
                for route in Routes.table {
                    guard case .permission(let permission) = route.requirement, !role.permissions.contains(permission)
                    else { continue }
                    let answer = try await api.send(
                        route.method.description, APIAccessTests.target(route.path), token: person.access)
                    #expect(answer.status == 403 && answer.code == "permission_denied", "\(name) \(route.path)")
                    #expect(answer.json["required_permission"]?.string == permission.rawValue)
                }
            }
            // Administrators of another organization have nothing to say about the installation.
            let other = try await api.register("other@example.org", organization: "Others")
            let health = try await api.get("/health", token: other.access)
            #expect(health.json["checks"] == nil)
            let denied = try await api.get("/api/audit?action=permission.denied", token: admin.access)
            #expect(denied.json["total"]?.int ?? 0 > 5)
        }
    }

    @Test("expired and revoked credentials of every kind are refused by every route")
    func expiredAndRevoked() async throws {
        try await APIFixture.with { api in
            let person = try await api.register("admin@example.org")
            let gone = try api.person(person.email, try await api.login(person.email).json)
            let key = try await api.key(of: person)
            let late = try await api.key(of: person)
            _ = try await api.post("/api/auth/logout", as: gone)
            #expect(
                try await api.send("DELETE", "/api/keys/\(key.prefix(12))", token: person.access).status == 200)
            _ = try await api.pool.execute(
                "UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE revoked_at IS NULL")
            let user = try #require(UserID(person.id))
            let tokens = api.settings.access.tokens
            let session = try #require(SessionID("ses_" + person.id.dropFirst(4)))
            let old = try tokens.make(
                .access,
                for: .init(user: user, email: person.email, organization: .default, role: .admin, version: 1),
                session: session, now: 1_000_000)
            let bad = [
                (gone.access, "invalid_token"), (key, "invalid_token"), (late, "invalid_token"),
                (old.text, "token_expired"),
            ]
            for route in Routes.table {
                guard case .permission = route.requirement else { continue }
                for (token, code) in bad {
                    let answer = try await api.send(
                        route.method.description, APIAccessTests.target(route.path), token: token)
                    #expect(answer.status == 401 && answer.code == code, "\(route.path) \(code) \(answer.text)")
                }
            }
        }
    }

    @Test("a member changes what is its own, and of others only speaks in their debates; an administrator changes all")
    func ownership() async throws {
        try await APIFixture.with { api in
            let admin = try await api.register("admin@example.org")
            let one = try await api.person("one@example.org", "member", by: admin)
            let two = try await api.person("two@example.org", "member", by: admin)
            let asked = try await api.post(
                "/api/debates", #"{"topic":"Whose is it?","agents":["demo","demo"],"rounds":1}"#, as: one)
            let debate = try #require(asked.json["debate_id"]?.string)
            #expect(try await api.get("/api/debates/\(debate)", token: two.access).status == 200)
            let remark = try await api.post("/api/debates/\(debate)/messages", #"{"content":"Mine."}"#, as: two)
            #expect(remark.status == 200 || remark.status == 202, "\(remark.text)")
            for action in ["pause", "resume", "cancel", "stop"] {
                let answer = try await api.post("/api/debates/\(debate)/\(action)", as: two)
                #expect(answer.status == 403 && answer.json["required_permission"]?.string == "debates.update")
            }
            #expect(try await api.post("/api/debates/\(debate)/pause", as: one).status == 200)
            #expect(try await api.post("/api/debates/\(debate)/cancel", as: admin).status == 200)
        }
    }

    @Test("a change of role or of who may come in holds at once, and the last administrator stays one")
    func roleChange() async throws {
        try await APIFixture.with { api in
            let admin = try await api.register("admin@example.org")
            let member = try await api.person("member@example.org", "member", by: admin)
            let key = try await api.key(of: member)
            #expect(try await api.get("/api/users", token: key).status == 403)
            let raised = try await api.send(
                "PATCH", "/api/users/\(member.id)", #"{"role":"owner"}"#, token: admin.access)
            #expect(raised.json["user"]?["role"]?.string == "admin")
            // The old token says member, so it is refused; the key is looked up again.
            #expect(try await api.get("/api/auth/me", token: member.access).status == 401)
            #expect(try await api.get("/api/users", token: key).status == 200)
            let off = try await api.send(
                "PATCH", "/api/users/\(admin.id)", #"{"is_active":false}"#, token: key)
            #expect(off.status == 200)
            #expect(try await api.get("/api/auth/me", token: admin.access).status == 401)
            let last = try await api.send("PATCH", "/api/users/\(member.id)", #"{"role":"viewer"}"#, token: key)
            #expect(last.status == 409)
        }
    }
}
