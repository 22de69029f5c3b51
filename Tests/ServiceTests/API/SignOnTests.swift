import Contracts
import Crypto
import Domain
import Platform
import PostgresClient
import Sockets
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

@Suite("Single sign-on and attacks on it", .needsPostgres, .timeLimit(.minutes(3)))
struct SignOnTests {
    static let person = "ada@example.org"

    private func with(
        _ more: [String: String] = [:], _ body: (APIFixture, SignOnProvider) async throws -> Void
    ) async throws {
        let loop = try EventLoop(name: "provider")
        defer { loop.stop() }
        let provider = try SignOnProvider(loop: loop)
        try await APIFixture.with(provider.settings(more)) { api in try await body(api, provider) }
    }

    private func claims(_ provider: SignOnProvider, _ browser: SignOnBrowser, subject: String = "s-1") -> JSONObject {
        let now = WallClock.nowMilliseconds() / 1000
        return JSONObject([
            ("iss", .string(provider.issuer)), ("sub", .string(subject)), ("aud", .string(SignOnProvider.client)),
            ("exp", .int(now + 300)), ("iat", .int(now)), ("nonce", .string(browser.nonce)),
            ("email", .string(Self.person)), ("email_verified", true), ("name", "Ada"),
        ])
    }

    /// One whole sign-in, with what the test makes of the claims and the token.
    private func signIn(
        _ api: APIFixture, _ provider: SignOnProvider, subject: String = "s-1",
        _ change: (inout JSONObject) -> Void = { _ in }
    ) async throws -> Answer {
        let browser = try await SignOnBrowser(api)
        var claims = claims(provider, browser, subject: subject)
        change(&claims)
        let final = claims
        let code = "code-\(UInt64.random(in: .min ... .max))"
        provider.change { state in
            state.codes[code] = browser.challenge
            state.claims = final
        }
        return try await browser.back(api, code: code)
    }

    @Test("a sign-in makes an account once, and finds it again by issuer and subject, whatever the address says then")
    func life() async throws {
        try await with { api, provider in
            let first = try await signIn(api, provider)
            try #require(first.status == 200, "\(first.text)")
            let person = try api.person(Self.person, first.json)
            #expect(
                first.json["user"]?["role"]?.string == "member" && first.json["user"]?["email_verified"]?.bool == true)
            #expect(first.header("Cache-Control") == "no-store")
            #expect(first.header("Set-Cookie")?.contains("Max-Age=0") == true)
            #expect(try await api.get("/api/auth/me", token: person.access).status == 200)
            let again = try await signIn(api, provider) { $0["email"] = "new-name@example.org" }
            #expect(
                again.json["user"]?["id"]?.string == person.id && again.json["user"]?["email"]?.string == Self.person)
            // The same address at the provider, but another person: nobody takes over an account by it.
            let other = try await signIn(api, provider, subject: "s-2") { $0["email"] = "new-name@example.org" }
            #expect(other.status == 200 && other.json["user"]?["id"]?.string != person.id)
            let status = try await api.send("GET", "/api/v2/sso/status", token: nil)
            #expect(status.json["enabled"]?.bool == true && status.json["issuer"]?.string == provider.issuer)
            let out = try await api.send("POST", "/auth/sso/logout", "", token: person.access)
            #expect(out.status == 200)
            #expect(try await api.get("/api/auth/me", token: person.access).status == 401)
        }
    }

    @Test(
        "an account that anybody could have registered is handed to the address's owner: password, sessions and keys end"
    )
    func linking() async throws {
        try await with { api, provider in
            let squatter = try await api.register(Self.person)
            let key = try await api.key(of: squatter)
            let answer = try await signIn(api, provider)
            #expect(answer.json["user"]?["id"]?.string == squatter.id, "\(answer.text)")
            #expect(try await api.login(Self.person).status == 401)
            #expect(try await api.get("/api/auth/me", token: squatter.access).status == 401)
            #expect(try await api.get("/api/debates", token: key).status == 401)
            let actions = try await api.pool.query("SELECT action FROM audit_log").map { try $0.text("action") }
            #expect(actions.contains("user.identity_linked"))
            // An address that the provider does not vouch for links and makes nothing.
            for change in [{ $0["email_verified"] = false }, { $0["email_verified"] = nil }, { $0["email"] = nil }]
                as [(inout JSONObject) -> Void]
            {
                let refused = try await signIn(api, provider, subject: "s-9", change)
                #expect(refused.status == 400 && refused.code == "sso_failed")
            }
        }
    }

    @Test("a second factor that is on is asked for after the provider too")
    func secondFactor() async throws {
        try await with { api, provider in
            let person = try api.person(Self.person, try await signIn(api, provider).json)
            let setup = try await api.post("/api/auth/mfa/setup", "{}", as: person)
            #expect(setup.status == 200)
            _ = try await api.pool.execute("UPDATE users SET mfa_enabled = true")
            let half = try await signIn(api, provider)
            #expect(half.json["mfa_required"]?.bool == true && half.json["tokens"] == nil, "\(half.text)")
        }
    }

    @Test("domains, closed provisioning and deactivation are kept")
    func policy() async throws {
        let closed = [
            "ARAGORA_SSO_ALLOWED_DOMAINS": "example.org, @else.example", "ARAGORA_SSO_AUTO_PROVISION": "false",
        ]
        try await with(closed) { api, provider in
            for address in [Self.person, "eve@evil.example", "eve@sub.example.org", "eve@example.org.evil.example"] {
                let answer = try await signIn(api, provider) { $0["email"] = .string(address) }
                #expect(answer.status == 400, "\(address): \(answer.text)")
            }
            let admin = try await api.register("admin@example.org")
            let ada = try await api.person(Self.person, "viewer", by: admin)
            let known = try await signIn(api, provider)
            #expect(known.status == 200 && known.json["user"]?["role"]?.string == "viewer")
            let open = try api.person(Self.person, known.json).access
            #expect(try await api.get("/api/auth/me", token: open).status == 200)
            _ = try await api.send("PATCH", "/api/users/\(ada.id)", #"{"is_active":false}"#, token: admin.access)
            #expect(try await api.get("/api/auth/me", token: open).status == 401)
            let answer1 = try await signIn(api, provider)
            #expect(answer1.status == 400)
        }
    }

    @Test("no token but the provider's own, for us, now, for this try, and signed as agreed, signs anybody in")
    func attacks() async throws {
        try await with { api, provider in
            let rsa = provider.rsa
            let curve = TokenSigner(.p256, id: "curve")
            let stranger = TokenSigner(.rsa(bits: 2048), id: "first")
            provider.change { $0.keys = [rsa, curve] }
            let now = WallClock.nowMilliseconds() / 1000
            typealias Make = @Sendable (JSONObject) -> String
            func claims(_ change: @escaping @Sendable (inout JSONObject) -> Void) -> Make {
                { original in
                    var claims = original
                    change(&claims)
                    return rsa.token(claims)
                }
            }
            func unsigned(_ header: String) -> Make {
                { rsa.token($0, header: header).split(separator: ".").prefix(2).joined(separator: ".") + "." }
            }
            func hmac(_ key: [UInt8], _ header: String = #"{"alg":"HS256","kid":"first"}"#) -> Make {
                { original in
                    let signed = rsa.token(original, header: header).split(separator: ".").prefix(2).joined(
                        separator: ".")
                    return signed + "." + Base64.encodeURLSafe(HMACSHA256.code(for: Array(signed.utf8), key: key))
                }
            }
            let good: [(String, Make)] = [
                ("RS256", { rsa.token($0) }), ("ES256", { curve.token($0) }),
                ("a list of one audience", claims { $0["aud"] = [.string(SignOnProvider.client)] }),
                (
                    "two audiences, for us",
                    claims {
                        $0["aud"] = [.string(SignOnProvider.client), "other"]
                        $0["azp"] = .string(SignOnProvider.client)
                    }
                ),
            ]
            let bad: [(String, Make)] = [
                ("another nonce", claims { $0["nonce"] = "another" }), ("no nonce", claims { $0["nonce"] = nil }),
                ("another audience", claims { $0["aud"] = "other" }), ("no audience", claims { $0["aud"] = nil }),
                ("an audience that is no text", claims { $0["aud"] = [.int(1)] }),
                ("two audiences, no azp", claims { $0["aud"] = [.string(SignOnProvider.client), "other"] }),
                ("for another party", claims { $0["azp"] = "other" }),
                ("another issuer", claims { $0["iss"] = "https://evil.example" }),
                ("the issuer with a slash", claims { $0["iss"] = .string(provider.issuer + "/") }),
                ("no issuer", claims { $0["iss"] = nil }), ("no subject", claims { $0["sub"] = nil }),
                ("an empty subject", claims { $0["sub"] = "" }),
                ("expired", claims { $0["exp"] = .int(now - 61) }), ("no end", claims { $0["exp"] = nil }),
                ("an end that is a text", claims { $0["exp"] = "9999999999" }),
                ("issued tomorrow", claims { $0["iat"] = .int(now + 3600) }),
                ("issued yesterday", claims { $0["iat"] = .int(now - 86_400) }),
                ("no issue", claims { $0["iat"] = nil }), ("not before", claims { $0["nbf"] = .int(now + 3600) }),
                ("another access token", claims { $0["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" }),
                ("none", unsigned(#"{"alg":"none"}"#)), ("None", unsigned(#"{"alg":"None","kid":"first"}"#)),
                ("RS256 without a signature", unsigned(#"{"alg":"RS256","kid":"first"}"#)),
                ("HS256 with the key's DER", hmac(rsa.info)),
                ("HS256 with the client's secret", hmac(Array("client secret".utf8))),
                ("RS256 that is an HMAC", hmac(rsa.info, #"{"alg":"RS256","kid":"first"}"#)),
                ("RS512", { rsa.token($0, header: #"{"alg":"RS512","kid":"first"}"#) }),
                ("PS256", { rsa.token($0, header: #"{"alg":"PS256","kid":"first"}"#) }),
                ("ES256 under the RSA key's id", { curve.token($0, header: #"{"alg":"ES256","kid":"first"}"#) }),
                ("RS256 under the curve's id", { rsa.token($0, header: #"{"alg":"RS256","kid":"curve"}"#) }),
                ("an id that is a path", { rsa.token($0, header: #"{"alg":"RS256","kid":"../../dev/null"}"#) }),
                ("an id that is a number", { rsa.token($0, header: #"{"alg":"RS256","kid":1}"#) }),
                ("a key of its own", { rsa.token($0, header: #"{"alg":"RS256","kid":"first","jwk":{"kty":"RSA"}}"#) }),
                ("a key elsewhere", { rsa.token($0, header: #"{"alg":"RS256","kid":"first","jku":"https://evil"}"#) }),
                ("an extension", { rsa.token($0, header: #"{"alg":"RS256","kid":"first","crit":["b64"]}"#) }),
                ("another type", { rsa.token($0, header: #"{"alg":"RS256","kid":"first","typ":"at+jwt"}"#) }),
                ("a stranger's signature", { stranger.token($0) }),
                ("a changed claim", { rsa.token($0).replacing(".", with: ".e", maxReplacements: 1) }),
                ("a cut signature", { String(rsa.token($0).dropLast(4)) }),
                ("four parts", { rsa.token($0) + ".x" }), ("no token", { _ in "x" }),
                ("too long", { rsa.token($0) + String(repeating: "A", count: IDToken.maximumBytes) }),
            ]
            for (isGood, cases) in [(true, good), (false, bad)] {
                for (name, make) in cases {
                    provider.change { $0.makeToken = make }
                    let answer = try await signIn(api, provider)
                    if isGood {
                        #expect(answer.status == 200, "\(name): \(answer.text)")
                    } else {
                        #expect(answer.status == 400 && answer.code == "sso_failed", "\(name): \(answer.text)")
                        #expect(answer.json["tokens"] == nil)
                    }
                }
            }
        }
    }

    @Test("what the provider does not say it signs with is not taken, though we could")
    func agreedAlgorithms() async throws {
        try await with { api, provider in
            let curve = TokenSigner(.p256, id: "curve")
            provider.change { state in
                state.keys.append(curve)
                state.algorithms = ["RS256", "none", "HS256"]
                state.makeToken = { curve.token($0) }
            }
            let answer2 = try await signIn(api, provider)
            #expect(answer2.status == 400)
            provider.change { [rsa = provider.rsa] in $0.makeToken = { rsa.token($0) } }
            let answer3 = try await signIn(api, provider)
            #expect(answer3.status == 200)
        }
    }

    @Test("a state is good once, in its own browser, and for its own code")
    func binding() async throws {
        try await with { api, provider in
            let (mine, theirs) = (try await SignOnBrowser(api), try await SignOnBrowser(api))
            let final = claims(provider, mine)
            provider.change { state in
                state.codes = ["mine": mine.challenge, "theirs": theirs.challenge, "more": mine.challenge]
                state.claims = final
            }
            let none = try await api.send("GET", "/api/auth/sso/callback?code=mine&state=\(mine.state)", token: nil)
            #expect(none.status == 400)
            // A stranger's answer slipped into my browser, mine in theirs, and states that nobody made.
            #expect(try await mine.back(api, code: "theirs", state: theirs.state).status == 400)
            #expect(try await theirs.back(api, code: "mine", state: mine.state).status == 400)
            for state in ["", "x", Base64.encodeURLSafe([UInt8](repeating: 1, count: 32)), mine.state + "&state=x"] {
                #expect(try await mine.back(api, code: "mine", state: state).status == 400)
            }
            // None of that used mine up; now its own code, then the same again.
            let good = try await mine.back(api, code: "mine")
            #expect(good.status == 200, "\(good.text)")
            #expect(try await mine.back(api, code: "mine").status == 400)
            #expect(try await mine.back(api, code: "more").status == 400)
            // Another try's code does not fit this one's verifier: PKCE.
            let refused = provider.refusedCodes
            #expect(try await theirs.back(api, code: "more").status == 400)
            #expect(provider.refusedCodes == refused + 1)
            // A code that is sent twice is refused by the provider, and by us with it.
            #expect(try await (try await SignOnBrowser(api)).back(api, code: "mine").status == 400)
        }
    }

    @Test("an answer of another issuer is refused, and one without an issuer where one was promised")
    func issuerOfTheAnswer() async throws {
        try await with { api, provider in
            provider.change { $0.extraMetadata["authorization_response_iss_parameter_supported"] = true }
            for (more, status) in [
                ("", 400), ("&iss=https%3A%2F%2Fevil.example", 400),
                ("&iss=" + provider.issuer.replacing(":", with: "%3A").replacing("/", with: "%2F"), 200),
            ] {
                let browser = try await SignOnBrowser(api)
                let final = claims(provider, browser)
                provider.change { state in
                    state.codes["c"] = browser.challenge
                    state.claims = final
                }
                #expect(try await browser.back(api, code: "c", more: more).status == status, "\(more)")
            }
        }
    }

    @Test("keys that the provider changes are fetched again, once for unknown ones in a while")
    func keyRotation() async throws {
        try await with { api, provider in
            let answer4 = try await signIn(api, provider)
            #expect(answer4.status == 200)
            #expect(provider.keySetRequests == 1)
            let next = TokenSigner(.p256, id: "second")
            provider.change { state in
                state.keys = [next]
                state.makeToken = { next.token($0) }
            }
            let answer5 = try await signIn(api, provider)
            #expect(answer5.status == 200)
            #expect(provider.keySetRequests == 2)
            // Without ids a new key is one that does not fit.
            let header = #"{"alg":"ES256"}"#
            #expect(throws: IDToken.Refusal.unknownKey) {
                let other = TokenSigner(.p256, id: "other")
                let key = try #require(
                    PublishedKey.set(CanonicalJSON.encode(["keys": [other.published]]))?.compactMap { IDToken.Key($0) })
                _ = try IDToken.verify(
                    next.token(JSONObject(), header: header), keys: key, algorithms: ["ES256"],
                    IDTokenClaims.Expected(issuer: "", client: "", nonce: "", now: 0))
            }
            let unknown = TokenSigner(.p256, id: "third")
            provider.change { $0.makeToken = { unknown.token($0) } }
            for _ in 0..<5 {
                let answer6 = try await signIn(api, provider)
                #expect(answer6.status == 400)
            }
            #expect(provider.keySetRequests == 2)
        }
    }

    @Test("weak keys, keys off the curve and keys for encryption are not taken")
    func weakKeys() throws {
        let weak = TokenSigner(.rsa(bits: 1024), id: "weak")
        let set = PublishedKey.set(CanonicalJSON.encode(["keys": [weak.published]])) ?? []
        #expect(set.count == 1 && set.compactMap { IDToken.Key($0) }.isEmpty)
        let off = PublishedKey(
            id: nil,
            material: .p256(
                x: Base64.encodeURLSafe([UInt8](repeating: 1, count: 32)),
                y: Base64.encodeURLSafe([UInt8](repeating: 2, count: 32))))
        #expect(IDToken.Key(off) == nil)
        let small: JSONValue = ["kty": "RSA", "use": "enc", "n": "AQAB", "e": "AQAB"]
        #expect(PublishedKey.set(CanonicalJSON.encode(["keys": [small]]))?.isEmpty == true)
        #expect(throws: CryptoError.self) {
            try SignatureKey(rsaModulus: [UInt8](repeating: 0xFF, count: 256), exponent: [1])
        }
    }

    @Test("a provider that calls itself something else, sends elsewhere, redirects or is away signs nobody in")
    func untrustedProvider() async throws {
        for change in [
            { $0["issuer"] = "https://evil.example" }, { $0["token_endpoint"] = "file:///etc/passwd" },
            { $0["jwks_uri"] = "gopher://127.0.0.1/" }, { $0["authorization_endpoint"] = "javascript:alert(1)" },
        ] as [@Sendable (inout JSONObject) -> Void] {
            try await with { api, provider in
                provider.change { change(&$0.extraMetadata) }
                let answer = try await api.send("GET", "/api/auth/sso/login", token: nil)
                #expect(answer.status == 400 && answer.code == "sso_failed", "\(answer.text)")
            }
        }
        // Names of the cloud's own services are refused at the socket, whatever the document says.
        try await with { api, provider in
            provider.change { state in
                state.extraMetadata["jwks_uri"] = "http://169.254.169.254/latest/meta-data"
            }
            let answer = try await signIn(api, provider)
            #expect(answer.status == 502, "\(answer.text)")
            let lines = api.log.lines.joined()
            #expect(lines.contains("addressRefused"))
        }
        let gone = ["ARAGORA_SSO_ISSUER_URL": "http://127.0.0.1:9"]
        try await with(gone) { api, _ in
            let answer7 = try await api.send("GET", "/api/auth/sso/login", token: nil)
            #expect(answer7.status == 502)
        }
    }

    @Test("where it is off it says so, SAML says that it is not built, and the cookie is for TLS unless told")
    func off() async throws {
        try await APIFixture.with { api in
            let login = try await api.send("GET", "/api/auth/sso/login", token: nil)
            #expect(login.status == 409 && login.code == "not_configured")
            #expect(try await api.send("GET", "/api/auth/sso/status", token: nil).json["enabled"]?.bool == false)
            for (method, path) in [("GET", "saml/login"), ("POST", "saml/acs"), ("GET", "sso/metadata")] {
                let answer = try await api.send(method, "/api/auth/\(path)", token: nil)
                #expect(answer.status == 501 && answer.text.contains("SAML is not implemented"))
            }
        }
        try await APIFixture.with(["ARAGORA_SSO_ENABLED": "true", "ARAGORA_SSO_PROVIDER_TYPE": "saml"]) { api in
            let answer8 = try await api.send("GET", "/auth/sso/login", token: nil)
            #expect(answer8.status == 501)
        }
        try await with(["ARAGORA_COOKIE_SECURE": "true"]) { api, _ in
            let cookie = try await api.send("GET", "/api/auth/sso/login", token: nil).header("Set-Cookie") ?? ""
            #expect(cookie.hasPrefix("__Host-aragora_sso="))
            for word in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] { #expect(cookie.contains(word)) }
        }
    }
}
