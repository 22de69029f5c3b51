import Domain
import Messaging
import Platform
import Sockets

/// Puts the in-flight cap, the provider's own pauses and the breaker around a provider. Whoever runs the debate counts
/// its calls.
struct GuardedClient: ModelClient {
    /// How often a call looks again for a place among all processes; up to twice this, drawn.
    static let lookAgain = Duration.milliseconds(50)

    let provider: ProviderKey
    let inner: any ModelClient
    let limits: ProviderLimits
    let loop: EventLoop
    /// How long a call waits for a free place.
    let maxWait: Duration
    let log: Log

    func call(_ request: CallRequest, tokens: @escaping TokenSink) async -> CallOutcome {
        guard let gate = limits.gates[provider] else { return await inner.call(request, tokens: tokens) }
        let began = MonotonicTime.now()
        switch await gate.enter(within: maxWait, on: loop) {
        case .admitted: break
        case .full, .timedOut: return .failed(Self.noPlace)
        case .cancelled: return .failed(CallFailure(.cancelled, wasSent: false))
        }
        defer { gate.release() }
        let name = "\(request.debate):\(request.call.key):\(request.attempt)"
        let place: ProviderBoard?
        do throws(CallFailure) { place = try await enter(name, since: began) } catch { return .failed(error) }
        let outcome = await inner.call(request, tokens: tokens)
        let opened = await limits.leave(
            provider, place, call: name, result: Self.verdict(on: outcome), pause: Self.pause(asked: outcome))
        if opened {
            log.warning("circuit breaker opened", .provider(provider.rawValue), .reason(Self.label(of: outcome)))
        }
        return outcome
    }

    private static let noPlace = CallFailure(.overloaded, "no free place for this provider", wasSent: false)

    /// Waits for a place among the calls of all processes, and for a provider that asked for a little patience.
    private func enter(_ name: String, since began: Int64) async throws(CallFailure) -> ProviderBoard? {
        while true {
            let wait: Duration
            switch await limits.enter(provider, call: name, on: loop) {
            case .admitted(let place): return place
            case .open(let retryAfter):
                throw CallFailure(.circuitOpen, retryAfterMilliseconds: retryAfter.milliseconds, wasSent: false)
            case .paused(let pause):
                guard pause <= ProviderLimits.maxPause else {
                    throw CallFailure(
                        .rateLimited, "the provider asked to be left alone", retryAfterMilliseconds: pause.milliseconds,
                        wasSent: false)
                }
                wait = pause + Self.lookAgain * Double.random(in: 0...1)
            case .full: wait = Self.lookAgain * Double.random(in: 1...2)
            }
            guard .nanoseconds(MonotonicTime.now() - began) + wait < maxWait else { throw Self.noPlace }
            do { try await loop.sleep(for: wait) } catch { throw CallFailure(.cancelled, wasSent: false) }
        }
    }

    /// Others need not find out by themselves; never longer than a runner would wait.
    private static func pause(asked outcome: CallOutcome) -> Duration {
        guard case .failed(let failure) = outcome, failure.kind == .rateLimited || failure.kind == .overloaded,
            let asked = failure.retryAfterMilliseconds
        else { return .zero }
        return min(.milliseconds(max(0, asked)), .seconds(60))
    }

    /// What an outcome says about the provider; what is wrong with one request says nothing.
    static func verdict(on outcome: CallOutcome) -> BreakerState.Result {
        guard case .failed(let failure) = outcome else { return .succeeded }
        switch failure.kind {
        case .connect, .firstTokenTimeout, .idleTimeout, .totalTimeout, .upstreamTimeout, .rateLimited, .quota,
            .authentication, .overloaded, .server, .malformedReply, .emptyReply, .cut:
            return .failed
        case .badRequest, .refused: return .succeeded
        case .circuitOpen, .notConfigured, .cancelled, .attemptsExhausted: return .neither
        }
    }

    private static func label(of outcome: CallOutcome) -> String {
        if case .failed(let failure) = outcome { failure.kind.rawValue } else { "ok" }
    }
}
