package import Crypto
package import Domain
package import Platform

/// Looks at credentials (contract §2.1): what the text alone can say. ``Authenticator`` asks the rest.
package struct AccessControl: Sendable {
    /// Why a credential is refused; the client hears the same 401 for all but an expired one.
    package enum Refusal: Error, Sendable, Equatable {
        case missing, invalid, expired
    }

    /// What a credential's text says.
    package enum Examined: Sendable {
        /// Nothing is left to ask but whether it was revoked.
        case principal(Principal)
        /// An API key of the right form; its digests under the present key and those before it.
        case apiKey([[UInt8]])
    }

    private struct Secrets: Sendable {
        let current: Secret<String>?
        let previous: Secret<String>?
        let tokens: SessionTokens
        let keyDigests: KeyDigests
        let secretBox: SecretBox
        let durableBox: SecretBox?
    }

    private let secrets: Reloadable<Secrets>
    /// Whether administrators without a second factor may only enrol one.
    package let administratorsNeedSecondFactor: Bool

    /// - Parameters:
    ///   - token: nil switches authentication off; the settings refuse that in production.
    ///   - sessions: secrets of sessions and keys; without them others are derived from the token, and without that
    ///     made up for the life of the process.
    package init(
        token: Secret<String>?, previousToken: Secret<String>?, sessions: SessionSettings = SessionSettings(),
        administratorsNeedSecondFactor: Bool = false
    ) {
        self.administratorsNeedSecondFactor = administratorsNeedSecondFactor
        let roots = [token, previousToken].compactMap { $0.map { Array($0.reveal().utf8) } }
        secrets = Reloadable(
            Secrets(
                current: token, previous: previousToken, tokens: sessions.tokens(derivedFrom: roots),
                keyDigests: sessions.keyDigests(derivedFrom: roots),
                secretBox: sessions.secretBox(derivedFrom: roots),
                durableBox: sessions.durableBox(derivedFrom: roots)))
    }

    /// Accepts what another reading of the settings says from now on, and nothing else; who is in stays in.
    package func adopt(_ fresh: AccessControl) { secrets.replace(with: fresh.secrets.current) }

    /// Whether requests need a credential.
    package var isOn: Bool { secrets.current.current != nil }
    /// Makes and reads the tokens of sessions.
    package var tokens: SessionTokens { secrets.current.tokens }
    /// What is stored of keys and codes.
    package var keyDigests: KeyDigests { secrets.current.keyDigests }
    /// Seals what is stored and must be read again, such as the secrets of one-time passwords.
    package var secretBox: SecretBox { secrets.current.secretBox }
    /// The same; nil when its key ends with the process, so that there is nothing to rotate.
    package var durableBox: SecretBox? { secrets.current.durableBox }

    /// - Parameters:
    ///   - credential: what follows `Bearer `, or came as a query item or WebSocket subprotocol.
    ///   - now: seconds since 1970.
    package func examine(_ credential: String?, now: Int64) throws(Refusal) -> Examined {
        let secrets = secrets.current
        if let credential, !credential.isEmpty, let examined = try account(credential, secrets, now: now) {
            return examined
        }
        guard let token = secrets.current else { return .principal(.open) }
        guard let credential, !credential.isEmpty else { throw .missing }
        let known = [token, secrets.previous].compactMap { $0.map { Array($0.reveal().utf8) } }
        let presented = Array(credential.utf8)
        // No early exit: which secret matched must not show in the time.
        let matches = known.reduce(false) { constantTimeEquals($1, presented) || $0 }
        if matches { return .principal(Principal(subject: "service", role: .admin, credential: .service)) }
        return .principal(try signed(credential, secrets: known, now: now))
    }

    /// Tokens of sessions and API keys; nil for anything else. They are looked at where nothing is asked of others too:
    /// who says who they are is believed or refused, never taken for somebody else.
    private func account(_ credential: String, _ secrets: Secrets, now: Int64) throws(Refusal) -> Examined? {
        if credential.hasPrefix(APIKeyText.start) {
            guard let key = APIKeyText(credential) else { throw .invalid }
            return .apiKey(secrets.keyDigests.ofKey(key))
        }
        guard JSONWebToken.hasForm(credential) else { return nil }
        return .principal(try secrets.tokens.access(credential, now: now).principal)
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
        let digest = Principal.Credential.signed(digest: Hex.encode(SHA256.hash(credential)))
        if verified.scope == "admin" {
            return Principal(subject: "token:admin", role: .admin, expires: expires, credential: digest)
        }
        if let debate = DebateID(verified.scope) {
            return Principal(
                subject: "token:\(debate.text)", role: .member, debate: debate, expires: expires, credential: digest)
        }
        return Principal(subject: "token:\(verified.scope)", role: .member, expires: expires, credential: digest)
    }
}
