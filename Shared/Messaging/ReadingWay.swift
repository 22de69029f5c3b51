import Platform
import RedisClient

/// How new rings are read from the Redis at hand: not every one lets a command wait, or a group be read at all.
///
/// What is refused is tried again after a while: permissions are changed, proxies are replaced.
struct ReadingWay {
    enum Way: Sendable, Equatable {
        /// One command waits inside Redis.
        case blocking
        /// A command every ``pollInterval``.
        case polling
        /// Not at all: the sweep over Postgres finds what waits.
        case sweepOnly
    }

    /// Between two reads that do not wait.
    static let pollInterval = Duration.milliseconds(200)
    /// A way that was given up is tried again after this.
    static let retryAfter = Duration.seconds(60)
    /// Empty answers in a row that came in less than half the time they were asked to wait.
    static let maxHasty = 3

    private var way = Way.blocking
    private var since: BootInstant?
    private var hasty = 0

    var name: String {
        switch way {
        case .blocking: "blocking"
        case .polling: "polling"
        case .sweepOnly: "sweep only"
        }
    }

    /// - Parameter now: when the read begins.
    mutating func current(now: BootInstant) -> Way {
        if let since, now.since(since) >= Self.retryAfter {
            way = .blocking
            hasty = 0
            self.since = nil
        }
        return way
    }

    /// Takes note of an answer to a read that should have waited.
    /// - Returns: whether Redis does not wait, so that another way is to be taken.
    mutating func answered(isEmpty: Bool, after took: Duration, of block: Duration) -> Bool {
        guard isEmpty, took < block / 2 else {
            hasty = 0
            return false
        }
        hasty += 1
        guard hasty >= Self.maxHasty else { return false }
        take(.polling, now: .now())
        return true
    }

    /// Takes note of an error.
    /// - Returns: whether it means that this way is closed, so that another one is to be taken.
    mutating func refused(_ error: RedisError, now: BootInstant) -> Bool {
        // Redis's own words for a command or option that it does not take, or not from us; all others pass.
        guard error.code == .refused, error.serverCode == "ERR" || error.serverCode == "NOPERM" else { return false }
        switch way {
        case .blocking: take(.polling, now: now)
        case .polling: take(.sweepOnly, now: now)
        case .sweepOnly: return false
        }
        return true
    }

    private mutating func take(_ next: Way, now: BootInstant) {
        way = next
        since = now
    }
}
