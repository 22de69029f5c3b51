/// How often one subject may do something: `limit` times per `window`, evenly refilled, all at once if it likes.
package struct RateLimit: Sendable, Equatable {
    package let limit: Int
    package let window: Duration

    package init(limit: Int, window: Duration = .seconds(60)) {
        precondition(limit > 0 && window > .zero, "a rate limit allows something, in some time")
        self.limit = limit
        self.window = window
    }

    var windowMicroseconds: Int64 {
        max(1, window.components.seconds * 1_000_000 + window.components.attoseconds / 1_000_000_000_000)
    }
    var intervalMicroseconds: Int64 { max(1, windowMicroseconds / Int64(limit)) }
}

/// What a rate limit says to one request.
package struct RateDecision: Sendable, Equatable {
    package let isAllowed: Bool
    package let limit: Int
    /// Requests that would be allowed right after this one.
    package let remaining: Int
    /// Until the whole limit is there again.
    package let resetAfter: Duration
    /// Until the next request would be allowed; zero unless refused.
    package let retryAfter: Duration
}

/// The generic cell rate algorithm: all that is kept of a subject is the time at which its bucket is full again.
///
/// The script in ``RateLimiter`` computes the same.
enum RateCell {
    /// - Parameters:
    ///   - fullAt: what was kept; nil when nothing is.
    ///   - now: on the same clock, in microseconds.
    /// - Returns: what to keep (nil: leave as it is), and the decision.
    static func decide(fullAt: Int64?, now: Int64, limit: RateLimit) -> (keep: Int64?, decision: RateDecision) {
        let (window, interval) = (limit.windowMicroseconds, limit.intervalMicroseconds)
        let start = max(fullAt ?? now, now)
        let next = start + interval
        guard next - window <= now else {
            return (nil, decision(limit, allowed: false, remaining: 0, reset: start - now, retry: next - window - now))
        }
        let remaining = (now + window - next) / interval
        return (next, decision(limit, allowed: true, remaining: remaining, reset: next - now, retry: 0))
    }

    static func decision(_ limit: RateLimit, allowed: Bool, remaining: Int64, reset: Int64, retry: Int64)
        -> RateDecision
    {
        RateDecision(
            isAllowed: allowed, limit: limit.limit, remaining: Int(remaining), resetAfter: .microseconds(reset),
            retryAfter: .microseconds(retry))
    }
}
