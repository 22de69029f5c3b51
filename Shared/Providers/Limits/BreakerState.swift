package import Domain

/// Stops calls to a provider that keeps failing. A pure value; times are nanoseconds of one monotonic clock.
///
/// Closed → open after `failures` within `window` → half open after `cooldown`, with one probe at a time → closed when
/// the probe succeeds, open again when it fails.
package struct BreakerState: Sendable {
    package struct Thresholds: Sendable, Hashable {
        package let failures: Int
        package let window: Duration
        package let cooldown: Duration

        package init(failures: Int, window: Duration, cooldown: Duration = .seconds(60)) {
            self.failures = failures
            self.window = window
            self.cooldown = cooldown
        }

        /// Design §7.
        package init(for provider: ProviderKey) {
            switch provider {
            case .anthropic, .openai: self.init(failures: 3, window: .seconds(60))
            case .openrouter: self.init(failures: 5, window: .seconds(120))
            default: self.init(failures: 5, window: .seconds(60))
            }
        }
    }

    /// A closed set: it is a metric label.
    package enum Phase: String, Sendable, CaseIterable { case closed, open, halfOpen = "half_open" }
    package enum Admission: Sendable, Equatable {
        case allowed
        /// Not before this much time has passed.
        case refused(retryAfter: Duration)
    }
    package enum Result: Sendable { case succeeded, failed, neither }

    private let thresholds: Thresholds
    /// When the latest failures happened, oldest first; never more than the threshold.
    private var failures: [Int64] = []
    private var openUntil: Int64?
    private var isProbing = false

    package init(_ thresholds: Thresholds) { self.thresholds = thresholds }

    package func phase(now: Int64) -> Phase {
        guard let openUntil else { return .closed }
        return isProbing || now >= openUntil ? .halfOpen : .open
    }

    /// What is left of the time that it is open.
    func openNanoseconds(now: Int64) -> Int64 { openUntil.map { max(0, $0 - now) } ?? 0 }

    /// Failures that count, while it is closed.
    func failureCount(now: Int64) -> Int {
        failures.count { $0 > now - thresholds.window.wholeNanoseconds }
    }

    /// Asks to make a call; every call that is allowed is followed by one ``record(_:now:)``.
    package mutating func admit(now: Int64) -> Admission {
        guard let openUntil else { return .allowed }
        guard now >= openUntil, !isProbing else {
            let left = max(openUntil - now, 1_000_000)
            return .refused(retryAfter: .nanoseconds(isProbing ? max(left, 1_000_000_000) : left))
        }
        isProbing = true
        return .allowed
    }

    /// - Returns: whether the breaker opened with this result.
    @discardableResult
    package mutating func record(_ result: Result, now: Int64) -> Bool {
        let wasProbe = isProbing
        switch result {
        case .succeeded:
            // A call from before the breaker opened says nothing about now.
            guard openUntil == nil || wasProbe else { return false }
            self = BreakerState(thresholds)
            return false
        case .neither:
            isProbing = false
            return false
        case .failed:
            isProbing = false
            return failed(wasProbe: wasProbe, now: now)
        }
    }

    private mutating func failed(wasProbe: Bool, now: Int64) -> Bool {
        if openUntil != nil {
            guard wasProbe else { return false }
            openUntil = now + thresholds.cooldown.wholeNanoseconds
            return true
        }
        let horizon = now - thresholds.window.wholeNanoseconds
        failures.removeAll { $0 <= horizon }
        failures.append(now)
        guard failures.count >= thresholds.failures else { return false }
        failures = []
        openUntil = now + thresholds.cooldown.wholeNanoseconds
        return true
    }
}

extension Duration {
    var wholeNanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}
