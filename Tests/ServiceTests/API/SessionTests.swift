import Contracts
import Crypto
import Domain
import HTTP
import Platform
import PostgresClient
import ServiceKit
import Sockets
import TestSupport
import Testing

@testable import aragora_api

@Suite("Sessions", .needsPostgres, .timeLimit(.minutes(3)))
struct SessionTests {
    private func refresh(_ api: APIFixture, _ token: String) async throws -> Answer {
        try await api.send("POST", "/api/auth/refresh", #"{"refresh_token":"\#(token)"}"#, token: nil)
    }

    @Test("a refresh token is good once; one that comes again ends the session for whoever holds it")
    func reuse() async throws {
        try await APIFixture.with { api in
            let person = try await api.register("admin@example.org")
            let renewed = try await refresh(api, person.refresh)
            #expect(renewed.status == 200)
            let access = try #require(renewed.json["tokens"]?["access_token"]?.string)
            let next = try #require(renewed.json["tokens"]?["refresh_token"]?.string)
            #expect(access != person.access && next != person.refresh)
            #expect(try await api.get("/api/auth/me", token: access).status == 200)

            let again = try await refresh(api, person.refresh)
            #expect(again.status == 401 && again.code == "invalid_token")
            #expect(try await refresh(api, next).status == 401)
            #expect(try await api.get("/api/auth/me", token: access).status == 401)
            #expect(try await api.get("/api/auth/me", token: person.access).status == 401)
            // Another session of the same user goes on.
            let other = try api.person(person.email, try await api.login(person.email).json)
            #expect(try await api.get("/api/auth/me", token: other.access).status == 200)
            let log = try await api.get("/api/audit?action=session.refresh_reused", token: other.access)
            #expect(log.json["total"]?.int == 1)
        }
    }

    @Test("a session that was not renewed for as long as it may idle is over, and no longer listed; 0 is for ever")
    func idle() async throws {
        for (days, unused, isGood) in [("", 13, true), ("", 15, false), ("3", 4, false), ("0", 29, true)] {
            try await APIFixture.with(["ARAGORA_SESSION_IDLE_DAYS": days]) { api in
                let person = try await api.register("admin@example.org")
                _ = try await api.pool.execute(
                    "UPDATE sessions SET last_used_at = now() - \(unused) * interval '1 day'")
                let listed = try await api.get("/api/auth/sessions", token: person.access)
                #expect(listed.json["total"]?.int == (isGood ? 1 : 0), "\(days) \(unused): \(listed.text)")
                let renewed = try await refresh(api, person.refresh)
                #expect(renewed.status == (isGood ? 200 : 401), "\(days) \(unused): \(renewed.text)")
                guard isGood else { return }
                // It was used: the time runs anew.
                let next = try #require(renewed.json["tokens"]?["refresh_token"]?.string)
                #expect(try await refresh(api, next).status == 200)
            }
        }
        var reader = SettingsReader { ["ARAGORA_SESSION_IDLE_DAYS": "1", "ARAGORA_JWT_EXPIRY_HOURS": "48"][$0] }
        _ = SessionSettings(reading: &reader)
        #expect(reader.problems.count == 1 && reader.problems.first?.hasPrefix("ARAGORA_SESSION_IDLE_DAYS") == true)
    }

    @Test("of two that use a refresh token at once, one gets through and the session ends")
    func race() async throws {
        try await APIFixture.with { api in
            let person = try await api.register("admin@example.org")
            async let one = refresh(api, person.refresh)
            async let two = refresh(api, person.refresh)
            let statuses = try await [one.status, two.status].sorted()
            #expect(statuses == [200, 401])
            #expect(try await api.get("/api/auth/me", token: person.access).status == 401)
        }
    }

    @Test("logging out ends this session at once, logging out everywhere all of them, and no key")
    func logout() async throws {
        try await APIFixture.with { api in
            let first = try await api.register("admin@example.org")
            let second = try api.person(first.email, try await api.login(first.email).json)
            let third = try api.person(first.email, try await api.login(first.email).json)
            let key = try await api.key(of: first)
            let out = try await api.post("/api/auth/logout", as: first)
            #expect(out.status == 200 && out.json["message"]?.string == "Logged out successfully")
            #expect(try await api.get("/api/auth/me", token: first.access).code == "invalid_token")
            #expect(try await refresh(api, first.refresh).status == 401)
            #expect(try await api.get("/api/auth/me", token: second.access).status == 200)
            #expect(try await api.post("/api/auth/logout-all", as: second).status == 200)
            for token in [second.access, third.access] {
                #expect(try await api.get("/api/auth/me", token: token).status == 401)
            }
            #expect(try await refresh(api, third.refresh).status == 401)
            #expect(try await api.get("/api/auth/me", token: key).status == 200)
        }
    }

    @Test("a signed token that logs out is refused from then on")
    func signedToken() async throws {
        try await APIFixture.with { api in
            let token = APIFixture.signedToken("admin", secondsFromNow: 600)
            let before = try await api.get("/api/debates", token: token)
            let out = try await api.send("POST", "/api/auth/logout", "", token: token)
            let after = try await api.get("/api/debates", token: token)
            let other = APIFixture.signedToken("admin", secondsFromNow: 601)
            let another = try await api.get("/api/debates", token: other)
            #expect([before, out, after, another].map(\.status) == [200, 200, 401, 200])
        }
    }

    @Test("sessions are listed with where they came from, and one is ended by its id, by nobody else")
    func list() async throws {
        try await APIFixture.with { api in
            let admin = try await api.register("admin@example.org")
            let other = try await api.register("other@example.org")
            let second = try api.person(
                admin.email, try await api.login(admin.email, headers: ["User-Agent": "a browser"]).json)
            let list = try await api.get("/api/auth/sessions", token: second.access)
            let rows = try #require(list.json["sessions"]?.array)
            #expect(rows.count == 2 && list.json["total"]?.int == 2)
            #expect(rows.map { $0["current"]?.bool } == [true, false])
            #expect(rows[0]["user_agent"]?.string == "a browser" && rows[0]["ip"]?.string == "127.0.0.1")
            let old = try #require(rows[1]["id"]?.string)
            #expect(try await api.send("DELETE", "/api/auth/sessions/\(old)", token: other.access).status == 404)
            #expect(try await api.send("DELETE", "/api/auth/sessions/\(old)", token: second.access).status == 200)
            #expect(try await api.get("/api/auth/me", token: admin.access).status == 401)
            #expect(try await api.send("DELETE", "/api/auth/sessions/\(old)", token: second.access).status == 404)
        }
    }

    @Test("a new password ends every session, and the old password is refused")
    func password() async throws {
        try await APIFixture.with { api in
            let person = try await api.register("admin@example.org")
            let wrong = try await api.post(
                "/api/auth/password/change",
                #"{"current_password":"not this one at all","new_password":"another good password"}"#, as: person)
            #expect(wrong.status == 400 && wrong.code == "wrong_password")
            let changed = try await api.post(
                "/api/auth/password/change",
                #"{"current_password":"\#(Person.password)","new_password":"another good password"}"#, as: person)
            #expect(changed.status == 200)
            #expect(try await api.get("/api/auth/me", token: person.access).status == 401)
            #expect(try await api.login(person.email).status == 401)
            #expect(try await api.login(person.email, "another good password").status == 200)
        }
    }

    @Test("a reset token sets a password once, and only for whom it was made")
    func reset() async throws {
        try await APIFixture.with { api in
            let admin = try await api.register("admin@example.org")
            let person = try await api.register("person@example.org")
            let made = try await api.post("/api/users/\(person.id)/password-reset", as: admin)
            let token = try #require(made.json["reset_token"]?.string)
            let body = #"{"token":"\#(token)","new_password":"another good password"}"#
            #expect(try await api.send("POST", "/api/auth/password/reset", body, token: nil).status == 200)
            let again = try await api.send("POST", "/api/auth/password/reset", body, token: nil)
            #expect(again.status == 400 && again.code == "invalid_reset_token")
            #expect(try await api.get("/api/auth/me", token: person.access).status == 401)
            #expect(try await api.login(person.email, "another good password").status == 200)
            #expect(try await api.get("/api/auth/me", token: admin.access).status == 200)
            let stored = try await api.pool.query("SELECT count(*) AS n FROM password_resets").first?.int("n")
            #expect(stored == 0)
        }
    }

    @Test("what was revoked on one replica is refused on another within two seconds, without Redis")
    func twoReplicas() async throws {
        try await APIFixture.with { one in
            // A second process's memory over the same tables.
            let shared = SharedAccess(one.backends, log: .disabled)
            let other = Authenticator(
                access: one.settings.access, feed: shared.feed, cache: shared.keys, on: one.backends.main)
            let person = try await one.register("admin@example.org")
            let key = try await one.key(of: person)
            func isTaken(_ token: String) async -> Bool {
                (try? await other.principal(token, now: WallClock.nowMilliseconds() / 1000)) != nil
            }
            #expect(await isTaken(person.access))
            #expect(await isTaken(key))
            let shutdown = ShutdownSignal()
            async let feed: Void = shared.feed.run(until: shutdown)
            let prefix = try #require(
                try await one.get("/api/auth/api-keys", token: person.access).json["keys"]?.array?.first?["prefix"]?
                    .string)
            #expect(try await one.send("DELETE", "/api/auth/api-keys/\(prefix)", token: person.access).status == 200)
            #expect(try await one.post("/api/auth/logout", as: person).status == 200)
            while await isTaken(person.access) { await Task.yield() }
            while await isTaken(key) { await Task.yield() }
            shutdown.advance(to: .draining)
            try await feed
            #expect(RevocationFeed.interval <= .seconds(1))
        }
    }
}
