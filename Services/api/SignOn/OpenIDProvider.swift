import Contracts
import Crypto
import HTTP
import HTTPClient
import Platform
import Sockets

/// The provider as one loop knows it: its discovery document and keys, kept for a while, and its token endpoint.
actor OpenIDProvider {
    static let deadlines = Deadlines(
        connect: .seconds(5), firstByte: .seconds(8), idle: .seconds(5), total: .seconds(10))
    static let maximumBytes = 256 * 1024

    enum Failure: Error {
        /// Not reached, or another answer than a document.
        case unreachable(String)
        /// It says something that can not be trusted.
        case untrusted(String)
        /// It does not take the code.
        case codeRefused(String)
        case token(IDToken.Refusal)
    }

    nonisolated let settings: SignOnSettings.Provider
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
    private let client: HTTPClient
    private let now: @Sendable () -> Int64
    private var metadata: (value: ProviderMetadata, at: Int64)?
    private var keys = PublishedKeyCache()

    /// - Parameter now: milliseconds since 1970.
    init(
        _ settings: SignOnSettings.Provider, loop: EventLoop,
        now: @escaping @Sendable () -> Int64 = { WallClock.nowMilliseconds() }
    ) {
        self.settings = settings
        self.loop = loop
        self.now = now
        var configuration = HTTPClientConfiguration()
        configuration.addresses = settings.addresses
        configuration.caFile = settings.caFile
        configuration.userAgent = "aragora-sso"
        configuration.maxConnections = 16
        configuration.maxTransfers = 64
        client = HTTPClient(loop: loop, configuration: configuration)
    }

    // MARK: What it says of itself

    /// Where a browser is sent to.
    func authorizationURL(state: String, nonce: String, challenge: String) async throws(Failure) -> String {
        let metadata = try await discovered()
        let items = [
            ("response_type", "code"), ("client_id", settings.client), ("redirect_uri", settings.callback),
            ("scope", settings.scopes), ("state", state), ("nonce", nonce), ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ]
        let mark = metadata.authorizationEndpoint.contains("?") ? "&" : "?"
        return metadata.authorizationEndpoint + mark + Self.form(items)
    }

    /// Whether an answer of the browser may be from this provider (RFC 9207).
    func sent(issuer: String?) async throws(Failure) -> Bool {
        guard let issuer else { return try await !discovered().sendsIssuer }
        return issuer == settings.issuer
    }

    private func discovered() async throws(Failure) -> ProviderMetadata {
        if let metadata, now() - metadata.at < PublishedKeyCache.freshMilliseconds { return metadata.value }
        do throws(Failure) {
            let base = settings.issuer.hasSuffix("/") ? String(settings.issuer.dropLast()) : settings.issuer
            let bytes = try await get(base + ProviderMetadata.path)
            guard let found = ProviderMetadata(bytes) else { throw .untrusted("no discovery document") }
            try check(found)
            metadata = (found, now())
            return found
        } catch {
            if let metadata, now() - metadata.at < PublishedKeyCache.staleMilliseconds { return metadata.value }
            throw error
        }
    }

    private func check(_ metadata: ProviderMetadata) throws(Failure) {
        guard metadata.issuer == settings.issuer else { throw .untrusted("it calls itself another issuer") }
        let scheme = settings.issuer.hasPrefix("https://") ? ["https://"] : ["https://", "http://"]
        for endpoint in metadata.endpoints + [metadata.authorizationEndpoint] {
            guard scheme.contains(where: endpoint.hasPrefix), endpoint.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
            else {
                throw .untrusted("an endpoint is no https address")
            }
        }
    }

    // MARK: Codes

    /// Changes a code for who the person is.
    func redeem(
        _ code: String, verifier: String, nonce: String
    ) async throws(Failure) -> (subject: String, identity: IDTokenClaims.Identity) {
        let metadata = try await discovered()
        let answer = try await exchange(code, verifier, metadata)
        let expected = IDTokenClaims.Expected(
            issuer: settings.issuer, client: settings.client, nonce: nonce, now: now() / 1000)
        let claims = try await verify(answer.idToken, metadata, expected)
        if let token = answer.accessToken, !IDToken.covers(claims, accessToken: token) {
            throw .token(.claims(.accessToken))
        }
        guard claims.identity.email == nil, let address = metadata.userInfoEndpoint, let token = answer.accessToken
        else { return (claims.subject, claims.identity) }
        let bytes = try await get(address, bearer: token)
        guard let identity = IDTokenClaims.Identity(userInfo: bytes, of: claims.subject) else {
            throw .untrusted("userinfo is about somebody else")
        }
        return (claims.subject, identity)
    }

    private func verify(
        _ token: String, _ metadata: ProviderMetadata, _ expected: IDTokenClaims.Expected
    ) async throws(Failure) -> IDTokenClaims {
        let known = try await published(metadata)
        do throws(IDToken.Refusal) {
            return try IDToken.verify(token, keys: known, algorithms: metadata.algorithms, expected)
        } catch .unknownKey {
            guard keys.mayRefetch(now()) else { throw .token(.unknownKey) }
        } catch { throw .token(error) }
        let fresh = try await published(metadata)
        do throws(IDToken.Refusal) {
            return try IDToken.verify(token, keys: fresh, algorithms: metadata.algorithms, expected)
        } catch { throw .token(error) }
    }

    private func published(_ metadata: ProviderMetadata) async throws(Failure) -> [IDToken.Key] {
        if let fresh = keys.fresh(now()) { return fresh }
        do throws(Failure) {
            guard let set = PublishedKey.set(try await get(metadata.keySet)) else { throw .untrusted("no key set") }
            let found = set.compactMap { IDToken.Key($0) }
            keys.keep(found, at: now())
            return found
        } catch {
            if let stale = keys.stale(now()) { return stale }
            throw error
        }
    }

    private func exchange(
        _ code: String, _ verifier: String, _ metadata: ProviderMetadata
    ) async throws(Failure) -> CodeAnswer {
        var items = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", settings.callback),
            ("code_verifier", verifier), ("client_id", settings.client),
        ]
        var headers: HTTPClientHeaders = [
            "Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json",
        ]
        if let secret = settings.secret?.reveal() {
            if metadata.clientAuthentication.contains("client_secret_basic") {
                let pair = "\(PercentCoding.encode(settings.client)):\(PercentCoding.encode(secret))"
                headers.append("Authorization", "Basic " + Base64.encode(Array(pair.utf8)))
                items.removeLast()
            } else {
                items.append(("client_secret", secret))
            }
        }
        let reply = try await send(
            HTTPClientRequest(
                method: "POST", url: metadata.tokenEndpoint, headers: headers, body: Array(Self.form(items).utf8),
                maxResponseBytes: Self.maximumBytes))
        guard reply.status == 200 else { throw .codeRefused("the token endpoint answers \(reply.status)") }
        guard let answer = CodeAnswer(reply.body) else { throw .untrusted("no ID token came") }
        return answer
    }

    // MARK: Requests

    private func get(_ url: String, bearer: String? = nil) async throws(Failure) -> [UInt8] {
        var headers: HTTPClientHeaders = ["Accept": "application/json"]
        if let bearer { headers.append("Authorization", "Bearer " + bearer) }
        let reply = try await send(
            HTTPClientRequest(url: url, headers: headers, maxResponseBytes: Self.maximumBytes))
        // Redirects are not followed: they could lead anywhere.
        guard reply.status == 200 else { throw .unreachable("it answers \(reply.status)") }
        return reply.body
    }

    private func send(_ request: HTTPClientRequest) async throws(Failure) -> HTTPClientReply {
        do throws(HTTPClientError) { return try await client.send(request, deadlines: Self.deadlines) } catch {
            throw .unreachable(error.description)
        }
    }

    func close() async { await client.close() }

    private static func form(_ items: [(String, String)]) -> String {
        items.map { "\($0.0)=\(PercentCoding.encode($0.1))" }.joined(separator: "&")
    }
}
