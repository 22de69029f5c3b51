/// One attempt of one planned call.
package struct CallRequest: Sendable {
    package let debate: DebateID
    package let call: PlannedCall
    /// From 1; sent to the provider as an idempotency key together with debate and key.
    package let attempt: Int
    package let epoch: Int64
    /// What the provider is told of the trace that the call belongs to, as W3C Trace Context writes it; nil for nothing.
    package var traceparent: String?

    package init(debate: DebateID, call: PlannedCall, attempt: Int, epoch: Int64, traceparent: String? = nil) {
        self.traceparent = traceparent
        self.debate = debate
        self.call = call
        self.attempt = attempt
        self.epoch = epoch
    }
}

/// How a call ended. Every call ends in exactly one of these.
package enum CallOutcome: Sendable, Hashable {
    case answered(Answer)
    case failed(CallFailure)
}

extension CallOutcome {
    /// What it used, as far as that is known.
    package var usage: Usage {
        switch self {
        case .answered(let answer): answer.usage
        case .failed(let failure): failure.usage
        }
    }

    /// How a call ended, in one word.
    package enum Summary: String, Sendable, CaseIterable {
        case answered
        /// An answer that was cut at its limit; its text counts, and is marked.
        case partial
        /// The model would not.
        case refused
        /// No answer, and what it cost is known.
        case failed
        /// No answer, and it may have been paid for.
        case unknown
    }

    package var summary: Summary {
        switch self {
        case .answered(let answer): answer.truncated ? .partial : .answered
        case .failed(let failure):
            failure.kind == .refused ? .refused : failure.isPaymentUnknown ? .unknown : .failed
        }
    }
}

/// What a model said: bounded, valid UTF-8 without control characters but newline and tab.
package struct Answer: Sendable, Hashable {
    /// Bytes of UTF-8 that one answer may have; longer ones are cut at the edge. An event holds it up to four times
    /// over with JSON escapes and stays below 256 KiB.
    package static let maxContentBytes = 24 * 1024

    package let content: String
    package let provider: ProviderKey
    package let model: String
    package let usage: Usage
    package let truncated: Bool

    package init(content: String, provider: ProviderKey, model: String, usage: Usage, truncated: Bool) {
        self.content = content
        self.provider = provider
        self.model = model
        self.usage = usage
        self.truncated = truncated
    }
}

/// Why a call has no answer.
package struct CallFailure: Error, Sendable, Hashable {
    /// A closed set: it is a metric label.
    package enum Kind: String, Sendable, CaseIterable, Hashable {
        case connect, firstTokenTimeout = "first_token_timeout", idleTimeout = "idle_timeout", totalTimeout =
            "total_timeout"
        case upstreamTimeout = "upstream_timeout", rateLimited = "rate_limited", quota, authentication, badRequest =
            "bad_request", overloaded, server
        case malformedReply = "malformed_reply", emptyReply = "empty_reply", cut, refused, circuitOpen = "circuit_open"
        case notConfigured = "not_configured", cancelled, attemptsExhausted = "attempts_exhausted"
    }

    package let kind: Kind
    /// For our log; never shown to clients and never stored as content.
    package let detail: String
    /// From the provider's `Retry-After`, in milliseconds.
    package let retryAfterMilliseconds: Int64?
    /// Tokens that were paid for although the call failed.
    package let usage: Usage
    /// Whether the request can have reached the provider.
    package let wasSent: Bool
    /// The request left, and nothing says what it cost: `usage.cost` is then the most it can have cost.
    package let isPaymentUnknown: Bool

    package init(
        _ kind: Kind, _ detail: String = "", retryAfterMilliseconds: Int64? = nil, usage: Usage = Usage(),
        wasSent: Bool = true, isPaymentUnknown: Bool = false
    ) {
        self.isPaymentUnknown = isPaymentUnknown
        self.kind = kind
        self.detail = detail
        self.retryAfterMilliseconds = retryAfterMilliseconds
        self.usage = usage
        self.wasSent = wasSent
    }

    /// Whether another attempt may help.
    package var isRetryable: Bool {
        switch kind {
        case .connect, .firstTokenTimeout, .idleTimeout, .upstreamTimeout, .rateLimited, .overloaded, .server,
            .malformedReply,
            .emptyReply, .cut,
            .circuitOpen:
            true
        case .totalTimeout, .quota, .authentication, .badRequest, .refused, .notConfigured, .cancelled,
            .attemptsExhausted:
            false
        }
    }
}

/// Streams one call's text as it arrives. Called in order, on the caller's executor; must not block.
package typealias TokenSink = @Sendable (_ text: String) -> Void

/// Calls a model. Implementations: one per provider family, the demonstration agents, and a script for tests.
///
/// Never retries (each attempt is an intent of its own), never throws: everything that can go wrong is an outcome.
/// Cancelling the task ends the call at once with `.failed(.cancelled)`.
package protocol ModelClient: Sendable {
    func call(_ request: CallRequest, tokens: @escaping TokenSink) async -> CallOutcome
}
