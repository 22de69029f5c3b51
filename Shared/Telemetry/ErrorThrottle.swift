import Platform

/// Which errors are reported: each once a minute, all together at most thirty at once and one every two seconds after.
struct ErrorThrottle {
    static let sameAgain = Duration.seconds(60)
    static let burst = 30.0
    static let perSecond = 0.5
    /// Different errors that are remembered; the program's sentences are fewer.
    static let maxKnown = 256

    private struct Known {
        var reportedAt: BootInstant
        var suppressed = 0
    }

    private var known: [String: Known] = [:]
    private var tokens = burst
    private var filledAt: BootInstant
    /// The receiver wants nothing before.
    private var quietUntil: BootInstant

    init(now: BootInstant) {
        filledAt = now
        quietUntil = now
    }

    /// - Parameter error: what makes two errors the same.
    /// - Returns: how many of the same were left out since the last; nil to leave this one out too.
    mutating func admit(_ error: String, now: BootInstant) -> Int? {
        tokens = min(Self.burst, tokens + now.since(filledAt).secondsValue * Self.perSecond)
        filledAt = now
        let last = known[error]
        let isFresh = last.map { now.since($0.reportedAt) >= Self.sameAgain } ?? true
        guard isFresh, tokens >= 1, now >= quietUntil, last != nil || known.count < Self.maxKnown else {
            known[error]?.suppressed += 1
            return nil
        }
        tokens -= 1
        known[error] = Known(reportedAt: now)
        return last?.suppressed ?? 0
    }

    /// The receiver asked to be left alone.
    mutating func rest(for duration: Duration, now: BootInstant) {
        quietUntil = max(quietUntil, now.advanced(by: duration))
    }
}
