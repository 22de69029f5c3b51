package import Domain

/// Whether, when and where a failed call is tried again. Each try is an attempt, with an intent of its own.
package struct RetryPolicy: Sendable {
    /// Failed attempts of one key at one provider after which its agent has failed there.
    package var maxFailures = 3
    /// The same, once the call goes to the provider that stands in; both together stay within the attempts of a key.
    package var maxFallbackFailures = 2
    package var firstDelay: Duration = .milliseconds(500)
    package var maxDelay: Duration = .seconds(20)
    /// A provider that asks for more patience than this is not waited for.
    package var maxRetryAfter: Duration = .seconds(60)

    package enum Verdict: Equatable, Sendable {
        case retry(after: Duration)
        /// Ask the provider that stands in.
        case fallBack
        case giveUp
    }

    package init(
        maxFailures: Int = 3, firstDelay: Duration = .milliseconds(500), maxDelay: Duration = .seconds(20)
    ) {
        self.maxFailures = maxFailures
        self.firstDelay = firstDelay
        self.maxDelay = maxDelay
    }

    /// - Parameters:
    ///   - failures: failed attempts of this key at this provider so far, this one included.
    ///   - jitter: drawn evenly from 0 to 1.
    ///   - standIn: whether another provider can be asked instead.
    ///   - isStandIn: whether this was that other provider already.
    package func verdict(
        on failure: CallFailure, failures: Int, jitter: Double, standIn: Bool = false, isStandIn: Bool = false
    ) -> Verdict {
        if standIn, failure.kind.isReasonToFallBack { return .fallBack }
        let last: Verdict = standIn && failure.isRetryable ? .fallBack : .giveUp
        guard failure.isRetryable, failures < (isStandIn ? maxFallbackFailures : maxFailures) else { return last }
        // Full jitter: those who failed together spread over the whole wait.
        let backoff = min(firstDelay * Double(1 << min(failures - 1, 16)), maxDelay) * jitter
        guard let asked = failure.retryAfterMilliseconds else { return .retry(after: backoff) }
        let patience = Duration.milliseconds(max(0, asked))
        return patience > maxRetryAfter ? last : .retry(after: max(backoff, patience + firstDelay * jitter))
    }
}

extension CallFailure.Kind {
    /// Waiting does not help, or was done already: an empty account (402, a spend limit), a provider that gave up on its
    /// own model (408, 504, 524), a breaker that is open. A key that is refused and a request that is wrong are not
    /// among them: their cause is here, and hiding it helps nobody.
    package var isReasonToFallBack: Bool {
        switch self {
        case .quota, .upstreamTimeout, .circuitOpen: true
        default: false
        }
    }
}
