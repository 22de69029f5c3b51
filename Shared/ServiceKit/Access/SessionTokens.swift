package import Contracts
import Crypto
package import Domain

/// Makes and reads the tokens of sessions. From any thread.
package struct SessionTokens: Sendable {
    /// By how much another machine's clock may be ahead.
    package static let leewaySeconds: Int64 = 5
    package static let pendingSeconds: Int64 = 300
    static let idBytes = 16

    /// Signs and is tried first; the others only verify.
    private let secrets: [[UInt8]]
    package let accessSeconds: Int64
    package let refreshSeconds: Int64
    /// A session that was not renewed for so long has ended; nil for none.
    package let idleSeconds: Int64?

    /// - Precondition: there is a secret.
    init(secrets: [[UInt8]], accessSeconds: Int64, refreshSeconds: Int64, idleSeconds: Int64?) {
        precondition(!secrets.isEmpty, "tokens are signed with something")
        self.secrets = secrets
        self.accessSeconds = accessSeconds
        self.refreshSeconds = refreshSeconds
        self.idleSeconds = idleSeconds
    }

    /// Who a token is made for.
    package struct Holder: Sendable {
        package let user: UserID
        package let email: String
        package let organization: OrganizationID
        package let role: Role
        package let version: Int64

        package init(user: UserID, email: String, organization: OrganizationID, role: Role, version: Int64) {
            self.user = user
            self.email = email
            self.organization = organization
            self.role = role
            self.version = version
        }
    }

    /// - Parameters:
    ///   - generation: of a refresh token; 0 for others.
    ///   - now: seconds since 1970.
    /// - Throws: `CryptoError` without randomness.
    package func make(
        _ kind: TokenClaims.Kind, for holder: Holder, session: SessionID, generation: Int64 = 0, now: Int64
    ) throws -> (text: String, claims: TokenClaims) {
        let claims = TokenClaims(
            kind: kind, user: holder.user, email: holder.email, organization: holder.organization, role: holder.role,
            session: session, generation: generation, version: holder.version,
            id: Hex.encode(try RandomBytes.make(Self.idBytes)), issuedAt: now, expires: now + lifetime(of: kind))
        return (JSONWebToken.sign(claims.json, secret: secrets[0]), claims)
    }

    private func lifetime(of kind: TokenClaims.Kind) -> Int64 {
        switch kind {
        case .access: accessSeconds
        case .refresh: refreshSeconds
        case .pending: Self.pendingSeconds
        }
    }

    /// Reads a token of one kind. Whether it was revoked is not asked here.
    package func read(
        _ text: String, as kind: TokenClaims.Kind, now: Int64
    ) throws(AccessControl.Refusal) -> TokenClaims {
        guard let object = JSONWebToken.verify(text, secrets: secrets) else { throw .invalid }
        do throws(TokenClaims.Refusal) {
            return try TokenClaims(object, kind: kind, now: now, leeway: Self.leewaySeconds)
        } catch {
            throw error == .expired ? .expired : .invalid
        }
    }

    func access(_ text: String, now: Int64) throws(AccessControl.Refusal) -> TokenClaims {
        try read(text, as: .access, now: now)
    }
}

extension TokenClaims {
    /// Whom an access token speaks for.
    var principal: Principal {
        Principal(
            subject: user.text, role: role, organization: organization, user: user,
            expires: Timestamp(milliseconds: expires * 1000), credential: .session(session), version: version)
    }
}
