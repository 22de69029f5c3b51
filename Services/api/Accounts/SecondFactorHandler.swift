import Contracts
import Crypto
import Domain
import HTTP
import ServiceKit
import Storage

/// Turning one-time passwords on and off, and verifying them.
struct SecondFactorHandler: Sendable {
    static let issuer = "Aragora"

    let services: AccountServices
    let signIn: SignInHandler
    private var check: SecondFactorCheck { SecondFactorCheck(services: services) }

    func setup(_ request: Request, _ context: RequestContext) async throws -> Response {
        // A key that leaked must not be able to lock its user out.
        guard case .session = context.caller.credential else {
            throw APIError.denied(.accountManage, "a second factor is set up from a session")
        }
        let user = try await services.user(context)
        let secret = try RandomBytes.make(OneTimePassword.secretBytes)
        let sealed = try services.access.secretBox.seal(secret, for: SecondFactorCheck.purpose(user.id))
        let isStarted = try await AccountServices.asking {
            try await services.accounts.startSecondFactor(
                user.id, sealedSecret: sealed, entry(.secondFactorStarted, user, request, context))
        }
        guard isStarted else { throw APIError(.conflict, "The second factor is on already; turn it off first") }
        let text = Base32.encode(secret)
        let uri =
            "otpauth://totp/\(Self.issuer):\(PercentCoding.encode(user.email))?secret=\(text)&issuer=\(Self.issuer)"
        return AccountServices.json(AccountBody.secondFactorStarted(secret: text, uri: uri))
    }

    func enable(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wish = try AccountRequests.secondFactor(request.body)
        return try await enable(wish.code, request, context)
    }

    private func enable(_ code: String, _ request: Request, _ context: RequestContext) async throws -> Response {
        let user = try await services.user(context)
        guard !user.secondFactor.isEnabled else { throw APIError(.conflict, "The second factor is on already") }
        guard user.secondFactor.secret != nil else {
            throw APIError(.badRequest, "Begin with /api/auth/mfa/setup")
        }
        guard let step = try check.step(of: code, user) else { throw APIError(.wrongCode) }
        let codes = try BackupCodes()
        let isEnabled = try await AccountServices.asking {
            try await services.accounts.enableSecondFactor(
                user.id, step: step, backupCodes: codes.digests(services.access.keyDigests),
                entry(.secondFactorEnabled, user, request, context))
        }
        guard isEnabled else { throw APIError(.conflict, "The second factor is on already") }
        await services.spread()
        return AccountServices.json(
            AccountBody.backupCodes(
                codes.texts, message: "The second factor is on; sign in again", endsSessions: true))
    }

    /// With the token of a sign-in: completes it. With a credential: a code proves that the authenticator is set up, and
    /// the first one turns the second factor on, since the official client has no other way.
    func verify(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wish = try AccountRequests.secondFactor(request.body)
        if let token = wish.pendingToken {
            return try await signIn.verify(wish, token: token, services.origin(request, context))
        }
        guard (context.principal as? Principal)?.user != nil else {
            throw APIError(ValidationFailure([FieldProblem("pending_token", "is required")]))
        }
        let user = try await services.user(context)
        guard user.secondFactor.isEnabled else { return try await enable(wish.code, request, context) }
        guard try await check.takes(wish.code, of: user, services.origin(request, context)) else {
            throw APIError(.wrongCode)
        }
        return AccountServices.json(AccountBody.message("The code is right"))
    }

    func disable(_ request: Request, _ context: RequestContext) async throws -> Response {
        let user = try await services.user(context)
        guard user.secondFactor.isEnabled else { throw APIError(.conflict, "The second factor is off") }
        try await prove(user, request, context)
        let isDisabled = try await AccountServices.asking {
            try await services.accounts.disableSecondFactor(
                user.id, entry(.secondFactorDisabled, user, request, context))
        }
        guard isDisabled else { throw APIError(.conflict, "The second factor is off") }
        return AccountServices.json(AccountBody.message("The second factor is off"))
    }

    func backupCodes(_ request: Request, _ context: RequestContext) async throws -> Response {
        let user = try await services.user(context)
        guard user.secondFactor.isEnabled else { throw APIError(.conflict, "The second factor is off") }
        try await prove(user, request, context)
        let codes = try BackupCodes()
        let isReplaced = try await AccountServices.asking {
            try await services.accounts.replaceBackupCodes(
                user.id, codes.digests(services.access.keyDigests), entry(.backupCodesMade, user, request, context))
        }
        guard isReplaced else { throw APIError(.conflict, "The second factor is off") }
        return AccountServices.json(
            AccountBody.backupCodes(
                codes.texts, message: "New backup codes; the old ones are void", endsSessions: false))
    }

    /// `POST /api/auth/mfa`: the same by `action`.
    func byAction(_ request: Request, _ context: RequestContext) async throws -> Response {
        switch try AccountRequests.action(request.body) {
        case "setup": try await setup(request, context)
        case "enable": try await enable(request, context)
        case "verify": try await verify(request, context)
        case "disable": try await disable(request, context)
        case "backup_codes", "backup-codes": try await backupCodes(request, context)
        default:
            throw APIError(
                ValidationFailure([
                    FieldProblem("action", "must be one of setup, enable, verify, disable, backup_codes")
                ]))
        }
    }

    /// A password or a code: who has only a token turns nothing off.
    private func prove(_ user: UserRecord, _ request: Request, _ context: RequestContext) async throws {
        let proof = try AccountRequests.proof(request.body)
        let origin = services.origin(request, context)
        if let password = proof.password { return try await services.prove(password, of: user, origin) }
        guard let code = proof.code, try await services.countedCode(code, of: user, origin) else {
            throw APIError(.wrongCode)
        }
    }

    private func entry(
        _ action: AuditAction, _ user: UserRecord, _ request: Request, _ context: RequestContext
    ) -> AuditEntry {
        services.entry(action, context, on: "user", user.id.text, from: services.origin(request, context))
    }
}

extension AccountServices {
    /// Takes a code, counted like a sign-in.
    func countedCode(_ code: String, of user: UserRecord, _ origin: Origin) async throws -> Bool {
        let permit = try await Self.asking { try await guards.begin(account: user.email, address: origin.address) }
        if case .locked(let seconds) = permit {
            var error = APIError(.accountLocked)
            error.retryAfterSeconds = Int(max(1, seconds))
            throw error
        }
        guard try await SecondFactorCheck(services: self).takes(code, of: user, origin) else { return false }
        try await Self.asking { try await guards.succeeded(account: user.email, address: origin.address) }
        return true
    }
}
