import Contracts
import Crypto
import Domain
import HTTP
import Platform
import PostgresClient
import Storage
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

@Suite("Administrators: what they must have, and what is written down", .needsPostgres, .timeLimit(.minutes(3)))
struct AdministrationTests {
    @Test(
        "where it is demanded, an administrator without a second factor may turn one on, and nothing else, by any credential"
    )
    func secondFactorRequired() async throws {
        try await APIFixture.with { plain in
            let admin = try await plain.register("admin@example.org")
            #expect(try await plain.get("/api/users", token: admin.access).status == 200)
        }
        try await APIFixture.with(["ARAGORA_ADMIN_MFA_REQUIRED": "true"]) { api in
            let admin = try await api.register("admin@example.org")
            let key = try await api.key(of: admin)
            for token in [admin.access, key] {
                for route in Routes.table {
                    guard case .permission(let permission) = route.requirement, permission != .accountManage else {
                        continue
                    }
                    let target = route.path.replacing(/\{[a-z]+\}/, with: "x")
                    let answer = try await api.send(route.method.description, target, token: token)
                    #expect(answer.status == 403 && answer.code == "ADMIN_MFA_REQUIRED", "\(target): \(answer.text)")
                    #expect(answer.json["required_action"]?.string == "/api/auth/mfa/setup")
                }
            }
            #expect(try await api.get("/api/auth/me", token: admin.access).status == 200)
            // The installation's own token is no person.
            #expect(try await api.get("/api/users").status == 200)
            let setup = try await api.post("/api/auth/mfa/setup", "{}", as: admin)
            let user = try #require(UserID(admin.id))
            let sealed = try #require(
                try await api.pool.query("SELECT mfa_secret FROM users").first?.bytes("mfa_secret"))
            let secret = try api.settings.access.secretBox.open(sealed, for: SecondFactorCheck.purpose(user))
            #expect(setup.json["secret"]?.string == Base32.encode(secret))
            let totp = OneTimePassword(secret: secret)
            func code(_ distance: Int64) -> String {
                totp.code(step: OneTimePassword.step(at: WallClock.nowMilliseconds() / 1000) + distance)
            }
            let enabled = try await api.post("/api/auth/mfa/enable", #"{"code":"\#(code(-1))"}"#, as: admin)
            #expect(enabled.status == 200, "\(enabled.text)")
            let login = try await api.login(admin.email, Person.password, #","mfa_code":"\#(code(0))""#)
            let whole = try api.person(admin.email, login.json)
            #expect(try await api.get("/api/users", token: whole.access).status == 200)
            let member = try await api.person("member@example.org", "member", by: whole)
            #expect(try await api.get("/api/debates", token: member.access).status == 200)
        }
    }

    @Test("webhooks, holds, links, budgets and erasures are in the audit log, by whom and on what, and no secret is")
    func audited() async throws {
        let settings = ["ARAGORA_EMBEDDED_RUNNER": "on", "ARAGORA_ENCRYPTION_KEY": String(repeating: "1f", count: 32)]
        try await APIFixture.with(settings) { api in
            let admin = try await api.register("admin@example.org")
            let asked = try await api.post(
                "/api/debates", #"{"topic":"Is this written down?","agents":["demo","demo"],"rounds":1}"#, as: admin)
            let debate = try #require(asked.json["debate_id"]?.string)
            try await api.finish(debate)
            let receipt = try #require(
                try await api.get("/api/debates/\(debate)/receipt", token: admin.access).json["receipt_id"]?.string)
            let hook = try await api.post(
                "/api/webhooks", #"{"url":"https://hooks.example.org/very/secret/path","events":["*"]}"#, as: admin)
            let hookID = try #require(hook.json["id"]?.string)
            _ = try await api.send("PATCH", "/api/webhooks/\(hookID)", #"{"is_active":false}"#, token: admin.access)
            _ = try await api.send("DELETE", "/api/webhooks/\(hookID)", token: admin.access)
            let budget = try await api.post(
                "/api/budgets", #"{"name":"ours","limit_amount":500,"period":"monthly"}"#, as: admin)
            let budgetID = try #require(budget.json["id"]?.string)
            _ = try await api.send("PATCH", "/api/budgets/\(budgetID)", #"{"limit_amount":600}"#, token: admin.access)
            _ = try await api.post("/api/budgets/\(budgetID)/reset", as: admin)
            _ = try await api.send("DELETE", "/api/budgets/\(budgetID)", token: admin.access)
            let share = try await api.post("/api/debates/\(debate)/share", "{}", as: admin)
            let link = try await api.post("/api/receipts/\(receipt)/share", "{}", as: admin)
            for route in Routes.table where route.path.hasPrefix("/api/debates/{id}/") && route.path.hasSuffix("share")
            {
                if route.method == .delete {
                    _ = try await api.send("DELETE", "/api/debates/\(debate)/share", token: admin.access)
                }
            }
            let hold = try #require(Routes.table.first { $0.path.contains("{receipt}") && $0.path.contains("hold") })
            let target = hold.path.replacing("{receipt}", with: receipt)
            for isHeld in [true, false] {
                let answer = try await api.send(
                    hold.method.description, target, #"{"legal_hold":\#(isHeld),"reason":"a lawsuit"}"#,
                    token: admin.access)
                #expect(answer.status == 200, "\(answer.text)")
            }
            let erased = try await api.send("DELETE", "/api/debates/\(debate)", token: admin.access)
            #expect(erased.status == 200, "\(erased.text)")

            let lines = try await api.pool.query("SELECT action, actor, resource_id, document FROM audit_log")
            var found: [String: String?] = [:]
            for line in lines where try line.text("actor") == admin.id {
                found[try line.text("action")] = try line.optionalText("resource_id")
            }
            for (action, resource) in [
                ("webhook.created", hookID), ("webhook.changed", hookID), ("webhook.removed", hookID),
                ("budget.created", budgetID), ("budget.changed", budgetID), ("budget.reset", budgetID),
                ("budget.deleted", budgetID), ("debate.shared", debate), ("receipt.shared", receipt),
                ("receipt.hold_changed", receipt), ("debate.erased", debate),
            ] {
                #expect(found[action] == resource, "\(action): \(found)")
            }
            let text = try lines.map { String(decoding: try $0.bytes("document"), as: UTF8.self) }.joined()
            for secret in [
                "very/secret/path", hook.json["secret"]?.string ?? "none", share.json["share_url"]?.string ?? "none",
                share.json["token"]?.string ?? "none", link.json["token"]?.string ?? "none", Person.password,
            ] {
                #expect(!text.contains(secret))
            }
            let verified = try await api.get("/api/audit/verify", token: admin.access)
            #expect(verified.json["valid"]?.bool == true)
            // What changed nothing is not told.
            let before = lines.count
            _ = try await api.send("DELETE", "/api/webhooks/\(hookID)", token: admin.access)
            _ = try await api.post("/api/budgets/\(budgetID)/reset", as: admin)
            #expect(try await api.pool.query("SELECT 1 FROM audit_log").count == before)
        }
    }

    @Test(
        "an account that is erased names nobody and opens nothing; its organization keeps an administrator and its chain"
    )
    func accountErased() async throws {
        try await APIFixture.with { api in
            let admin = try await api.register("admin@example.org")
            let ada = try await api.person("ada@example.org", "member", by: admin)
            let key = try await api.key(of: ada)
            let accounts = AccountErasure(pool: api.pool)
            let id = try #require(UserID(ada.id))
            let held = try #require(try await accounts.held(id))
            #expect(held.user.email == ada.email && !held.sessions.isEmpty && held.keys.count == 1)
            let about = try await accounts.auditEntries(of: id, in: .default, after: 0)
            #expect(about.count >= 3)
            // Others are left: the only administrator stays.
            let last = try #require(UserID(admin.id))
            #expect(try await accounts.erase(last) == .lastAdministrator)
            #expect(try await accounts.erase(id) == .erased)
            #expect(
                try await accounts.erase(UserID(milliseconds: 1, random: [UInt8](repeating: 9, count: 10))) == .notFound
            )
            let row = try #require(try await api.pool.query("SELECT * FROM users WHERE id = \(ada.id)").first)
            #expect(try row.text("email") == "\(ada.id)@erased.invalid" && row.text("name").isEmpty)
            #expect(try row.isNull("password_hash") && !row.bool("is_active"))
            for table in ["sessions", "api_keys", "user_identities", "password_resets"] {
                let rows = try await api.pool.query("SELECT 1 FROM \(raw: table) WHERE user_id = \(ada.id)")
                #expect(rows.isEmpty, "\(table)")
            }
            try await api.routes.accounts.services.feed.refresh()
            for token in [ada.access, key] {
                #expect(try await api.get("/api/auth/me", token: token).status == 401)
            }
            #expect(try await api.login(ada.email).status == 401)
            let verified = try await api.get("/api/audit/verify", token: admin.access)
            #expect(verified.json["valid"]?.bool == true)
            // The address may come again, as somebody new.
            let again = try await api.person("ada@example.org", "member", by: admin)
            #expect(again.id != ada.id)
        }
    }
}
