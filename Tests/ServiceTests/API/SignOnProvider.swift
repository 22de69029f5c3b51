import Contracts
import Crypto
import HTTP
import Platform
import Sockets
import TestSupport
import Testing

@testable import aragora_api

/// An OpenID provider that does whatever a test tells it, right or wrong. A real one answers in scripts/check-oidc.sh.
final class SignOnProvider: Sendable {
    struct State: Sendable {
        var keys: [TokenSigner]
        /// Codes that are good once, each with the challenge it was given for.
        var codes: [String: String] = [:]
        var makeToken: @Sendable (JSONObject) -> String
        var claims = JSONObject()
        var algorithms = ["RS256", "ES256"]
        var issuer = ""
        var keySetRequests = 0
        var refusedCodes = 0
        var extraMetadata = JSONObject()
        var userInfo: JSONObject?
    }

    static let client = "aragora-tests"
    let server: ScriptedServer
    let state: Lock<State>
    let rsa: TokenSigner

    init(loop: EventLoop) throws {
        let rsa = TokenSigner(.rsa(bits: 2048), id: "first")
        self.rsa = rsa
        let state = Lock(State(keys: [rsa], makeToken: { rsa.token($0) }))
        self.state = state
        server = try ScriptedServer(loop: loop) { Self.answer($0, state) }
        state.withLock { [url = server.url] in $0.issuer = url }
    }

    var issuer: String { server.url }
    var keySetRequests: Int { state.withLock { $0.keySetRequests } }
    var refusedCodes: Int { state.withLock { $0.refusedCodes } }

    /// What the API has to be told of it.
    func settings(_ more: [String: String] = [:]) -> [String: String] {
        [
            "ARAGORA_SSO_ENABLED": "true", "ARAGORA_SSO_ISSUER_URL": issuer, "ARAGORA_SSO_CLIENT_ID": Self.client,
            "ARAGORA_SSO_CLIENT_SECRET": "client secret", "ARAGORA_COOKIE_SECURE": "false",
            "ARAGORA_SSO_CALLBACK_URL": "http://api.test/api/auth/sso/callback",
        ].merging(more) { $1 }
    }

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    // MARK: The provider's side

    private static func answer(_ request: ScriptedServer.Request, _ state: Lock<State>) -> [ScriptedServer.Step] {
        let path = String(request.head.split(separator: " ").dropFirst().first ?? "")
        let issuer = state.withLock { $0.issuer }
        switch path {
        case ProviderMetadata.path:
            var document: JSONObject = JSONObject([
                ("issuer", .string(issuer)), ("authorization_endpoint", .string(issuer + "/authorize")),
                ("token_endpoint", .string(issuer + "/token")), ("jwks_uri", .string(issuer + "/keys")),
                ("userinfo_endpoint", .string(issuer + "/userinfo")),
                ("id_token_signing_alg_values_supported", .strings(state.withLock { $0.algorithms })),
            ])
            for member in state.withLock({ $0.extraMetadata }).members { document[member.key] = member.value }
            return json(.object(document))
        case "/keys":
            let keys = state.withLock { state in
                state.keySetRequests += 1
                return state.keys.map(\.published)
            }
            return json(["keys": .array(keys)])
        case "/token": return token(request, state)
        case "/userinfo": return json(.object(state.withLock { $0.userInfo } ?? JSONObject()))
        default: return [.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")]
        }
    }

    private static func token(_ request: ScriptedServer.Request, _ state: Lock<State>) -> [ScriptedServer.Step] {
        let form = (try? QueryItems(request.body, limit: 20)) ?? QueryItems()
        let basic = "Basic " + Base64.encode(Array("\(client):client%20secret".utf8))
        let isGood = state.withLock { state in
            guard let code = form["code"], let challenge = state.codes.removeValue(forKey: code),
                let verifier = form["code_verifier"], Base64.encodeURLSafe(SHA256.hash(verifier)) == challenge,
                form["grant_type"] == "authorization_code", request.header("authorization") == basic,
                form["redirect_uri"] == "http://api.test/api/auth/sso/callback"
            else {
                state.refusedCodes += 1
                return false
            }
            return true
        }
        guard isGood else {
            return [.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}")]
        }
        let (make, claims) = state.withLock { ($0.makeToken, $0.claims) }
        return json(["id_token": .string(make(claims)), "access_token": "opaque", "token_type": "Bearer"])
    }

    private static func json(_ value: JSONValue) -> [ScriptedServer.Step] {
        let body = String(decoding: CanonicalJSON.encode(value), as: UTF8.self)
        return [
            .send(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
        ]
    }
}

/// A browser that was sent to the provider and came back.
struct SignOnBrowser {
    let cookie: String
    let state: String
    let nonce: String
    let challenge: String

    /// Begins at the API, as a browser does.
    init(_ api: APIFixture) async throws {
        let login = try await api.send("GET", "/api/auth/sso/login", token: nil)
        try #require(login.status == 302, "\(login.text)")
        let location = try #require(login.header("Location"))
        let query = try QueryItems(Array(location.split(separator: "?")[1].utf8), limit: 20)
        cookie = String(try #require(login.header("Set-Cookie")).prefix { $0 != ";" })
        state = try #require(query["state"])
        nonce = try #require(query["nonce"])
        challenge = try #require(query["code_challenge"])
        #expect(query["code_challenge_method"] == "S256" && query["response_type"] == "code")
    }

    func back(
        _ api: APIFixture, code: String, state: String? = nil, cookie: String? = nil, more: String = ""
    ) async throws -> Answer {
        try await api.send(
            "GET", "/api/auth/sso/callback?code=\(code)&state=\(state ?? self.state)\(more)", token: nil,
            headers: ["Cookie": cookie ?? self.cookie])
    }
}
