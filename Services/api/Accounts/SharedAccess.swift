import Platform
import ServiceKit

/// What one process knows about credentials, whichever loop asks.
struct SharedAccess: Sendable {
    let feed: RevocationFeed
    let keys = KeyCache()
    let hasher: PasswordHasher

    init(_ backends: Backends, log: Log, hasher: PasswordHasher = PasswordHasher()) {
        feed = RevocationFeed(backends, log: log)
        self.hasher = hasher
    }
}
