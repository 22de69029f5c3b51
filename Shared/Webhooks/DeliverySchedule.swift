/// When a message that was not taken is sent again, and when it is given up.
package enum DeliverySchedule {
    /// After the first attempt, the second, …: each wait is drawn from 1 s to this, so that a receiver that comes back is
    /// not met by all at once.
    package static let waits: [Duration] = [
        .seconds(5), .seconds(60), .seconds(300), .seconds(1800), .seconds(7200), .seconds(18_000), .seconds(36_000),
        .seconds(50_400), .seconds(72_000), .seconds(86_400),
    ]
    static let shortest = Duration.seconds(1)
    /// What a receiver may ask for with `Retry-After`.
    static let longest = Duration.seconds(86_400)

    /// The wait after so many attempts; nil when it is given up.
    ///
    /// - Parameters:
    ///   - draw: from 0 to 1.
    ///   - retryAfter: what the receiver asked for; waited for at least.
    package static func wait(afterAttempts attempts: Int, draw: Double, retryAfter: Duration? = nil) -> Duration? {
        guard attempts >= 1, attempts <= waits.count else { return nil }
        let wait = shortest + (waits[attempts - 1] - shortest) * min(max(draw, 0), 1)
        let drawn = Duration.milliseconds(Int64((wait / .milliseconds(1)).rounded()))
        return max(drawn, min(retryAfter ?? .zero, longest))
    }
}
