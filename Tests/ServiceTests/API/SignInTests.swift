import Contracts
import Crypto
import Domain
import HTTP
import Platform
import PostgresClient
import ServiceKit
import Storage
import TestSupport
import Testing

@testable import aragora_api

@Suite("Registering and signing in", .needsPostgres, .timeLimit(.minutes(3)))
struct SignInTests {
    @Test(
        "the first who registers is an administrator, the next a member of the same organization, a founder of another")
    func roles() async throws {
        try await APIFixture.with { api in
            let first = try await api.register("First@Example.org")
            let me = try await api.get("/api/auth/me", token: first.access)
            #expect(
                me.json["user"]?["role"]?.string == "admin" && me.json["user"]?["email"]?.string == "first@example.org")
            #expect(first.organization == "org_default")
            let second = try await api.register("second@example.org")
            #expect(second.organization == "org_default")
            #expect(
                try await api.get("/api/auth/me", token: second.access).json["user"]?["role"]?.string == "member")
            let founder = try await api.register("third@example.org", organization: "Other & Co")
            #expect(founder.organization != "org_default")
            let theirs = try await api.get("/api/auth/me", token: founder.access).json
            #expect(
                theirs["user"]?["role"]?.string == "admin" && theirs["organization"]?["name"]?.string == "Other & Co")
            let again = try await api.send(
                "POST", "/api/auth/register", #"{"email":"FIRST@example.org","password":"another long password"}"#,
                token: nil)
            #expect(again.status == 409 && again.json["error"]?.string == "Email already registered")
        }
    }

    @Test("with an administrator's address set, only that address becomes one")
    func bootstrap() async throws {
        try await APIFixture.with(["ARAGORA_BOOTSTRAP_ADMIN_EMAIL": "Boss@example.org"]) { api in
            let early = try await api.register("early@example.org")
            #expect(try await api.get("/api/auth/me", token: early.access).json["user"]?["role"]?.string == "member")
            let boss = try await api.register("boss@example.org")
            #expect(try await api.get("/api/auth/me", token: boss.access).json["user"]?["role"]?.string == "admin")
        }
    }

    @Test("a password that is guessed first, or made of words of the account, is refused wherever one is chosen")
    func weakPasswords() async throws {
        try await APIFixture.with(["ARAGORA_REGISTRATION": "open"]) { api in
            func register(_ password: String) async throws -> Answer {
                try await api.send(
                    "POST", "/api/v1/auth/register",
                    #"{"email":"ada.lovelace@analytical.example","password":"\#(password)","name":"Ada","organization":"Engines"}"#,
                    token: nil)
            }
            for password in [
                "password1234", "Lovelace2026", "Analytical-1", "Engines-2026", "aragora-2026", "111111111111",
            ] {
                let answer = try await register(password)
                #expect(answer.status == 400 && answer.fields == ["password"], "\(password): \(answer.text)")
                #expect(!answer.text.contains(password))
            }
            let person = try api.person(
                "ada.lovelace@analytical.example", try await register("a good long password").json)
            for password in ["password1234", "Lovelace2026"] {
                let changed = try await api.post(
                    "/api/auth/password/change",
                    #"{"current_password":"a good long password","new_password":"\#(password)"}"#, as: person)
                #expect(changed.status == 400 && changed.fields == ["new_password"], "\(changed.text)")
            }
            let made = try await api.post(
                "/api/users", #"{"email":"grace.hopper@navy.example","role":"member"}"#, as: person)
            let token = try #require(made.json["reset_token"]?.string)
            for (password, status) in [("password1234", 400), ("Gracehopper1", 400), ("another good password", 200)] {
                let reset = try await api.send(
                    "POST", "/api/auth/password/reset", #"{"token":"\#(token)","new_password":"\#(password)"}"#,
                    token: nil)
                #expect(reset.status == status, "\(password): \(reset.text)")
            }
        }
    }

    @Test("where registration is closed the first may register, then only who manages users makes accounts")
    func closed() async throws {
        try await APIFixture.with(["ARAGORA_REGISTRATION": "closed"]) { api in
            _ = try await api.register("first@example.org")
            let body = #"{"email":"next@example.org","password":"a good long password"}"#
            let refused = try await api.send("POST", "/api/auth/register", body, token: nil)
            #expect(refused.status == 403 && refused.code == "registration_closed")
            #expect(try await api.send("POST", "/api/auth/register", body).status == 201)
        }
    }

    @Test(
        "a registration that is not complete is refused with every problem",
        arguments: [
            (#"{"email":"a@b.c","password":"short"}"#, ["password"]),
            (#"{"email":"nobody","password":"a good long password"}"#, ["email"]),
            (#"{"email":"a b@c.d","password":"a good long password"}"#, ["email"]),
            (#"{}"#, ["email", "password"]), (#"{"email":1,"password":true}"#, ["email", "password"]),
            (#"{"email":"a@b.c","password":"a good long password","name":"a\u0007b"}"#, ["name"]),
        ])
    func refused(_ body: String, _ fields: [String]) async throws {
        try await APIFixture.with { api in
            let answer = try await api.send("POST", "/api/auth/register", body, token: nil)
            #expect(answer.status == 400 && Set(answer.fields) == Set(fields), "\(answer.text)")
            #expect(!answer.text.contains("a good long password"))
        }
    }

    @Test("an unknown address, a wrong password and a deactivated account are answered alike, after the same work")
    func enumeration() async throws {
        try await APIFixture.with { api in
            let hasher = api.routes.accounts.services.hasher
            let admin = try await api.register("admin@example.org")
            let gone = try await api.person("gone@example.org", "member", by: admin)
            let off = try await api.send(
                "PATCH", "/api/users/\(gone.id)", #"{"is_active":false}"#, token: admin.access)
            #expect(off.status == 200)
            var answers: [String] = []
            _ = try await api.login("warm@example.org")
            for (email, password) in [
                ("admin@example.org", "a wrong long password"), ("nobody@example.org", "a wrong long password"),
                ("gone@example.org", Person.password),
            ] {
                let before = hasher.made
                let answer = try await api.login(email, password)
                #expect(hasher.made - before == 1, "\(email)")
                #expect(answer.status == 401 && answer.code == "invalid_credentials")
                answers.append(answer.text.replacing(/"trace_id":"[0-9a-f]+"/, with: ""))
            }
            #expect(Set(answers).count == 1)
            // Forgetting tells nothing either.
            let known = try await api.send(
                "POST", "/api/auth/password/forgot", #"{"email":"admin@example.org"}"#, token: nil)
            let unknown = try await api.send(
                "POST", "/api/auth/password/forgot", #"{"email":"nobody@example.org"}"#, token: nil)
            #expect(known.status == 200 && known.text == unknown.text)
        }
    }

    @Test("five failures lock an account, known or not, for a minute, and no password is looked at meanwhile")
    func lockout() async throws {
        try await APIFixture.with(["ARAGORA_TRUSTED_PROXIES": "127.0.0.0/8"]) { api in
            _ = try await api.register("admin@example.org")
            for email in ["admin@example.org", "nobody@example.org"] {
                for number in 1...5 {
                    let answer = try await api.login(
                        email, "a wrong long password", headers: ["X-Forwarded-For": "10.1.\(email.count).\(number)"])
                    #expect(answer.status == 401, "\(email) \(number)")
                }
                let before = api.routes.accounts.services.hasher.made
                let locked = try await api.login(email, headers: ["X-Forwarded-For": "10.2.0.1"])
                #expect(locked.status == 429 && locked.code == "account_locked")
                let wait = try #require(locked.header("Retry-After").flatMap { Int($0) })
                #expect((1...60).contains(wait))
                #expect(api.routes.accounts.services.hasher.made == before)
            }
            // A minute later.
            _ = try await api.pool.execute(
                "UPDATE login_failures SET locked_until = now() - interval '1 second' WHERE kind = 'account'")
            #expect(
                try await api.login("admin@example.org", headers: ["X-Forwarded-For": "10.3.0.1"]).status == 200)
            // Which forgets the account's failures.
            for number in 1...4 {
                let answer = try await api.login(
                    "admin@example.org", "a wrong long password", headers: ["X-Forwarded-For": "10.4.0.\(number)"])
                #expect(answer.status == 401)
            }
            #expect(
                try await api.login("admin@example.org", headers: ["X-Forwarded-For": "10.4.0.9"]).status == 200)
        }
    }

    @Test("five failures lock an address, whatever accounts they were for; a success in between forgives none")
    func addressLockout() async throws {
        try await APIFixture.with { api in
            _ = try await api.register("admin@example.org")
            for number in 1...4 {
                #expect(try await api.login("victim\(number)@example.org").status == 401)
                #expect(try await api.login("admin@example.org").status == 200)
            }
            #expect(try await api.login("victim5@example.org").status == 401)
            #expect(try await api.login("admin@example.org").status == 429)
        }
    }

    @Test("the locks are one minute after five failures, fifteen after ten, an hour after fifteen")
    func lockSteps() {
        let locks = (1...17).map { LockoutRule.lockSeconds(afterFailure: $0) }
        #expect(locks == [0, 0, 0, 0, 60, 0, 0, 0, 0, 900, 0, 0, 0, 0, 3600, 3600, 3600])
    }

    @Test("twenty attempts at once get five tries")
    func burst() async throws {
        try await APIFixture.with { api in
            _ = try await api.register("admin@example.org")
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await api.login("admin@example.org", "a wrong long password").status }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 401 } == 5)
            #expect(statuses.count { $0 == 429 } == 15)
        }
    }

    @Test("a sign-in is written down with its address, and a failed one too")
    func audited() async throws {
        try await APIFixture.with { api in
            let admin = try await api.register("admin@example.org")
            _ = try await api.login("admin@example.org", "a wrong long password")
            let page = try await api.get("/api/audit?limit=100", token: admin.access)
            let actions = (page.json["entries"]?.array ?? []).compactMap { $0["entry"]?["action"]?.string }
            #expect(actions == ["login.failed", "login.succeeded", "user.registered"])
            #expect(page.json["entries"]?.array?.first?["entry"]?["ip_address"]?.string == "127.0.0.1")
            #expect(!page.text.contains("a wrong long password"))
        }
    }
}
