import Crypto
package import Domain
package import Platform

/// Turns credentials into principals (contract §2.1): the service token itself, or a token signed with it.
package struct AccessControl: Sendable {
    /// Why a credential is refused; the client hears the same 401 for all but an expired one.
    package enum Refusal: Error, Sendable, Equatable {
        case missing, invalid, expired
    }

    private struct Tokens: Sendable {
        let current: Secret<String>?
        let previous: Secret<String>?
    }

    private let tokens: Reloadable<Tokens>

    /// - Parameter token: nil switches authentication off; the settings refuse that in production.
    package init(token: Secret<String>?, previousToken: Secret<String>?) {
        tokens = Reloadable(Tokens(current: token, previous: previousToken))
    }

    /// Accepts what another reading of the settings says from now on, and nothing else; who is in stays in.
    package func adopt(_ fresh: AccessControl) { tokens.replace(with: fresh.tokens.current) }

    /// Whether requests need a credential.
    package var isOn: Bool { tokens.current.current != nil }

    /// - Parameters:
    ///   - credential: what follows `Bearer `, or came as a query item or WebSocket subprotocol.
    ///   - now: seconds since 1970.
    package func authenticate(_ credential: String?, now: Int64) throws(Refusal) -> Principal {
        let tokens = tokens.current
        guard let token = tokens.current else { return .open }
        guard let credential, !credential.isEmpty else { throw .missing }
        let secrets = [token, tokens.previous].compactMap { $0.map { Array($0.reveal().utf8) } }
        let presented = Array(credential.utf8)
        // No early exit: which secret matched must not show in the time.
        let matches = secrets.reduce(false) { constantTimeEquals($1, presented) || $0 }
        if matches { return Principal(subject: "service", role: .admin) }
        return try signed(credential, secrets: secrets, now: now)
    }

    private func signed(_ credential: String, secrets: [[UInt8]], now: Int64) throws(Refusal) -> Principal {
        let verified: SignedToken
        do throws(SignedToken.Refusal) {
            verified = try SignedToken(verifying: credential, secrets: secrets, now: now)
        } catch {
            throw error == .expired ? .expired : .invalid
        }
        let (milliseconds, isBeyond) = verified.expires.multipliedReportingOverflow(by: 1000)
        let expires = isBeyond ? nil : Timestamp(milliseconds: milliseconds)
        if verified.scope == "admin" { return Principal(subject: "token:admin", role: .admin, expires: expires) }
        if let debate = DebateID(verified.scope) {
            return Principal(subject: "token:\(debate.text)", role: .member, debate: debate, expires: expires)
        }
        return Principal(subject: "token:\(verified.scope)", role: .member, expires: expires)
    }
}
