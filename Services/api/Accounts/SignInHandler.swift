import Contracts
import Crypto
import Domain
import HTTP
import Platform
import ServiceKit
import Storage

/// Registering, signing in, and the second factor of a sign-in.
struct SignInHandler: Sendable {
    static let wrongCredentials = "Invalid email or password"

    let services: AccountServices
    private var factors: SecondFactorCheck { SecondFactorCheck(services: services) }

    // MARK: Registering

    func register(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wish = try AccountRequests.registration(request.body)
        let origin = services.origin(request, context)
        // Who may manage users makes accounts where nobody may register.
        let mayAlways =
            (context.principal as? Principal).map { $0.user != nil || $0.credential == .service } == true
            && (context.principal as? Principal)?.may(.usersManage) == true
        let hash = try await services.hasher.hash(wish.password)
        let now = AccountServices.now()
        let user = NewUser(id: try AccountServices.newUserID(), email: wish.email, name: wish.name, passwordHash: hash)
        let organization = OrganizationID(milliseconds: now.milliseconds, random: try RandomBytes.make(10))
        let outcome = try await AccountServices.asking {
            try await services.accounts.register(
                user, founding: wish.organization.map { (organization, $0) },
                rule: RegistrationRule(
                    isOpen: services.settings.isRegistrationOpen || mayAlways,
                    administrator: services.settings.administrator)
            ) { record in
                AuditEntry(
                    .userRegistered, by: record.id.text, in: record.organization, on: "user", record.id.text,
                    details: AuditDetails.user(email: record.email, role: record.role), from: origin)
            }
        }
        switch outcome {
        case .registered(let record, let organization):
            let tokens = try await begin(record, .loginSucceeded, origin)
            return AccountServices.json(
                AccountBody.signedIn(UserBody(record), tokens, AccountBody.organization(organization)), status: .created
            )
        case .emailTaken: throw APIError(.emailTaken)
        case .closed:
            throw APIError(
                .registrationClosed, suggestion: "ask an administrator for an account, or set ARAGORA_REGISTRATION=open"
            )
        }
    }

    // MARK: Signing in

    func login(_ request: Request, _ context: RequestContext) async throws -> Response {
        let login = try AccountRequests.login(request.body)
        let origin = services.origin(request, context)
        try await admit(login.email, origin)
        let user = try await AccountServices.asking { try await services.accounts.user(email: login.email) }
        // The same work and the same words whoever is asked for.
        let check = try await services.hasher.check(login.password, against: user?.passwordHash)
        guard let user, user.isActive, check.isRight else {
            await failed(login.email, user, origin)
            throw APIError(.invalidCredentials, Self.wrongCredentials)
        }
        if user.secondFactor.isEnabled {
            guard let code = login.code else { return try await pending(user, origin) }
            guard try await factors.takes(code, of: user, origin) else {
                await failed(login.email, user, origin)
                throw APIError(.invalidCredentials, Self.wrongCredentials)
            }
        }
        if check.isOutdated { try await rehash(login.password, of: user) }
        let (tokens, organization) = try await finish(user, login.email, origin)
        return AccountServices.json(AccountBody.signedIn(UserBody(user), tokens, organization))
    }

    /// A provider vouches for who this is. A second factor that the user has here is asked for all the same.
    func vouched(_ user: UserRecord, lifetimeSeconds: Int64, _ origin: Origin) async throws -> Response {
        guard !user.secondFactor.isEnabled else { return try pendingAnswer(user) }
        let tokens = try await begin(user, .loginSucceeded, origin, lifetimeSeconds: lifetimeSeconds)
        let organization = try await AccountServices.asking {
            try await services.accounts.organization(user.organization)
        }
        return AccountServices.json(
            AccountBody.signedIn(UserBody(user), tokens, organization.map(AccountBody.organization) ?? .null))
    }

    /// The password was right: the attempt is taken back, and no more. Failed codes stay counted.
    private func pending(_ user: UserRecord, _ origin: Origin) async throws -> Response {
        try await AccountServices.asking {
            try await services.guards.takeBack(account: user.email, address: origin.address)
        }
        return try pendingAnswer(user)
    }

    private func pendingAnswer(_ user: UserRecord) throws -> Response {
        let token = try services.access.tokens.make(
            .pending, for: SessionTokens.Holder(user), session: AccountServices.newSessionID(),
            now: AccountServices.now().milliseconds / 1000)
        return AccountServices.json(AccountBody.secondFactorNeeded(pendingToken: token.text))
    }

    /// `/mfa/verify` with the token of a sign-in.
    func verify(_ wish: AccountRequests.SecondFactor, token: String, _ origin: Origin) async throws -> Response {
        let now = AccountServices.now().milliseconds / 1000
        let claims: TokenClaims
        do throws(AccessControl.Refusal) {
            claims = try services.access.tokens.read(token, as: .pending, now: now)
        } catch { throw APIError(error) }
        try await admit(claims.email, origin)
        let user = try await AccountServices.asking { try await services.accounts.user(claims.user) }
        guard let user, user.isActive, user.tokenVersion == claims.version, user.secondFactor.isEnabled,
            try await factors.takes(wish.code, of: user, origin)
        else {
            await failed(claims.email, user, origin)
            throw APIError(.invalidCredentials, "Invalid code")
        }
        let (tokens, organization) = try await finish(user, claims.email, origin)
        return AccountServices.json(AccountBody.verified(UserBody(user), tokens, organization))
    }

    private func finish(
        _ user: UserRecord, _ email: String, _ origin: Origin
    ) async throws -> (AccountBody.Tokens, JSONValue) {
        let tokens = try await begin(user, .loginSucceeded, origin)
        do throws(StorageError) {
            try await services.guards.succeeded(account: email, address: origin.address)
        } catch { services.log.warning("failures not forgiven", .error(error)) }
        let organization = try await AccountServices.asking {
            try await services.accounts.organization(user.organization)
        }
        return (tokens, organization.map(AccountBody.organization) ?? .null)
    }

    /// Begins a session.
    private func begin(
        _ user: UserRecord, _ action: AuditAction, _ origin: Origin, lifetimeSeconds: Int64? = nil
    ) async throws -> AccountBody.Tokens {
        let session = try AccountServices.newSessionID()
        let tokens = services.access.tokens
        try await AccountServices.asking {
            try await services.sessions.begin(
                session, of: user.id, lifetimeSeconds: lifetimeSeconds ?? tokens.refreshSeconds,
                AuditEntry(
                    action, by: user.id.text, in: user.organization, on: "session", session.text, from: origin))
        }
        return try services.tokens(for: user, session: session, generation: 1)
    }

    private func rehash(_ password: String, of user: UserRecord) async throws {
        var change = AccountStore.Change()
        change.passwordHash = try await services.hasher.hash(password)
        let final = change
        _ = try await AccountServices.asking {
            try await services.accounts.change(user.id, within: .installation, final, [])
        }
    }

    // MARK: Failures

    /// - Throws: 429 while account or address is locked, with as much work as if there were no such account.
    private func admit(_ email: String, _ origin: Origin) async throws {
        let permit = try await AccountServices.asking {
            try await services.guards.begin(account: email, address: origin.address)
        }
        guard case .locked(let seconds) = permit else { return }
        await services.note(
            AuditEntry(
                .loginLocked, by: "anonymous", in: .default, on: "account", email,
                details: AuditDetails.wait(seconds: seconds), from: origin))
        var error = APIError(.accountLocked)
        error.retryAfterSeconds = Int(max(1, seconds))
        throw error
    }

    private func failed(_ email: String, _ user: UserRecord?, _ origin: Origin) async {
        await services.note(
            AuditEntry(
                .loginFailed, by: "anonymous", in: user?.organization ?? .default, on: "account", email, from: origin))
    }
}

extension AccountServices {
    /// The tokens of a session as it stands.
    func tokens(for user: UserRecord, session: SessionID, generation: Int64) throws -> AccountBody.Tokens {
        let now = Self.now().milliseconds / 1000
        let holder = SessionTokens.Holder(user)
        let access = try self.access.tokens.make(.access, for: holder, session: session, now: now)
        let refresh = try self.access.tokens.make(
            .refresh, for: holder, session: session, generation: generation, now: now)
        return AccountBody.Tokens(
            access: access.text, refresh: refresh.text, accessSeconds: access.claims.expires - now,
            expires: Timestamp(milliseconds: access.claims.expires * 1000))
    }
}
