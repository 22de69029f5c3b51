package import Platform

/// Whether this process may still act as the holder of its debates, judged by its own clock.
///
/// Postgres decides who holds what; this only says when our knowledge of that is too old to send a request on it. The
/// clock goes on while the machine sleeps. Safe from any thread.
package final class LeaseClock: Sendable {
    /// Acting stops this long before the lease ends, so that a request that leaves now leaves under the lease.
    static let margin: Duration = .seconds(1)

    private let lease: Duration
    private let now: @Sendable () -> BootInstant
    private let confirmed = Lock<BootInstant?>(nil)

    package init(lease: Duration, now: @escaping @Sendable () -> BootInstant = BootInstant.now) {
        precondition(lease > Self.margin, "a lease must be longer than its margin")
        self.lease = lease
        self.now = now
    }

    /// The time to remember before a renewal is sent, for ``confirm(sentAt:)``.
    package func reading() -> BootInstant { now() }

    /// A renewal succeeded; it counts from when it was sent, not from when its answer came.
    package func confirm(sentAt: BootInstant) {
        confirmed.withLock { last in
            if last.map({ $0 < sentAt }) ?? true { last = sentAt }
        }
    }

    /// The lease is gone, whatever its age.
    package func invalidate() { confirmed.withLock { $0 = nil } }

    /// Whether a request to a model may leave now (design §2.1, "Intents").
    package var isFresh: Bool {
        guard let last = confirmed.withLock({ $0 }) else { return false }
        return now().since(last) <= lease - Self.margin
    }
}
