import Domain
import Platform
import Sockets

/// Puts the in-flight cap and the breaker around a provider. Whoever runs the debate counts its calls.
struct GuardedClient: ModelClient {
    let provider: ProviderKey
    let inner: any ModelClient
    let limits: ProviderLimits
    let loop: EventLoop
    /// How long a call waits for a free place.
    let maxWait: Duration
    let log: Log

    func call(_ request: CallRequest, tokens: @escaping TokenSink) async -> CallOutcome {
        guard let gate = limits.gates[provider] else { return await inner.call(request, tokens: tokens) }
        switch await gate.enter(within: maxWait, on: loop) {
        case .admitted: break
        case .full, .timedOut:
            return .failed(CallFailure(.overloaded, "no free place for this provider", wasSent: false))
        case .cancelled: return .failed(CallFailure(.cancelled, wasSent: false))
        }
        defer { gate.release() }
        if case .refused(let retryAfter) = limits.admit(provider) {
            return .failed(
                CallFailure(.circuitOpen, retryAfterMilliseconds: retryAfter.milliseconds, wasSent: false))
        }
        let outcome = await inner.call(request, tokens: tokens)
        if limits.record(provider, Self.verdict(on: outcome)) {
            log.warning("circuit breaker opened", .provider(provider.rawValue), .reason(Self.label(of: outcome)))
        }
        return outcome
    }

    /// What an outcome says about the provider; what is wrong with one request says nothing.
    static func verdict(on outcome: CallOutcome) -> BreakerState.Result {
        guard case .failed(let failure) = outcome else { return .succeeded }
        switch failure.kind {
        case .connect, .firstTokenTimeout, .idleTimeout, .totalTimeout, .rateLimited, .quota, .authentication,
            .overloaded,
            .server, .malformedReply, .emptyReply, .cut:
            return .failed
        case .badRequest, .refused: return .succeeded
        case .circuitOpen, .notConfigured, .cancelled, .attemptsExhausted: return .neither
        }
    }

    private static func label(of outcome: CallOutcome) -> String {
        if case .failed(let failure) = outcome { failure.kind.rawValue } else { "ok" }
    }
}
