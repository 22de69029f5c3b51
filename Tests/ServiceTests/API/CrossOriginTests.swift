import Contracts
import HTTP
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

/// What browsers are told: which pages of other sites may read answers, and how strictly every answer is to be taken.
@Suite("Browsers and other origins", .needsPostgres, .timeLimit(.minutes(2)))
struct CrossOriginTests {
    static let ours = "https://app.example"
    static let listed = ["ARAGORA_ALLOWED_ORIGINS": "https://app.example, http://localhost:3000"]

    /// As it goes over the wire, past the check of answers against the description.
    private static func raw(_ api: APIFixture, _ head: String, _ body: String = "") async throws -> Answer {
        let text = head.replacing("\n", with: "\r\n") + "\r\nHost: api.test\r\nConnection: close\r\n\r\n" + body
        return try Answer(try await Exchange.run(api.loop, api.address, Array(text.utf8)))
    }

    private static func preflight(
        _ api: APIFixture, _ path: String, _ method: String, origin: String
    ) async throws -> Answer {
        try await raw(
            api,
            "OPTIONS \(path) HTTP/1.1\nOrigin: \(origin)\nAccess-Control-Request-Method: \(method)\nAccess-Control-Request-Headers: authorization, content-type"
        )
    }

    private static func words(_ text: String?) -> Set<String> {
        Set((text ?? "").lowercased().split(separator: ",").map { $0.trimmingPrefix(" ") }.map(String.init))
    }

    @Test(
        "a page of a listed origin may read every answer, refusals too, and no credentials of the browser's go with it")
    func listed() async throws {
        try await APIFixture.with(Self.listed) { api in
            for origin in [Self.ours, "http://localhost:3000", "HTTPS://APP.example"] {
                for (target, token, status) in [
                    ("/api/v1/debates", APIFixture.token, 200), ("/api/v1/debates", "wrong", 401),
                    ("/api/nothing", APIFixture.token, 404), ("/api/debates?limit=x", APIFixture.token, 400),
                    ("/healthz", "", 200), ("/", "", 200),
                ] {
                    let answer = try await api.send(
                        "GET", target, token: token.isEmpty ? nil : token, headers: ["Origin": origin])
                    #expect(answer.status == status, "\(target)")
                    #expect(answer.header("Access-Control-Allow-Origin") == origin, "\(target)")
                    #expect(Self.words(answer.header("Vary")).contains("origin"), "\(target)")
                    #expect(answer.header("Access-Control-Allow-Credentials") == nil)
                    #expect(answer.header("Access-Control-Allow-Methods") == nil, "that is for a preflight")
                    #expect(answer.header("Cross-Origin-Resource-Policy") == "cross-origin")
                    let exposed = Self.words(answer.header("Access-Control-Expose-Headers"))
                    #expect(
                        exposed.isSuperset(of: [
                            "x-request-id", "x-trace-id", "x-api-version", "x-ratelimit-limit", "x-ratelimit-remaining",
                            "x-ratelimit-reset", "retry-after", "content-disposition",
                        ]))
                }
            }
        }
    }

    @Test(
        "a page of any other origin is told nothing, however its name looks, and caches are told that it depends",
        arguments: [
            "https://evil.example", "http://app.example", "https://app.example:8443",
            "https://app.example.evil.example",
            "https://evil.example/https://app.example", "https://sub.app.example", "null", "https://app.exampl",
            "https://app.example, https://evil.example", "*", "app.example", "",
        ])
    func strangers(origin: String) async throws {
        try await APIFixture.with(Self.listed) { api in
            for answer in [
                try await api.send("GET", "/api/v1/debates", headers: ["Origin": origin]),
                try await Self.preflight(api, "/api/v1/debates", "POST", origin: origin),
            ] {
                #expect(!answer.head.lowercased().contains("access-control-"), "\(answer.head)")
                #expect(Self.words(answer.header("Vary")).contains("origin"))
                #expect(answer.header("Cross-Origin-Resource-Policy") == "same-origin")
            }
        }
    }

    @Test("a preflight of a listed origin is answered for every route, without a credential, and says what it may send")
    func preflights() async throws {
        try await APIFixture.with(Self.listed.merging(["ARAGORA_RATE_LIMIT": "1"]) { $1 }) { api in
            for route in Routes.table {
                let answer = try await Self.preflight(
                    api, APIAccessTests.target(route.path), route.method.description, origin: Self.ours)
                #expect(answer.status == 204 && answer.text.isEmpty, "\(route.path): \(answer.head)")
                #expect(answer.header("Access-Control-Allow-Origin") == Self.ours)
                #expect(
                    Self.words(answer.header("Access-Control-Allow-Methods")).contains(
                        route.method.description.lowercased()), "\(route.method) \(route.path)")
                #expect(
                    Self.words(answer.header("Access-Control-Allow-Headers")).isSuperset(of: [
                        "authorization", "content-type", "idempotency-key", "x-api-key", "x-request-id",
                    ]))
                #expect(answer.header("Access-Control-Allow-Credentials") == nil)
                #expect(answer.header("Access-Control-Max-Age").flatMap(Int.init) ?? 0 > 0)
                #expect(Self.words(answer.header("Vary")).contains("origin"))
            }
            // An OPTIONS that asks for no method is none.
            let plain = try await Self.raw(api, "OPTIONS /api/v1/debates HTTP/1.1\nOrigin: \(Self.ours)")
            #expect(plain.status == 405 || plain.status == 429, "\(plain.head)")
        }
    }

    @Test("without a list no origin is told anything")
    func none() async throws {
        try await APIFixture.with { api in
            for origin in [Self.ours, "null", "http://api.test"] {
                let answer = try await api.send("GET", "/api/v1/debates", headers: ["Origin": origin])
                #expect(answer.status == 200 && !answer.head.lowercased().contains("access-control-"))
                let asked = try await Self.preflight(api, "/api/v1/debates", "POST", origin: origin)
                #expect(asked.status == 405 && !asked.head.lowercased().contains("access-control-"), "\(asked.head)")
            }
        }
    }

    @Test("every answer says how strictly it is to be taken: good ones, refusals, files, and what no route saw")
    func safety() async throws {
        try await APIFixture.with(Self.listed) { api in
            let debate = try await api.create()
            let big = String(repeating: "x", count: 2_000_000)
            let page = try await api.get("/", token: nil)
            let file = try #require(page.text.firstMatch(of: #/"(\/[^"]+\.(?:js|css))"/#)?.output.1)
            var answers: [(String, Int, Answer)] = [
                ("page", 200, page), ("file", 200, try await api.get(String(file), token: nil)),
                (
                    "unchanged page", 304,
                    try await api.send(
                        "GET", "/", headers: ["If-None-Match": try #require(page.header("ETag"))])
                ),
                ("list", 200, try await api.get("/api/v1/debates")),
                ("html export", 200, try await api.get("/api/debates/\(debate)/export/html")),
                ("csv export", 200, try await api.get("/api/debates/\(debate)/export/csv")),
                ("description", 200, try await api.get("/openapi.json", token: nil)),
                ("health", 200, try await api.get("/healthz", token: nil)),
                ("metrics", 200, try await Self.raw(api, "GET /metrics HTTP/1.1")),
                ("anonymous", 401, try await api.get("/api/v1/debates", token: nil)),
                ("invalid", 400, try await api.send("POST", "/api/v1/debates", "{")),
                ("unknown", 404, try await api.get("/api/v1/debates/none")),
                ("no route", 404, try await api.get("/api/nothing")),
                ("no file", 404, try await api.get("/nothing.js", token: nil)),
                ("not configured", 409, try await api.send("POST", "/api/v1/bots/teams/messages", "{}", token: nil)),
                ("preflight", 204, try await Self.preflight(api, "/api/v1/debates", "POST", origin: Self.ours)),
                // Refused before there is a route.
                ("malformed", 400, try await Self.raw(api, "GET /api/v1/debates HTTP/1.1\nno colon")),
                ("too long", 414, try await Self.raw(api, "GET /\(String(repeating: "a", count: 20_000)) HTTP/1.1")),
                (
                    "too large", 413,
                    try await Self.raw(
                        api, "POST /api/v1/debates HTTP/1.1\nContent-Length: \(big.utf8.count)")
                ),
            ]
            for method in ["TRACE", "TRACK", "CONNECT", "PROPFIND"] {
                let answer = try await Self.raw(api, "\(method) /api/v1/debates HTTP/1.1\nX-Secret: shown-again")
                #expect(!answer.text.contains("shown-again"), "\(method)")
                answers.append((method, answer.status == 400 ? 400 : 405, answer))
            }
            for (name, status, answer) in answers {
                #expect(answer.status == status, "\(name): \(answer.head)")
                #expect(answer.header("X-Content-Type-Options") == "nosniff", "\(name): \(answer.head)")
                #expect(answer.header("X-Frame-Options") == "DENY", "\(name)")
                #expect(answer.header("Referrer-Policy") == "no-referrer", "\(name)")
                let policy = answer.header("Content-Security-Policy") ?? ""
                #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "\(name)")
                #expect(!policy.contains("unsafe-eval") && !policy.contains("script-src 'unsafe"), "\(name)")
                #expect(
                    answer.header("Cross-Origin-Resource-Policy")
                        == (name == "preflight" ? "cross-origin" : "same-origin"),
                    "\(name)")
                #expect(answer.header("Cache-Control") != nil, "\(name)")
                if !["page", "file", "unchanged page"].contains(name) {
                    #expect(answer.header("Cache-Control") == "no-store", "\(name)")
                }
                #expect(answer.header("Server") == nil && answer.header("X-Powered-By") == nil, "\(name)")
            }
        }
        try await APIFixture.with(["ARAGORA_RATE_LIMIT": "1"]) { api in
            var last = try await api.get("/api/v1/debates")
            for _ in 0..<60 where last.status != 429 { last = try await api.get("/api/v1/debates") }
            #expect(last.status == 429 && last.header("X-Content-Type-Options") == "nosniff")
            #expect(last.header("X-Frame-Options") == "DENY" && last.header("Cache-Control") == "no-store")
        }
    }
}
