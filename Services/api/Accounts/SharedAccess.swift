import Crypto
import Messaging
import Platform
import ServiceKit

/// What one process knows, whichever loop asks: about credentials, providers, and debates that are over.
struct SharedAccess: Sendable {
    let feed: RevocationFeed
    let keys = KeyCache()
    let hasher: PasswordHasher
    /// As the process was started: a reload must not seal what other processes can not open yet.
    let durableBox: SecretBox?
    /// Signed requests that were taken.
    let seen = SeenTable()
    /// Debates that are over, as they were told last.
    let kept = KeptAnswers()
    /// What the runner in this process knows about providers.
    let providers = ProviderStandings.Local()

    init(
        _ backends: Backends, log: Log, hasher: PasswordHasher = PasswordHasher(), durableBox: SecretBox? = nil
    ) {
        self.durableBox = durableBox
        feed = RevocationFeed(backends, log: log)
        self.hasher = hasher
    }
}
