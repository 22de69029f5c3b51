import Contracts
import Crypto
import Domain
import HTTP
import Platform
import ServiceKit
import Storage

/// Signing in at an identity provider: authorization code with PKCE, bound to the browser that began it.
///
/// The browser keeps one random secret in a cookie; nonce and code verifier are made from it and the state, so that nothing
/// is stored that could complete somebody's sign-in.
struct SignOnHandler: Sendable {
    static let path = "/api/auth/sso"
    static let secretBytes = 32
    static let maximumCode = 4096

    let settings: SignOnSettings
    /// Nil when there is none.
    let provider: OpenIDProvider?
    let store: SignOnStore
    let services: AccountServices
    let signIn: SignInHandler

    // MARK: Routes

    func status(_ request: Request, _ context: RequestContext) async throws -> Response {
        AccountServices.json(
            SignOnBody.status(
                isEnabled: provider != nil, kind: settings.kind.rawValue, issuer: settings.provider?.issuer,
                loginPath: provider == nil ? nil : Self.path + "/login"))
    }

    /// Sends the browser to the provider.
    func login(_ request: Request, _ context: RequestContext) async throws -> Response {
        let provider = try enabled()
        let state = Base64.encodeURLSafe(try RandomBytes.make(Self.secretBytes))
        let browser = Base64.encodeURLSafe(try RandomBytes.make(Self.secretBytes))
        let attempt = Attempt(state: state, browser: browser)
        let address: String
        do throws(OpenIDProvider.Failure) {
            address = try await provider.authorizationURL(
                state: state, nonce: attempt.nonce, challenge: attempt.challenge)
        } catch { throw refused(error) }
        guard let location = HeaderValue(address) else { throw APIError(.upstreamUnavailable) }
        try await AccountServices.asking {
            try await store.begin(state: attempt.stateDigest, browser: attempt.browserDigest)
        }
        var response = Response(.found, headers: [.location: location])
        response.headers["Set-Cookie"] = cookie(browser, seconds: SignOnStore.attemptSeconds)
        return response
    }

    /// Where the provider sends the browser back to.
    func callback(_ request: Request, _ context: RequestContext) async throws -> Response {
        let provider = try enabled()
        let origin = services.origin(request, context)
        var response: Response
        do {
            response = try await complete(request, provider, origin)
        } catch let error as APIError {
            await services.note(
                AuditEntry(.loginFailed, by: "anonymous", in: .default, on: "sso", nil, from: origin))
            throw error
        }
        response.headers["Set-Cookie"] = cookie("", seconds: 0)
        return response
    }

    /// What is not built says so.
    func saml(_ request: Request, _ context: RequestContext) async throws -> Response { throw Self.noSAML }

    static let noSAML = APIError(
        .notImplemented, "SAML is not implemented.",
        suggestion: "use OpenID Connect: ARAGORA_SSO_PROVIDER_TYPE=oidc; most SAML providers speak it too")

    // MARK: Parts

    private func enabled() throws(APIError) -> OpenIDProvider {
        if settings.isEnabled && settings.kind == .saml { throw Self.noSAML }
        guard let provider else {
            throw APIError(
                .notConfigured, "Single sign-on is off.", suggestion: "set ARAGORA_SSO_ENABLED and its kin")
        }
        return provider
    }

    private func complete(
        _ request: Request, _ provider: OpenIDProvider, _ origin: Origin
    ) async throws -> Response {
        let query = request.query
        guard let state = query["state"], let browser = Self.cookies(request, named: cookieName).first,
            Base64.decode(state)?.count == Self.secretBytes, Base64.decode(browser)?.count == Self.secretBytes,
            query.all("state").count == 1, query.all("code").count <= 1
        else { throw failed("the answer does not belong to a sign-in of this browser") }
        let attempt = Attempt(state: state, browser: browser)
        // Used up whatever comes of it: an answer is looked at once.
        let isOurs = try await AccountServices.asking {
            try await store.take(state: attempt.stateDigest, browser: attempt.browserDigest)
        }
        guard isOurs else { throw failed("the state is unknown, used, too old, or another browser's") }
        do throws(OpenIDProvider.Failure) {
            guard try await provider.sent(issuer: query["iss"]) else { throw .untrusted("another issuer answers") }
        } catch { throw refused(error) }
        guard let code = query["code"], !code.isEmpty, code.utf8.count <= Self.maximumCode else {
            throw failed("the provider sent no code")
        }
        let found: (subject: String, identity: IDTokenClaims.Identity)
        do throws(OpenIDProvider.Failure) {
            found = try await provider.redeem(code, verifier: attempt.verifier, nonce: attempt.nonce)
        } catch { throw refused(error) }
        return try await admit(found.subject, found.identity, provider.settings, origin)
    }

    private func admit(
        _ subject: String, _ identity: IDTokenClaims.Identity, _ provider: SignOnSettings.Provider, _ origin: Origin
    ) async throws -> Response {
        guard let email = identity.email, identity.isEmailVerified else {
            throw failed("the provider does not vouch for an address")
        }
        let domain = String(email.split(separator: "@").last ?? "")
        guard provider.domains.isEmpty || provider.domains.contains(domain) else {
            throw failed("the address is of no allowed domain")
        }
        let person = VouchedPerson(
            issuer: provider.issuer, subject: subject, email: email, name: identity.name ?? "")
        let id = try AccountServices.newUserID()
        let outcome = try await AccountServices.asking {
            try await store.account(
                of: person, newID: id, makes: provider.makesAccounts,
                administrator: services.settings.administrator
            ) { action, user in
                AuditEntry(
                    action, by: user.id.text, in: user.organization, on: "user", user.id.text,
                    details: AuditDetails.identity(issuer: provider.issuer, subject: subject, email: email),
                    from: origin)
            }
        }
        switch outcome {
        case .linked(let user):
            await services.spread()
            return try await signIn.vouched(user, lifetimeSeconds: provider.sessionSeconds, origin)
        case .known(let user), .created(let user):
            return try await signIn.vouched(user, lifetimeSeconds: provider.sessionSeconds, origin)
        case .unknown: throw failed("there is no account, and none is made")
        case .inactive: throw failed("the account is not active")
        }
    }

    // MARK: Refusals

    /// Who tries hears little; our log hears why.
    private func failed(_ reason: String) -> APIError {
        services.log.info("single sign-on refused", .reason(reason))
        return APIError(
            .signOnFailed, suggestion: "begin again at \(Self.path)/login, in the browser that you began in")
    }

    private func refused(_ failure: OpenIDProvider.Failure) -> APIError {
        switch failure {
        case .unreachable(let reason):
            services.log.warning("identity provider not reached", .reason(reason))
            return APIError(.upstreamUnavailable, "The identity provider did not answer.")
        case .untrusted(let reason), .codeRefused(let reason): return failed(reason)
        case .token(let reason): return failed("ID token: \(reason)")
        }
    }

    // MARK: Cookies

    private var cookieName: String { settings.hasSecureCookies ? "__Host-aragora_sso" : "aragora_sso" }

    private func cookie(_ value: String, seconds: Int) -> HeaderValue? {
        HeaderValue(
            "\(cookieName)=\(value); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Lax"
                + (settings.hasSecureCookies ? "; Secure" : ""))
    }

    static func cookies(_ request: Request, named name: String) -> [String] {
        (request[header: "cookie"] ?? "").split(separator: ";").compactMap { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].drop(while: { $0 == " " }) == name else { return nil }
            return String(parts[1])
        }
    }

    /// What belongs to one try of one browser.
    struct Attempt {
        let state: String
        let browser: String

        var stateDigest: [UInt8] { SHA256.hash("aragora sso state:" + state) }
        var browserDigest: [UInt8] { SHA256.hash("aragora sso browser:" + browser) }
        var nonce: String { made("nonce") }
        var verifier: String { made("verifier") }
        /// S256 (RFC 7636 §4.2).
        var challenge: String { Base64.encodeURLSafe(SHA256.hash(verifier)) }

        private func made(_ purpose: String) -> String {
            Base64.encodeURLSafe(
                HMACSHA256.code(for: Array("aragora sso \(purpose):\(state)".utf8), key: Array(browser.utf8)))
        }
    }
}
