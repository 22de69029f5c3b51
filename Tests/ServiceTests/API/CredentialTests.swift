import Contracts
import Crypto
import Domain
import HTTP
import Platform
import PostgresClient
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

@Suite("Credentials and attacks on them", .needsPostgres, .timeLimit(.minutes(3)))
struct CredentialTests {
    static let secret = "a-secret-of-more-than-thirty-two-characters"
    static let older = "the-secret-before-it-of-more-than-32-characters"

    /// A token of any header and claims, signed with anything.
    static func forged(_ header: String, _ claims: JSONObject, _ secret: String = secret) -> String {
        let signed =
            Base64.encodeURLSafe(Array(header.utf8)) + "." + Base64.encodeURLSafe(CanonicalJSON.encode(claims))
        return signed + "." + Base64.encodeURLSafe(HMACSHA256.code(for: Array(signed.utf8), key: Array(secret.utf8)))
    }

    @Test("only our own HS256 access tokens, whole and as they were made, open anything")
    func attacks() async throws {
        let settings = ["ARAGORA_JWT_SECRET": Self.secret, "ARAGORA_JWT_SECRET_PREVIOUS": Self.older]
        try await APIFixture.with(settings) { api in
            let person = try await api.register("admin@example.org")
            let parts = person.access.split(separator: ".").map(String.init)
            let bytes = try #require(Base64.decode(parts[1]))
            let good = try #require(try JSONParser.parse(bytes).object)
            let header = #"{"alg":"HS256","typ":"JWT"}"#
            func with(_ key: String, _ value: JSONValue?) -> JSONObject {
                var claims = good
                claims[key] = value
                return claims
            }
            // The forger can make good ones: what follows is refused for its one difference.
            for token in [
                person.access, Self.forged(header, good), Self.forged(header, good, Self.older),
                Self.forged(#"{"typ":"JWT","alg":"HS256"}"#, good), Self.forged(#"{"alg":"HS256"}"#, good),
            ] {
                #expect(try await api.get("/api/auth/me", token: token).status == 200)
            }
            let now = WallClock.nowMilliseconds() / 1000
            var attacks: [String: String] = [
                "no signature": parts[0] + "." + parts[1] + ".",
                "a cut signature": String(person.access.dropLast(2)),
                "another secret": Self.forged(header, good, "another-secret-of-more-than-32-characters"),
                "an empty secret": Self.forged(header, good, ""),
                "four parts": person.access + ".x", "two parts": parts[0] + "." + parts[1],
                "standard base 64": person.access + "=",
                "a refresh token": person.refresh,
            ]
            for (name, text) in [
                ("alg none", #"{"alg":"none","typ":"JWT"}"#), ("alg None", #"{"alg":"None"}"#),
                ("HS384", #"{"alg":"HS384","typ":"JWT"}"#), ("RS256", #"{"alg":"RS256","typ":"JWT"}"#),
                ("no alg", #"{"typ":"JWT"}"#), ("alg twice", #"{"alg":"HS256","alg":"none"}"#),
                ("kid path", #"{"alg":"HS256","typ":"JWT","kid":"../../dev/null"}"#),
                ("kid SQL", #"{"alg":"HS256","kid":"' UNION SELECT '"}"#),
                ("jwk", #"{"alg":"HS256","jwk":{"kty":"oct","k":"AA"}}"#),
                ("jku", #"{"alg":"HS256","jku":"https://evil.example/keys"}"#),
                ("x5u", #"{"alg":"HS256","x5u":"https://evil.example/key"}"#),
                ("crit", #"{"alg":"HS256","crit":["exp"]}"#), ("zip", #"{"alg":"HS256","zip":"DEF"}"#),
                ("typ JWE", #"{"alg":"HS256","typ":"at+jwt"}"#), ("no object", #"["HS256"]"#),
            ] {
                attacks[name] = Self.forged(text, good)
                attacks[name + ", no signature"] =
                    Base64.encodeURLSafe(Array(text.utf8)) + "." + parts[1] + "."
            }
            for (name, claims) in [
                ("type refresh", with("type", "refresh")), ("type pending", with("type", "mfa_pending")),
                ("no type", with("type", nil)), ("another issuer", with("iss", "evil")),
                ("no issuer", with("iss", nil)),
                ("another audience", with("aud", "other")), ("a list of audiences", with("aud", ["aragora-api"])),
                ("no audience", with("aud", nil)), ("no exp", with("exp", nil)), ("a text as exp", with("exp", "9e9")),
                ("a fraction as exp", with("exp", .double(Double(now) + 1000.5))), ("no iat", with("iat", nil)),
                ("issued tomorrow", with("iat", .int(now + 86_400))),
                ("not before tomorrow", with("nbf", .int(now + 86_400))),
                ("no token version", with("tv", nil)), ("a role there is not", with("role", "root")),
                ("no subject", with("sub", nil)), ("a subject that is no id", with("sub", "admin")),
                ("no session", with("sid", nil)), ("no id", with("jti", nil)),
            ] as [(String, JSONObject)] {
                attacks[name] = Self.forged(header, claims)
            }
            for (name, token) in attacks {
                let answer = try await api.get("/api/auth/me", token: token)
                #expect(answer.status == 401 && answer.code == "invalid_token", "\(name): \(answer.text)")
            }
            let expired = try await api.get("/api/auth/me", token: Self.forged(header, with("exp", .int(now))))
            #expect(expired.status == 401)
            // An access token renews nothing, and a pending one neither.
            let wrong = try await api.send(
                "POST", "/api/auth/refresh", #"{"refresh_token":"\#(person.access)"}"#, token: nil)
            #expect(wrong.status == 401)
        }
    }

    @Test("a token of a lower version is refused, whatever else it says")
    func version() async throws {
        try await APIFixture.with { api in
            let person = try await api.register("admin@example.org")
            _ = try await api.post("/api/auth/logout-all", as: person)
            let user = try #require(UserID(person.id))
            let session = SessionID(milliseconds: 1, random: [UInt8](repeating: 7, count: 10))
            let now = WallClock.nowMilliseconds() / 1000
            for (version, status) in [(1, 401), (2, 200)] as [(Int64, Int)] {
                let token = try api.settings.access.tokens.make(
                    .access,
                    for: .init(user: user, email: person.email, organization: .default, role: .admin, version: version),
                    session: session, now: now)
                #expect(try await api.get("/api/auth/me", token: token.text).status == status)
            }
        }
    }

    @Test("an API key opens what its scopes say, as Bearer or X-API-Key, is shown once, and makes no key that may more")
    func keys() async throws {
        try await APIFixture.with { api in
            let person = try await api.register("admin@example.org")
            let made = try await api.post(
                "/api/auth/api-keys", #"{"name":"reader","scopes":["debates.read","account.manage"]}"#, as: person)
            let key = try #require(made.json["api_key"]?.string)
            #expect(made.json["prefix"]?.string == String(key.prefix(12)))
            #expect(try await api.get("/api/debates", token: key).status == 200)
            let header = try await api.send("GET", "/api/debates", token: nil, headers: ["X-API-Key": key])
            #expect(header.status == 200)
            let create = try await api.send("POST", "/api/debates", #"{"topic":"May it?"}"#, token: key)
            #expect(create.status == 403 && create.json["required_permission"]?.string == "debates.create")
            for body in [#"{"name":"all"}"#, #"{"name":"more","scopes":["debates.create"]}"#, #"{"scopes":["*"]}"#] {
                #expect(try await api.send("POST", "/api/auth/api-keys", body, token: key).status == 403)
            }
            let less = try await api.send(
                "POST", "/api/auth/api-key", #"{"name":"less","scopes":["debates.read"]}"#, token: key)
            #expect(less.status == 200)
            #expect(try await api.send("POST", "/api/auth/mfa/setup", "", token: key).status == 403)
            let list = try await api.get("/api/keys", token: person.access)
            #expect(list.json["count"]?.int == 2 && !list.text.contains(key))
            let stored = try await api.pool.query("SELECT digest FROM api_keys").map { try $0.bytes("digest") }
            #expect(!stored.contains(SHA256.hash(key)))
            for wrong in [String(key.dropLast()) + "x", "ara_" + String(repeating: "A", count: 49), "ara_"] {
                #expect(try await api.get("/api/debates", token: wrong).status == 401)
            }
        }
    }

    @Test("a second factor is asked for in one call or two, takes each code once, and its secret is stored sealed")
    func secondFactor() async throws {
        try await APIFixture.with { api in
            let person = try await api.register("admin@example.org")
            let setup = try await api.post("/api/auth/mfa/setup", #"{"method":"totp"}"#, as: person)
            let text = try #require(setup.json["secret"]?.string)
            #expect(text.utf8.count == 32)
            let uri = try #require(setup.json["provisioning_uri"]?.string)
            #expect(uri == "otpauth://totp/Aragora:admin%40example.org?secret=\(text)&issuer=Aragora")
            let sealed = try #require(
                try await api.pool.query("SELECT mfa_secret FROM users").first?.bytes("mfa_secret"))
            let user = try #require(UserID(person.id))
            let secret = try api.settings.access.secretBox.open(sealed, for: SecondFactorCheck.purpose(user))
            #expect(Base32.encode(secret) == text && !sealed.starts(with: secret))
            let generator = OneTimePassword(secret: secret)
            func code(_ distance: Int64) -> String {
                generator.code(step: OneTimePassword.step(at: WallClock.nowMilliseconds() / 1000) + distance)
            }
            let wrong = try await api.post("/api/auth/mfa/enable", #"{"code":"000000"}"#, as: person)
            #expect(wrong.status == 400 && wrong.code == "wrong_code")
            let enabled = try await api.post("/api/auth/mfa/enable", #"{"code":"\#(code(-1))"}"#, as: person)
            let codes = (enabled.json["backup_codes"]?.array ?? []).compactMap(\.string)
            #expect(codes.count == 10 && codes.allSatisfy { $0.count == 8 } && enabled.status == 200)
            #expect(try await api.get("/api/auth/me", token: person.access).status == 401)

            let half = try await api.login(person.email)
            #expect(half.json["mfa_required"]?.bool == true && half.json["tokens"] == nil)
            let pending = try #require(half.json["pending_token"]?.string)
            #expect(try await api.get("/api/auth/me", token: pending).status == 401)
            let verify = #"{"code":"\#(code(0))","pending_token":"\#(pending)"}"#
            let whole = try await api.send("POST", "/api/auth/mfa/verify", verify, token: nil)
            #expect(whole.status == 200, "\(whole.text)")
            // The same code again, though it is still its time.
            #expect(try await api.send("POST", "/api/auth/mfa/verify", verify, token: nil).status == 401)
            #expect(try await api.login(person.email, Person.password, #","mfa_code":"\#(code(0))""#).status == 401)
            // In one call, by a backup code, once.
            let backup = try await api.login(person.email, Person.password, #","mfa_code":"\#(codes[3])""#)
            #expect(backup.status == 200 && backup.json["tokens"] != nil)
            #expect(try await api.login(person.email, Person.password, #","mfa_code":"\#(codes[3])""#).status == 401)
            let session = try api.person(person.email, backup.json)
            let off = try await api.post("/api/auth/mfa/disable", #"{"password":"\#(Person.password)"}"#, as: session)
            #expect(off.status == 200, "\(off.text)")
            #expect(try await api.login(person.email).json["tokens"] != nil)
        }
    }

    @Test("a cookie says nothing about who asks, so that no other site can speak for its visitor")
    func cookies() async throws {
        try await APIFixture.with { api in
            let person = try await api.register("admin@example.org")
            for name in ["session", "access_token", "token", "Authorization"] {
                let answer = try await api.send(
                    "POST", "/api/auth/logout-all", "", token: nil,
                    headers: ["Cookie": "\(name)=\(person.access)", "Origin": "https://evil.example"])
                #expect(answer.status == 401)
            }
            #expect(try await api.get("/api/auth/me", token: person.access).status == 200)
            let login = try await api.login(person.email)
            #expect(login.header("Set-Cookie") == nil && login.header("Cache-Control") == "no-store")
        }
    }

    @Test("what a client writes into fields never becomes a header or a line of the log")
    func injection() async throws {
        try await APIFixture.with { api in
            let person = try await api.register("admin@example.org")
            let key = try await api.post(
                "/api/auth/api-keys", #"{"name":"a\r\nSet-Cookie: evil=1"}"#, as: person)
            #expect(key.status == 400)
            let answer = try await api.send(
                "DELETE", "/api/keys/x%0d%0aSet-Cookie:%20evil=1", token: person.access)
            #expect(answer.status == 404 && answer.header("Set-Cookie") == nil)
            #expect(!api.log.lines.contains { $0.dropLast().contains("\n") })
            let secrets = [Person.password, person.access, person.refresh]
            #expect(!api.log.lines.contains { line in secrets.contains { line.contains($0) } })
        }
    }

    @Test("roles and permissions are told as they are, older names too")
    func roles() async throws {
        try await APIFixture.with { api in
            let person = try await api.register("admin@example.org")
            let roles = try await api.get("/api/v1/rbac/roles", token: person.access)
            #expect(roles.json["roles"]?.array?.count == 3)
            #expect(try await api.get("/api/rbac/roles/owner", token: person.access).json["id"]?.string == "admin")
            #expect(try await api.get("/api/rbac/roles/root", token: person.access).status == 404)
            let permissions = try await api.get("/api/rbac/permissions", token: person.access)
            #expect(permissions.json["total"]?.int == Int64(Permission.allCases.count))
            let check = try await api.post("/api/rbac/check", #"{"permission":"users.manage"}"#, as: person)
            #expect(check.json["allowed"]?.bool == true)
            let none = try await api.get("/api/rbac/check?permission=everything", token: person.access)
            #expect(none.json["allowed"]?.bool == false)
            #expect(try await api.get("/api/rbac/assignments", token: person.access).json["total"]?.int == 1)
        }
    }

    @Test("rates are counted per user and per class of route, and the tightest is told")
    func rates() async throws {
        let settings = ["ARAGORA_RATE_LIMIT": "1000", "ARAGORA_RATE_LIMIT_PRINCIPAL": "5"]
        try await APIFixture.with(settings) { api in
            let person = try await api.register("admin@example.org")
            let remaining = try await (0..<5).asyncMap { _ in
                try await api.get("/api/rbac/roles", token: person.access).header("X-RateLimit-Remaining")
            }
            #expect(remaining == ["4", "3", "2", "1", "0"])
            let refused = try await api.get("/api/rbac/roles", token: person.access)
            #expect(refused.status == 429 && refused.code == "rate_limited")
            #expect(refused.header("Retry-After").flatMap { Int($0) } ?? 0 > 0)
            // Somebody else at the same address goes on; passwords have a limit of their own.
            #expect(try await api.get("/api/rbac/roles").status == 200)
            let limit = try #require(RouteRateMiddleware.classLimits[.credential])
            var passed = 0
            while passed < 10 * limit {
                let answer = try await api.send(
                    "POST", "/api/auth/password/forgot", #"{"email":"nobody@example.org"}"#, token: nil)
                guard answer.status == 200 else {
                    #expect(answer.status == 429 && answer.code == "rate_limited")
                    break
                }
                passed += 1
            }
            // Registering took one; one a second comes back meanwhile.
            #expect(passed >= limit - 1 && passed < 10 * limit)
        }
    }
}

extension Sequence {
    fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
