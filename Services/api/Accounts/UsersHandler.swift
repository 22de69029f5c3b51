import Contracts
import Crypto
import Domain
import HTTP
import ServiceKit
import Storage

/// What administrators do with the accounts of their organization.
struct UsersHandler: Sendable {
    static let inviteSeconds = 7 * 86_400

    let services: AccountServices

    func list(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let limit = query.int("limit", default: 50, in: AccountStore.limitRange)
        let offset = query.int("offset", default: 0, in: 0...1_000_000)
        try query.finish()
        let page = try await AccountServices.asking {
            try await services.accounts.users(within: context.caller.reach, limit: limit, offset: offset)
        }
        return AccountServices.json(
            PageBody.make(
                "users", items: page.items.map { UserBody($0).json }, total: page.total, limit: limit, offset: offset))
    }

    func get(_ request: Request, _ context: RequestContext) async throws -> Response {
        AccountServices.json(AccountBody.user(UserBody(try await find(context))))
    }

    /// Makes an account without a password, and a token with which its owner chooses one.
    func create(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wish = try AccountRequests.user(request.body)
        let origin = services.origin(request, context)
        let id = try AccountServices.newUserID()
        let record = try await AccountServices.asking {
            try await services.accounts.create(
                NewUser(id: id, email: wish.email, name: wish.name, passwordHash: nil),
                in: context.caller.organization, as: wish.role,
                services.entry(
                    .userCreated, context, on: "user", id.text, from: origin,
                    details: AuditDetails.user(email: wish.email, role: wish.role)))
        }
        guard let record else { throw APIError(.emailTaken) }
        let reset = try await issue(for: record, seconds: Self.inviteSeconds, request, context)
        return AccountServices.json(AccountBody.created(UserBody(record), reset: reset), status: .created)
    }

    func change(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wish = try AccountRequests.userChange(request.body)
        let user = try await find(context)
        var change = AccountStore.Change()
        change.name = wish.name
        change.role = wish.role == user.role ? nil : wish.role
        change.isActive = wish.isActive == user.isActive ? nil : wish.isActive
        // What a token says of its user must be true.
        change.revokesAll = change.role != nil || change.isActive == false
        let final = change
        let entries = entries(final, user, request, context)
        let changed = try await AccountServices.asking {
            try await services.accounts.change(user.id, within: context.caller.reach, final, entries)
        }
        guard let changed else {
            throw APIError(.conflict, "An organization keeps at least one active administrator")
        }
        if final.revokesAll { await services.spread() }
        return AccountServices.json(AccountBody.user(UserBody(changed)))
    }

    private func entries(
        _ change: AccountStore.Change, _ user: UserRecord, _ request: Request, _ context: RequestContext
    ) -> [AuditEntry] {
        let origin = services.origin(request, context)
        var entries: [(AuditAction, JSONObject)] = []
        if let role = change.role { entries.append((.roleChanged, AuditDetails.change(from: user.role, to: role))) }
        if change.isActive == false { entries.append((.userDeactivated, JSONObject())) }
        if change.isActive == true || change.name != nil { entries.append((.userUpdated, JSONObject())) }
        return entries.map { action, details in
            var entry = services.entry(action, context, on: "user", user.id.text, from: origin, details: details)
            entry.organization = user.organization
            return entry
        }
    }

    /// A token for a user who has forgotten the password.
    func resetPassword(_ request: Request, _ context: RequestContext) async throws -> Response {
        let user = try await find(context)
        let reset = try await issue(for: user, seconds: ProfileHandler.resetSeconds, request, context)
        return AccountServices.json(AccountBody.reset(reset))
    }

    private func issue(
        for user: UserRecord, seconds: Int, _ request: Request, _ context: RequestContext
    ) async throws -> AccountBody.Reset {
        let token = Base64.encodeURLSafe(try RandomBytes.make(ProfileHandler.resetBytes))
        let digest = services.access.keyDigests.of(token, for: ProfileHandler.resetPurpose)[0]
        var entry = services.entry(
            .passwordResetIssued, context, on: "user", user.id.text, from: services.origin(request, context))
        entry.organization = user.organization
        let written = entry
        let isIssued = try await AccountServices.asking {
            try await services.accounts.issueReset(
                for: user.id, within: context.caller.reach, digest: digest, lifetimeSeconds: seconds, written)
        }
        guard isIssued else { throw APIError(.userNotFound) }
        return AccountBody.Reset(
            token: token,
            expires: Timestamp(milliseconds: AccountServices.now().milliseconds + Int64(seconds) * 1000))
    }

    private func find(_ context: RequestContext) async throws -> UserRecord {
        guard let id = UserID(context.parameter("user")) else { throw APIError(.userNotFound) }
        let user = try await AccountServices.asking { try await services.accounts.user(id) }
        guard let user, context.caller.reach.covers(user.organization) else { throw APIError(.userNotFound) }
        return user
    }
}
