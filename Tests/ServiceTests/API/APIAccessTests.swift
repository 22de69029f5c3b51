import Contracts
import HTTP
import Platform
import Sockets
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

@Suite("Who may do what at the API", .needsPostgres, .timeLimit(.minutes(2)))
struct APIAccessTests {
    static let someDebate = "dbt_01kdyqrq00000000000000000a"

    static func target(_ path: String) -> String {
        path.replacing("{id}", with: someDebate).replacing("{format}", with: "json")
            .replacing("{receipt}", with: "rcp_01kdyqrq00000000000000000a")
            .replacing("{budget}", with: "bdg_01kdyqrq00000000000000000a").replacing("{alert}", with: "1")
            .replacing("{batch}", with: "bat_01kdyqrq00000000000000000a").replacing("{token}", with: "none")
    }

    @Test("every route that is not declared open takes a credential, and no wrong one")
    func everyRoute() async throws {
        try await APIFixture.with { api in
            let table = Routes.table
            #expect(table.count > 20)
            let expired = APIFixture.signedToken("admin", secondsFromNow: -10)
            for route in table {
                let (method, target) = (route.method.description, Self.target(route.path))
                let without = try await api.send(method, target, token: nil)
                guard case .permission = route.requirement else {
                    #expect(without.status != 401, "\(target)")
                    continue
                }
                #expect(without.status == 401 && without.code == "authentication_required", "\(method) \(target)")
                #expect(without.header("WWW-Authenticate") == "Bearer")
                #expect(without.json["suggestion"]?.string?.contains("Authorization: Bearer") == true)
                let wrong = try await api.send(method, target, token: "wrong")
                #expect(wrong.status == 401 && wrong.code == "invalid_token", "\(method) \(target)")
                let old = try await api.send(method, target, token: expired)
                #expect(old.status == 401 && old.code == "token_expired", "\(method) \(target)")
            }
            let open = table.filter { if case .open = $0.requirement { true } else { false } }
            #expect(
                open.map(\.path) == [
                    "/api/shared/{token}", "/api/shared/{token}/events", "/api/receipts/share/{token}",
                    "/api/receipts/signing-key",
                    "/.well-known/aragora-odr-signing-key", "/api/receipt-log/head", "/api/receipt-log/inclusion",
                    "/api/receipt-log/consistency", "/api/receipt-log/entries", "/api/leaderboard", "/api/rankings",
                    "/api/bots/slack/commands", "/api/bots/slack/events", "/api/bots/slack/interactions",
                    "/api/bots/teams/messages",
                    "/api/status", "/ws", "/openapi.json", "/api/openapi.json",
                    "/api/auth/register", "/api/auth/login", "/api/auth/refresh", "/api/auth/password/forgot",
                    "/api/auth/password/reset", "/api/auth/mfa/verify",
                    "/api/auth/sso/status", "/api/auth/sso/login", "/api/auth/sso/callback", "/api/auth/sso/metadata",
                    "/api/auth/saml/login", "/api/auth/saml/acs", "/api/auth/saml/metadata",
                ] + Routes.pageRoutes.map(\.path))
        }
    }

    @Test("a route that declares nothing is refused")
    func undeclared() async throws {
        let authentication = AuthenticationMiddleware(
            authenticator: Authenticator(
                access: AccessControl(token: nil, previousToken: nil), revocations: RevocationSet(isKnown: true),
                cache: KeyCache(), findKey: { _ in nil }, refresh: {}), requirements: [RouteKey(.get, "/known"): .open])
        var router = Router(middleware: [ErrorMappingMiddleware(log: .disabled), authentication])
        for path in ["/known", "/forgotten"] { router.on(.get, path) { _, _ in .text("open") } }
        for (target, status) in [("/known", 200), ("/forgotten", 403), ("/none", 404)] {
            let request = try Request(text: "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
            let match = router.match(request.head)
            let loop = try EventLoop(name: "test")
            defer { loop.stop() }
            let context = RequestContext(match, peer: try #require(.init(ip: "127.0.0.1", port: 1)), loop: loop)
            #expect(try await match.route.responder(request, context).status.code == status)
        }
    }

    @Test("the token of one debate opens that one, by id, slug and receipt, and nothing else")
    func scoped() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let (own, foreign) = (try await api.create(), try await api.create("Is the other one mine?"))
            try await api.finish(own)
            let token = APIFixture.signedToken(own)
            let record = try await api.get("/api/debates/\(own)", token: token)
            #expect(record.status == 200)
            let slug = try #require(record.json["slug"]?.string)
            let receipt = try #require(try await api.get("/api/debates/\(own)/receipt").json["receipt_id"]?.string)
            for path in [
                "/api/debates/\(own)/messages", "/api/debates/\(own)/events", "/api/debates/\(own)/export/md",
                "/api/debates/\(slug)",
                "/api/debates/slug/\(slug)", "/api/debates/\(own)/receipt", "/api/receipts/\(receipt)",
            ] {
                #expect(try await api.get(path, token: token).status == 200, "\(path)")
            }
            let foreignSlug = try #require(try await api.get("/api/debates/\(foreign)").json["slug"]?.string)
            for path in [
                "/api/debates/\(foreign)", "/api/debates/\(foreign)/events", "/api/debates", "/api/debates/active",
                "/api/receipts", "/api/debates/queue/status",
            ] {
                #expect(try await api.get(path, token: token).status == 403, "\(path)")
            }
            for path in [
                "/api/debates/\(foreignSlug)", "/api/debates/slug/\(foreignSlug)", "/api/debates/\(foreignSlug)/events",
            ] {
                #expect(try await api.get(path, token: token).status == 404, "\(path)")
            }
            let foreignReceipt = APIFixture.signedToken(foreign)
            #expect(try await api.get("/api/receipts/\(receipt)", token: foreignReceipt).status == 404)
            #expect(try await api.send("POST", "/api/receipts/\(receipt)/verify", token: foreignReceipt).status == 404)
            #expect(try await api.send("POST", "/api/debates", #"{"topic":"May I?"}"#, token: token).status == 403)
            #expect(try await api.send("POST", "/api/debates/\(foreign)/cancel", token: token).status == 403)
            #expect(try await api.send("POST", "/api/debates/\(foreignSlug)/cancel", token: token).status == 404)
            let after = try await api.get("/api/debates/\(foreign)").json
            #expect(after["status"]?.string != "cancelled")
        }
    }

    @Test("the previous service token works while it is set; the admin token does what the service token does")
    func otherTokens() async throws {
        try await APIFixture.with(["ARAGORA_API_TOKEN_PREVIOUS": "the old one"]) { api in
            for token in ["the old one", APIFixture.signedToken("admin"), APIFixture.signedToken("")] {
                #expect(try await api.get("/api/debates", token: token).status == 200)
            }
            for token in ["", "Bearer", String(repeating: "x", count: 5000), "a:b:c", ":9999999999:"] {
                #expect(try await api.get("/api/debates", token: token).status == 401)
            }
            let bare = try await api.send("GET", "/api/debates", token: nil, headers: ["Authorization": "Basic eDp5"])
            #expect(bare.status == 401 && bare.code == "authentication_required")
            #expect(
                try await api.send("GET", "/api/debates", token: nil, headers: ["Authorization": "bearer the old one"])
                    .status == 200)
        }
    }

    @Test("without a token set, and outside production, everyone may")
    func open() async throws {
        try await APIFixture.with(["ARAGORA_API_TOKEN": ""]) { api in
            #expect(try await api.get("/api/debates", token: nil).status == 200)
            let health = try await api.get("/health", token: nil).json
            #expect(health["checks"]?["database"]?["status"]?.string == "ok")
        }
    }

    @Test("in production a missing token is a problem at the start")
    func production() {
        var reader = SettingsReader(lookup: { ["ARAGORA_ENV": "production", "DATABASE_URL": "postgresql://x"][$0] })
        _ = APISettings(reading: &reader, common: CommonSettings(reading: &reader, processors: 1))
        #expect(reader.problems.contains { $0.hasPrefix("ARAGORA_API_TOKEN: required in production") })
    }

    @Test("no token, query or body is ever logged, whatever becomes of the request")
    func logs() async throws {
        try await APIFixture.with { api in
            let secret = "s3cret-that-must-not-show"
            _ = try await api.get("/api/debates?token=\(secret)&q=\(secret)")
            _ = try await api.get("/api/debates?limit=\(secret)", token: secret)
            _ = try await api.get("/ws?token=\(secret)", token: nil)
            _ = try await api.get("/nothing?token=\(secret)", token: secret)
            _ = try await api.send("POST", "/api/debates", #"{"topic":"\#(secret)","agents":"demo"}"#)
            _ = try await api.send("POST", "/api/debates", #"{"topic":7,"x":"\#(secret)"}"#)
            _ = try await api.get("/api/debates?token=\(secret)&%zz")
            let lines = api.log.lines
            #expect(lines.filter { $0.contains("\"message\":\"request finished\"") }.count >= 6)
            #expect(lines.contains { $0.contains("\"path\":\"/api/debates\"") })
            for line in lines {
                #expect(!line.contains(secret) && !line.contains(APIFixture.token) && !line.contains("?"), "\(line)")
            }
        }
    }

    @Test("requests over the limit are 429 with Retry-After, and every answer shows the limit")
    func rateLimit() async throws {
        try await APIFixture.with(["ARAGORA_RATE_LIMIT": "3"]) { api in
            for left in [2, 1, 0] {
                let answer = try await api.get("/api/debates", token: left == 1 ? nil : APIFixture.token)
                #expect(answer.status == (left == 1 ? 401 : 200))
                #expect(answer.header("X-RateLimit-Limit") == "3")
                #expect(answer.header("X-RateLimit-Remaining") == "\(left)")
                #expect(answer.header("X-RateLimit-Reset").flatMap { Int($0) } != nil)
            }
            let refused = try await api.get("/api/debates")
            #expect(refused.status == 429 && refused.code == "rate_limited")
            let wait = try #require(refused.header("Retry-After").flatMap { Int($0) })
            #expect((1...60).contains(wait))
            #expect(refused.header("X-RateLimit-Remaining") == "0")
            #expect(refused.header("X-Request-ID") != nil && refused.header("X-API-Version") == "v1")
            for path in ["/healthz", "/readyz", "/api/health", "/api/status"] {
                #expect(try await api.get(path).status == 200, "\(path)")
            }
            let other = try await api.send("GET", "/api/debates", headers: ["X-Forwarded-For": "203.0.113.9"])
            #expect(other.status == 200 && other.header("X-RateLimit-Remaining") == "2")
        }
    }

    @Test("a limit of 0 is none")
    func noLimit() async throws {
        try await APIFixture.with { api in
            for _ in 0..<5 {
                let answer = try await api.get("/api/debates")
                #expect(answer.status == 200 && answer.header("X-RateLimit-Limit") == nil)
            }
        }
    }

    @Test(
        "X-Forwarded-For is believed from trusted proxies, hop by hop from the last",
        arguments: [
            (["1.2.3.4"], "10.0.0.1", "1.2.3.4"), (["1.2.3.4"], "8.8.8.8", "8.8.8.8"), ([], "10.0.0.1", "10.0.0.1"),
            (["6.6.6.6, 1.2.3.4, 10.0.0.9"], "10.0.0.1", "1.2.3.4"), (["6.6.6.6", "1.2.3.4"], "10.0.0.1", "1.2.3.4"),
            (["10.1.1.1, 10.2.2.2"], "10.0.0.1", "10.1.1.1"), (["1.2.3.4, nonsense"], "10.0.0.1", "10.0.0.1"),
            (["nonsense, 1.2.3.4"], "10.0.0.1", "1.2.3.4"), (["2001:db8::1"], "::ffff:10.0.0.1", "2001:db8::1"),
            (["1.2.3.4:55"], "10.0.0.1", "10.0.0.1"), ([",,"], "10.0.0.1", "10.0.0.1"),
        ])
    func forwarded(lines: [String], peer: String, client: String) throws {
        let proxies = try #require(TrustedProxies("10.0.0.0/8, ::1/128"))
        let fields = lines.map { "X-Forwarded-For: \($0)\r\n" }.joined()
        let request = try Request(text: "GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
        #expect(proxies.client(of: request, peer: peer) == client)
    }

    @Test(
        "networks are read strictly",
        arguments: [
            ("", true), ("10.0.0.0/8", true), ("10.0.0.1", true), ("::/0", true), ("10.0.0.0/33", false),
            ("10.0.0/8", false),
            ("x", false), ("10.0.0.0/-1", false), ("10.0.0.0/8,,", true), ("10.0.0.0/", false),
        ])
    func networks(text: String, isValid: Bool) { #expect((TrustedProxies(text) != nil) == isValid) }
}
