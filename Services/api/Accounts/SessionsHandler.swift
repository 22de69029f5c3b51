import Contracts
import Domain
import HTTP
import ServiceKit
import Storage

/// Renewing sessions, listing and ending them.
struct SessionsHandler: Sendable {
    let services: AccountServices

    /// A refresh token is good once; one that comes again ends its session for whoever holds it.
    func refresh(_ request: Request, _ context: RequestContext) async throws -> Response {
        let text = try AccountRequests.refresh(request.body)
        let origin = services.origin(request, context)
        let claims: TokenClaims
        do throws(AccessControl.Refusal) {
            claims = try services.access.tokens.read(
                text, as: .refresh, now: AccountServices.now().milliseconds / 1000)
        } catch { throw APIError(error) }
        let outcome = try await AccountServices.asking {
            try await services.sessions.refresh(
                claims.session, generation: claims.generation, version: claims.version,
                idleSeconds: services.access.tokens.idleSeconds
            ) { user in
                AuditEntry(
                    .refreshReused, by: user.id.text, in: user.organization, on: "session", claims.session.text,
                    from: origin)
            }
        }
        switch outcome {
        case .renewed(let generation, let user):
            return AccountServices.json(
                AccountBody.refreshed(try services.tokens(for: user, session: claims.session, generation: generation)))
        case .reused:
            await services.spread()
            throw APIError(.invalidToken, "This refresh token was used before; sign in again")
        case .refused: throw APIError(.invalidToken, "This session has ended; sign in again")
        }
    }

    func logout(_ request: Request, _ context: RequestContext) async throws -> Response {
        let origin = services.origin(request, context)
        switch context.caller.credential {
        case .session(let id):
            let user = try await services.user(context)
            _ = try await AccountServices.asking {
                try await services.sessions.end(
                    id, of: user.id, services.entry(.loggedOut, context, on: "session", id.text, from: origin))
            }
        case .signed(let digest):
            guard let expires = context.caller.expires else { break }
            try await AccountServices.asking {
                try await services.revocations.revokeToken(
                    digest: digest, until: expires,
                    services.entry(.tokenRevoked, context, on: "token", digest, from: origin))
            }
        case .none, .service, .apiKey: break
        }
        await services.spread()
        return AccountServices.json(AccountBody.loggedOut(everywhere: false))
    }

    func logoutAll(_ request: Request, _ context: RequestContext) async throws -> Response {
        let user = try await services.user(context)
        let entry = services.entry(
            .loggedOutEverywhere, context, on: "user", user.id.text, from: services.origin(request, context))
        var change = AccountStore.Change()
        change.revokesAll = true
        let final = change
        _ = try await AccountServices.asking {
            try await services.accounts.change(user.id, within: .installation, final, [entry])
        }
        await services.spread()
        return AccountServices.json(AccountBody.loggedOut(everywhere: true))
    }

    func list(_ request: Request, _ context: RequestContext) async throws -> Response {
        let user = try await services.user(context)
        let sessions = try await AccountServices.asking {
            try await services.sessions.sessions(of: user.id, idleSeconds: services.access.tokens.idleSeconds)
        }
        let rows = sessions.map { session in
            AccountBody.session(
                session.id, createdAt: session.createdAt, lastUsedAt: session.lastUsedAt, expiresAt: session.expiresAt,
                address: session.address, userAgent: session.userAgent,
                isCurrent: context.caller.credential == .session(session.id))
        }
        return AccountServices.json(AccountBody.sessions(rows))
    }

    func end(_ request: Request, _ context: RequestContext) async throws -> Response {
        let user = try await services.user(context)
        guard let id = SessionID(context.parameter("session")) else { throw APIError(.sessionNotFound) }
        let isEnded = try await AccountServices.asking {
            try await services.sessions.end(
                id, of: user.id,
                services.entry(
                    .sessionRevoked, context, on: "session", id.text, from: services.origin(request, context)))
        }
        guard isEnded else { throw APIError(.sessionNotFound) }
        await services.spread()
        return AccountServices.json(AccountBody.message("Session ended"))
    }
}
