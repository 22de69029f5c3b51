import Contracts
import Crypto
import Domain
import HTTP
import ServiceKit
import Storage

/// A user's API keys.
struct APIKeysHandler: Sendable {
    static let lifetimeMilliseconds: Int64 = 365 * 86_400_000

    let services: AccountServices

    func create(_ request: Request, _ context: RequestContext) async throws -> Response {
        let now = AccountServices.now()
        let wish = try AccountRequests.key(request.body, now: now)
        let user = try await services.user(context)
        try refuseMore(than: context.caller, wish.scopes)
        let text = try APIKeyText()
        let id = APIKeyID(milliseconds: now.milliseconds, random: try RandomBytes.make(10))
        let expires = wish.expiresAt ?? Timestamp(milliseconds: now.milliseconds + Self.lifetimeMilliseconds)
        let created = try await AccountServices.asking {
            try await services.keys.create(
                APIKeyStore.NewKey(
                    id: id, user: user.id, name: wish.name, prefix: text.prefix,
                    digest: services.access.keyDigests.ofKey(text)[0], scopes: wish.scopes, expiresAt: expires),
                services.entry(
                    .keyCreated, context, on: "api_key", id.text, from: services.origin(request, context),
                    details: AuditDetails.key(name: wish.name, prefix: text.prefix)))
        }
        guard let created else {
            throw APIError(.conflict, "A user has at most \(APIKeyStore.maxPerUser) keys; delete one first")
        }
        return AccountServices.json(AccountBody.created(AccountBody.Key(created), text: text.text))
    }

    /// A key makes no key that may more than itself.
    private func refuseMore(than caller: Principal, _ scopes: Set<Permission>?) throws {
        let own = caller.scopes ?? caller.role.permissions
        guard let scopes else {
            guard caller.scopes == nil else {
                throw APIError.denied(.accountManage, "this key is limited to its scopes")
            }
            return
        }
        if let more = scopes.subtracting(own).map(\.rawValue).sorted().first.flatMap(Permission.init(rawValue:)) {
            throw APIError.denied(more)
        }
    }

    func list(_ request: Request, _ context: RequestContext) async throws -> Response {
        let user = try await services.user(context)
        let keys = try await AccountServices.asking { try await services.keys.keys(of: user.id) }
        return AccountServices.json(AccountBody.keys(keys.map { AccountBody.Key($0) }))
    }

    func delete(_ request: Request, _ context: RequestContext) async throws -> Response {
        let user = try await services.user(context)
        let origin = services.origin(request, context)
        let ended = try await AccountServices.asking {
            try await services.keys.revoke(context.parameter("key"), of: user.id) { id in
                services.entry(.keyRevoked, context, on: "api_key", id.text, from: origin)
            }
        }
        guard !ended.isEmpty else { throw APIError(.keyNotFound) }
        await services.spread()
        return AccountServices.json(AccountBody.message("API key deleted"))
    }
}

extension AccountBody.Key {
    init(_ record: APIKeyRecord) {
        self.init(
            id: record.id, name: record.name, prefix: record.prefix, scopes: record.scopes, createdAt: record.createdAt,
            expiresAt: record.expiresAt, lastUsedAt: record.lastUsedAt)
    }
}
