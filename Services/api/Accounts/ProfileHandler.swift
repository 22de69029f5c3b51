import Contracts
import Crypto
import Domain
import HTTP
import ServiceKit
import Storage

/// A user's own account: who they are, and their password.
struct ProfileHandler: Sendable {
    static let resetPurpose = "password reset"
    static let resetSeconds = 3600
    static let resetBytes = 32

    let services: AccountServices

    func me(_ request: Request, _ context: RequestContext) async throws -> Response {
        try await answer(try await services.user(context))
    }

    func update(_ request: Request, _ context: RequestContext) async throws -> Response {
        let name = try AccountRequests.name(request.body)
        let user = try await services.user(context)
        var change = AccountStore.Change()
        change.name = name
        let final = change
        let entry = services.entry(
            .userUpdated, context, on: "user", user.id.text, from: services.origin(request, context))
        let changed = try await AccountServices.asking {
            try await services.accounts.change(user.id, within: .installation, final, [entry])
        }
        return try await answer(changed ?? user)
    }

    private func answer(_ user: UserRecord) async throws -> Response {
        let organization = try await AccountServices.asking {
            try await services.accounts.organization(user.organization)
        }
        return AccountServices.json(
            AccountBody.me(UserBody(user), organization.map(AccountBody.organization) ?? .null))
    }

    // MARK: Passwords

    /// Counted like a sign-in: whoever found an open screen guesses no faster here.
    func changePassword(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wish = try AccountRequests.passwordChange(request.body)
        let user = try await services.user(context)
        let origin = services.origin(request, context)
        try await services.prove(wish.current, of: user, origin)
        try Self.judge(wish.new, of: user)
        var change = AccountStore.Change()
        change.passwordHash = try await services.hasher.hash(wish.new)
        change.revokesAll = true
        let final = change
        let entry = services.entry(.passwordChanged, context, on: "user", user.id.text, from: origin)
        _ = try await AccountServices.asking {
            try await services.accounts.change(user.id, within: .installation, final, [entry])
        }
        await services.spread()
        return AccountServices.json(AccountBody.message("Password changed; sign in again"))
    }

    /// - Throws: `ValidationFailure` for a password that a guesser tries first.
    private static func judge(_ password: String, of user: UserRecord) throws(ValidationFailure) {
        guard let problem = PasswordRule(context: [user.email, user.name]).problem(password) else { return }
        throw ValidationFailure([FieldProblem("new_password", problem)])
    }

    /// Always the same answer. There is no mail server: administrators see the request in the audit log and give the
    /// user a token.
    func forgot(_ request: Request, _ context: RequestContext) async throws -> Response {
        let email = try AccountRequests.forgotten(request.body)
        let user = try await AccountServices.asking { try await services.accounts.user(email: email) }
        await services.note(
            AuditEntry(
                .passwordResetRequested, by: "anonymous", in: user?.organization ?? .default, on: "account", email,
                from: services.origin(request, context)))
        return AccountServices.json(
            AccountBody.message("If there is such an account, its administrator can issue a reset token"))
    }

    func reset(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wish = try AccountRequests.passwordReset(request.body)
        let origin = services.origin(request, context)
        for digest in services.access.keyDigests.of(wish.token, for: Self.resetPurpose) {
            let user = try await AccountServices.asking { try await services.accounts.userOfReset(digest) }
            guard let user else { continue }
            try Self.judge(wish.new, of: user)
            let hash = try await services.hasher.hash(wish.new)
            let isDone = try await AccountServices.asking {
                try await services.accounts.reset(
                    digest, passwordHash: hash,
                    AuditEntry(
                        .passwordReset, by: user.id.text, in: user.organization, on: "user", user.id.text, from: origin)
                )
            }
            guard isDone else { break }
            await services.spread()
            return AccountServices.json(AccountBody.message("Password set; sign in with it"))
        }
        throw APIError(.invalidResetToken)
    }
}

extension AccountServices {
    /// Proves by the password that it is the user who acts.
    /// - Throws: ``APIError``.
    func prove(_ password: String, of user: UserRecord, _ origin: Origin) async throws {
        let permit = try await Self.asking {
            try await guards.begin(account: user.email, address: origin.address)
        }
        if case .locked(let seconds) = permit {
            var error = APIError(.accountLocked)
            error.retryAfterSeconds = Int(max(1, seconds))
            throw error
        }
        guard try await hasher.check(password, against: user.passwordHash).isRight else {
            await note(
                AuditEntry(
                    .loginFailed, by: user.id.text, in: user.organization, on: "account", user.email, from: origin))
            throw APIError(.wrongPassword)
        }
        try await Self.asking { try await guards.succeeded(account: user.email, address: origin.address) }
    }
}
