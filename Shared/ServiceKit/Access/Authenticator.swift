import Crypto
package import Domain
import Platform
package import Storage

/// Turns credentials into principals: what their text says, whose key it is, and whether it was revoked.
package struct Authenticator: Sendable {
    /// How long a key that was found is not looked up again. A revocation counts at once, whatever stands here.
    package static let keyCacheSeconds: Int64 = 30

    package typealias FindKey = @Sendable ([[UInt8]]) async throws -> (key: APIKeyRecord, user: UserRecord)?

    package let access: AccessControl
    package let revocations: RevocationSet
    private let cache: KeyCache
    private let findKey: FindKey
    private let refresh: @Sendable () async throws -> Void
    /// Whether a user's second factor is on: asked for administrators where it is demanded.
    private let hasSecondFactor: @Sendable (UserID) async throws -> Bool

    /// - Parameters:
    ///   - cache: one per process, shared by its loops.
    ///   - findKey: looks up an API key by its digests.
    ///   - refresh: asks Postgres what is revoked, when nobody has yet.
    package init(
        access: AccessControl, revocations: RevocationSet, cache: KeyCache, findKey: @escaping FindKey,
        refresh: @escaping @Sendable () async throws -> Void,
        hasSecondFactor: @escaping @Sendable (UserID) async throws -> Bool = { _ in false }
    ) {
        self.hasSecondFactor = hasSecondFactor
        self.access = access
        self.revocations = revocations
        self.cache = cache
        self.findKey = findKey
        self.refresh = refresh
    }

    /// With the stores of one loop.
    package init(access: AccessControl, feed: RevocationFeed, cache: KeyCache, on backends: LoopBackends) {
        let keys = APIKeyStore(pool: backends.postgres)
        self.init(
            access: access, revocations: feed.set, cache: cache, findKey: { try await keys.find($0) },
            refresh: { try await feed.refresh() },
            hasSecondFactor: { [accounts = AccountStore(pool: backends.postgres)] in
                try await accounts.user($0)?.secondFactor.isEnabled ?? false
            })
    }

    /// - Parameters:
    ///   - credential: what follows `Bearer `, or came in `X-API-Key`, as a query item or subprotocol.
    ///   - now: seconds since 1970.
    /// - Throws: ``AccessControl/Refusal``, or `StorageError` when a store that has to be asked does not answer.
    package func principal(_ credential: String?, now: Int64) async throws -> Principal {
        var principal: Principal
        switch try access.examine(credential, now: now) {
        case .principal(let found): principal = found
        case .apiKey(let digests): principal = try await owner(of: digests, now: now)
        }
        switch principal.credential {
        case .none, .service: return principal
        case .signed, .session, .apiKey:
            if !revocations.isKnown { try await refresh() }
            guard !revocations.refuses(principal) else { throw AccessControl.Refusal.invalid }
            if access.administratorsNeedSecondFactor, principal.role == .admin, let user = principal.user {
                principal.needsSecondFactor = try await !hasSecondFactor(user)
            }
            return principal
        }
    }

    /// Whether a principal that came in earlier may stay.
    /// - Parameter now: milliseconds since 1970.
    package func mayStay(_ principal: Principal, now: Int64) -> Bool {
        if let expires = principal.expires, expires.milliseconds <= now { return false }
        return !revocations.refuses(principal)
    }

    private func owner(of digests: [[UInt8]], now: Int64) async throws -> Principal {
        let name = Hex.encode(digests[0])
        if let known = cache.find(name, now: now), mayStay(known, now: now * 1000) { return known }
        guard let (key, user) = try await findKey(digests) else { throw AccessControl.Refusal.invalid }
        let principal = Principal(
            subject: user.id.text, role: user.role, organization: user.organization, user: user.id, scopes: key.scopes,
            expires: key.expiresAt, credential: .apiKey(key.id), version: user.tokenVersion)
        cache.keep(principal, as: name, until: now + Self.keyCacheSeconds)
        return principal
    }
}

/// Keys that were found lately, by digest. From any thread.
package final class KeyCache: Sendable {
    /// One more empties the cache.
    package static let capacity = 10_000

    private let known = Lock([String: (principal: Principal, until: Int64)]())

    package init() {}

    func find(_ digest: String, now: Int64) -> Principal? {
        known.withLock { known in
            guard let found = known[digest], found.until > now else { return nil }
            return found.principal
        }
    }

    func keep(_ principal: Principal, as digest: String, until: Int64) {
        known.withLock { known in
            if known.count >= Self.capacity { known = [:] }
            known[digest] = (principal, until)
        }
    }
}
