import Domain

/// Whether and when a failed call is tried again. Each try is an attempt, with an intent of its own.
struct RetryPolicy: Sendable {
    /// Failed attempts of one key after which its agent has failed.
    var maxFailures = 3
    var firstDelay: Duration = .milliseconds(500)
    var maxDelay: Duration = .seconds(20)
    /// A provider that asks for more patience than this is not waited for.
    var maxRetryAfter: Duration = .seconds(60)

    enum Verdict: Equatable {
        case retry(after: Duration)
        case giveUp
    }

    /// - Parameters:
    ///   - failures: failed attempts of this key so far, this one included.
    ///   - jitter: drawn evenly from 0 to 1.
    func verdict(on failure: CallFailure, failures: Int, jitter: Double) -> Verdict {
        guard failure.isRetryable, failures < maxFailures else { return .giveUp }
        // Full waits synchronise those who failed together: the upper half is drawn.
        let backoff = min(firstDelay * Double(1 << min(failures - 1, 16)), maxDelay) * (0.5 + jitter / 2)
        guard let asked = failure.retryAfterMilliseconds else { return .retry(after: backoff) }
        let patience = Duration.milliseconds(max(0, asked))
        return patience > maxRetryAfter ? .giveUp : .retry(after: max(backoff, patience + firstDelay * jitter))
    }
}
