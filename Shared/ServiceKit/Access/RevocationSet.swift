package import Domain
import Platform
package import Storage

/// What is refused although its text is good, as this process knows it. From any thread.
package final class RevocationSet: Sendable {
    private struct State {
        var isKnown: Bool
        /// Rises with every change, so that whoever looked at it knows whether to look again.
        var change = 0
        var sessions: [String: Int64] = [:]
        var tokens: [String: Int64] = [:]
        var keys: [String: Int64] = [:]
        var users: [String: (version: Int64, expires: Int64)] = [:]
    }

    private let state: Lock<State>

    /// - Parameter isKnown: whether nothing has to be read first; for tests without a store.
    package init(isKnown: Bool = false) { state = Lock(State(isKnown: isKnown)) }

    /// Whether Postgres was asked once. Before that nobody with a session may come in.
    package var isKnown: Bool { state.withLock { $0.isKnown } }
    package var change: Int { state.withLock { $0.change } }

    /// Takes what Postgres says; what it said before stays until its time is over.
    package func learn(_ revocations: [Revocation], now: Int64) {
        state.withLock { state in
            for revocation in revocations {
                let expires = revocation.expiresAt.milliseconds
                let isNew: Bool
                switch revocation.kind {
                case .session: isNew = state.sessions.updateValue(expires, forKey: revocation.value) == nil
                case .token: isNew = state.tokens.updateValue(expires, forKey: revocation.value) == nil
                case .key: isNew = state.keys.updateValue(expires, forKey: revocation.value) == nil
                case .user:
                    isNew = state.users[revocation.value].map { $0.version < revocation.version } ?? true
                    if isNew { state.users[revocation.value] = (revocation.version, expires) }
                }
                if isNew { state.change += 1 }
            }
            state.isKnown = true
            state.sessions = state.sessions.filter { $0.value > now }
            state.tokens = state.tokens.filter { $0.value > now }
            state.keys = state.keys.filter { $0.value > now }
            state.users = state.users.filter { $0.value.expires > now }
        }
    }

    /// Whether the credential behind this principal was revoked.
    package func refuses(_ principal: Principal) -> Bool {
        state.withLock { state in
            if let user = principal.user, let known = state.users[user.text], principal.version < known.version {
                return true
            }
            return switch principal.credential {
            case .none, .service: false
            case .signed(let digest): state.tokens[digest] != nil
            case .session(let id): state.sessions[id.text] != nil
            case .apiKey(let id): state.keys[id.text] != nil
            }
        }
    }
}
