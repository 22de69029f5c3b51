import Contracts
import Crypto
import Domain
import HTTP
import Platform
import ServiceKit
import Sockets
import Storage

/// What every handler of accounts needs, on one loop.
struct AccountServices: Sendable {
    let accounts: AccountStore
    let sessions: SessionStore
    let keys: APIKeyStore
    let guards: LoginGuard
    let audit: AuditLog
    let revocations: RevocationStore
    let stores: APIStores
    let authenticator: Authenticator
    let feed: RevocationFeed
    let hasher: PasswordHasher
    let settings: AccountSettings
    let trustedProxies: TrustedProxies
    let log: Log

    var access: AccessControl { authenticator.access }

    /// Where a request comes from, as the audit log and sessions keep it.
    func origin(_ request: Request, _ context: RequestContext) -> Origin {
        AuditTrail(trustedProxies: trustedProxies).origin(request, context)
    }

    /// The user behind a request; tokens of the installation have none.
    func user(_ context: RequestContext) async throws -> UserRecord {
        guard let id = context.caller.user else {
            throw APIError(
                .authenticationRequired, "This needs a user's own credential",
                suggestion: "sign in at /api/auth/login and send its access token")
        }
        let found = try await Self.asking { try await accounts.user(id) }
        guard let found, found.isActive else { throw APIError(.invalidToken) }
        return found
    }

    /// An entry about the caller or what they did.
    func entry(
        _ action: AuditAction, _ context: RequestContext, on type: String, _ resource: String?, from origin: Origin,
        details: JSONObject = JSONObject()
    ) -> AuditEntry {
        AuditEntry(
            action, by: context.caller.subject, in: context.caller.organization, on: type, resource, details: details,
            from: origin)
    }

    /// Writes what changed nothing. A log that can not be written to is our trouble, not a reason to say yes or no.
    func note(_ entry: AuditEntry) async {
        do throws(StorageError) { try await audit.append(entry) } catch {
            log.error("audit entry not written", .error(error))
        }
    }

    /// Notes that somebody tried what they may not.
    @Sendable func denied(
        _ principal: Principal, _ permission: Permission, _ request: Request, _ context: RequestContext
    ) async {
        await note(
            AuditEntry(
                .permissionDenied, by: principal.subject, in: principal.organization, on: "route", context.template,
                details: AuditDetails.denied(
                    permission, method: request.method.description, route: context.template),
                from: origin(request, context)))
    }

    /// After something was revoked: here at once, elsewhere by a hint, and by the poll if that is lost.
    func spread() async {
        do throws(StorageError) { try await feed.refresh() } catch {
            log.warning("revocations not read", .error(error))
        }
        await stores.hint(.revoked)
    }

    /// A store's answer, or the error that says it gave none.
    static func asking<Value>(_ work: () async throws -> Value) async throws -> Value {
        do { return try await work() } catch let error as StorageError { throw APIError.unavailable(error) }
    }

    static func now() -> Timestamp { Timestamp(milliseconds: WallClock.nowMilliseconds()) }
    static func newUserID() throws -> UserID {
        UserID(milliseconds: now().milliseconds, random: try RandomBytes.make(10))
    }
    static func newSessionID() throws -> SessionID {
        SessionID(milliseconds: now().milliseconds, random: try RandomBytes.make(10))
    }

    static func json(_ value: JSONValue, status: Status = .ok) -> Response {
        var response = Response.json(CanonicalJSON.encode(value), status: status)
        // Tokens and secrets are in these answers.
        response.headers[.cacheControl] = "no-store"
        return response
    }
}

extension UserBody {
    init(_ record: UserRecord) {
        self.init(
            id: record.id, email: record.email, name: record.name, organization: record.organization, role: record.role,
            isActive: record.isActive, isEmailVerified: record.isEmailVerified, createdAt: record.createdAt,
            updatedAt: record.updatedAt, lastLoginAt: record.lastLoginAt, hasAPIKey: record.hasAPIKey,
            tokenVersion: record.tokenVersion, hasSecondFactor: record.secondFactor.isEnabled)
    }
}

extension AccountBody {
    static func organization(_ record: OrganizationRecord) -> JSONValue {
        organization(record.id, name: record.name, slug: record.slug, createdAt: record.createdAt)
    }
}

extension SessionTokens.Holder {
    init(_ user: UserRecord) {
        self.init(
            user: user.id, email: user.email, organization: user.organization, role: user.role,
            version: user.tokenVersion)
    }
}
