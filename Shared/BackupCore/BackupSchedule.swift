import Platform

/// When the next backup is due: a pure decision.
package struct BackupSchedule: Sendable {
    /// After a failed run, doubled each time up to ``maxRetry``, and never longer than the interval.
    static let firstRetry = Duration.seconds(60)
    static let maxRetry = Duration.seconds(3600)
    /// A backup is overdue after this many intervals.
    static let overdueIntervals = 1.5

    package let interval: Duration
    private var failures = 0
    private var lastFailure: Int64 = 0

    package init(interval: Duration) { self.interval = interval }

    package mutating func succeeded() { failures = 0 }

    /// - Parameter now: seconds since 1970.
    package mutating func failed(now: Int64) {
        failures += 1
        lastFailure = now
    }

    /// How long to wait; zero when it is due.
    /// - Parameters:
    ///   - newest: the second at which the newest verified backup began; nil without one.
    ///   - now: seconds since 1970.
    package func wait(newest: Int64?, now: Int64) -> Duration {
        guard failures == 0 else {
            let doubled = Self.firstRetry * (1 << min(failures - 1, 10))
            return Self.left(of: min(doubled, Self.maxRetry, interval), since: lastFailure, now: now)
        }
        guard let newest else { return .zero }
        return Self.left(of: interval, since: newest, now: now)
    }

    /// A time in the future (the clock was wrong) must not put a backup off for longer than the whole wait.
    private static func left(of wait: Duration, since begin: Int64, now: Int64) -> Duration {
        max(.zero, wait - .seconds(max(0, now - begin)))
    }

    /// Whether the newest backup is older than it should ever be.
    package func isOverdue(newest: Int64?, now: Int64) -> Bool {
        guard let newest else { return failures > 0 }
        return Double(now - newest) > interval.secondsValue * Self.overdueIntervals
    }
}
