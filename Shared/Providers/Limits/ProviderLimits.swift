package import Domain
package import Messaging
package import Platform
import Sockets

/// Breakers, pauses and in-flight caps of all providers. One per process, shared by its loops, and by all processes
/// through Redis as long as that answers; without it each process goes by what it has seen itself.
package final class ProviderLimits: Sendable {
    /// How long Redis is not asked again after it did not answer.
    static let silence = Duration.seconds(2)
    /// A call waits this long for a provider that asked for patience; one that asks for more is a failure at once, which
    /// the runner waits for without holding a place.
    static let maxPause = Duration.seconds(5)

    private struct State {
        var breaker: BreakerState
        var health = AgentHealth()
        /// Until when the provider asked to be left alone.
        var pausedUntil: Int64 = 0
        /// What Redis said last: open until then, 0 for closed; nil when it did not answer.
        var sharedOpenUntil: Int64?
        /// What all processes have seen; nil when Redis did not answer.
        var sharedHealth: Bool?
    }

    let maxInFlight: Int
    let gates: [ProviderKey: InFlightGate]
    private let states: [ProviderKey: Lock<State>]
    private let board: @Sendable () -> ProviderBoard?
    private let lease: Duration
    private let keeper: PlaceKeeper
    private let boardSilentUntil = Lock<Int64>(0)

    /// - Parameters:
    ///   - lease: how long a place among all processes lasts when nobody renews it.
    ///   - board: what is shared; nil when there is no Redis, or it is not known yet.
    package init(
        maxInFlight: Int, lease: Duration = PlaceKeeper.lease, board: @escaping @Sendable () -> ProviderBoard? = { nil }
    ) {
        self.maxInFlight = maxInFlight
        self.lease = lease
        self.board = board
        keeper = PlaceKeeper(lease: lease)
        let keys = ProviderKey.allCases
        gates = Dictionary(uniqueKeysWithValues: keys.map { ($0, InFlightGate(capacity: maxInFlight)) })
        states = Dictionary(
            uniqueKeysWithValues: keys.map { ($0, Lock(State(breaker: BreakerState(.init(for: $0))))) })
    }

    /// What may happen to a call now.
    enum Entry {
        /// With the board's place, when it gave one.
        case admitted(ProviderBoard?)
        case open(retryAfter: Duration)
        case paused(Duration)
        case full
    }

    /// Asks to make a call; every call that is admitted is followed by one ``leave(_:_:call:result:pause:)``.
    /// - Parameter loop: where the place is renewed from.
    func enter(_ provider: ProviderKey, call: String, on loop: EventLoop) async -> Entry {
        let now = MonotonicTime.now()
        let paused = state(of: provider) { $0.pausedUntil - now } ?? 0
        guard paused <= 0 else { return .paused(.nanoseconds(paused)) }
        if let board = reachableBoard(now) {
            if let entry = await board.enter(provider.rawValue, call: call, rules: rules(for: provider)) {
                if case .admitted = entry { keep(call, of: provider, on: loop) }
                return take(entry, of: provider, on: board)
            }
            fellSilent()
        }
        let admission = state(of: provider) { state in
            state.sharedOpenUntil = nil
            state.sharedHealth = nil
            return state.breaker.admit(now: MonotonicTime.now())
        }
        if case .refused(let retryAfter)? = admission { return .open(retryAfter: retryAfter) }
        return .admitted(nil)
    }

    /// - Parameter pause: how long the provider asked to be left alone.
    /// - Returns: whether the breaker opened with this result.
    func leave(
        _ provider: ProviderKey, _ place: ProviderBoard?, call: String, result: BreakerState.Result, pause: Duration
    ) async -> Bool {
        let now = MonotonicTime.now()
        let opened = state(of: provider) { state in
            if result != .neither { state.health.record(succeeded: result == .succeeded) }
            if pause > .zero { state.pausedUntil = max(state.pausedUntil, now + pause.wholeNanoseconds) }
            return state.breaker.record(result, now: now)
        }
        guard let place else { return opened ?? false }
        keeper.drop(call, of: provider)
        let shared: ProviderBoard.Result =
            switch result {
            case .succeeded: .succeeded
            case .failed: .failed
            case .neither: .neither
            }
        let standing = await place.leave(
            provider.rawValue, call: call, rules: rules(for: provider), result: shared,
            pauseMilliseconds: pause.milliseconds)
        guard let standing else {
            fellSilent()
            state(of: provider) { $0.sharedHealth = nil }
            return opened ?? false
        }
        state(of: provider) { $0.sharedHealth = standing.isHealthy }
        note(openMilliseconds: standing.openMilliseconds, of: provider)
        return standing.opened
    }

    private func keep(_ call: String, of provider: ProviderKey, on loop: EventLoop) {
        keeper.hold(call, of: provider, on: loop) { [self] provider, calls in
            await board()?.renew(provider.rawValue, calls: calls, rules: rules(for: provider))
        }
    }

    private func take(_ entry: ProviderBoard.Entry, of provider: ProviderKey, on board: ProviderBoard) -> Entry {
        switch entry {
        case .admitted(let isProbe):
            // Half open is what a breaker is whose time is over and whose probe is out.
            state(of: provider) { $0.sharedOpenUntil = isProbe ? 1 : 0 }
            return .admitted(board)
        case .open(let milliseconds):
            note(openMilliseconds: milliseconds, of: provider)
            return .open(retryAfter: .milliseconds(milliseconds))
        case .probing:
            state(of: provider) { $0.sharedOpenUntil = 1 }
            return .open(retryAfter: .seconds(1))
        case .paused(let milliseconds):
            return .paused(.milliseconds(milliseconds))
        case .full: return .full
        }
    }

    private func note(openMilliseconds: Int64, of provider: ProviderKey) {
        let until = openMilliseconds > 0 ? MonotonicTime.now() + openMilliseconds * 1_000_000 : 0
        state(of: provider) { $0.sharedOpenUntil = until }
    }

    private func reachableBoard(_ now: Int64) -> ProviderBoard? {
        guard boardSilentUntil.withLock({ $0 <= now }) else { return nil }
        return board()
    }

    private func fellSilent() {
        boardSilentUntil.withLock { $0 = MonotonicTime.now() + Self.silence.wholeNanoseconds }
    }

    private func rules(for provider: ProviderKey) -> ProviderBoard.Rules {
        let thresholds = BreakerState.Thresholds(for: provider)
        return ProviderBoard.Rules(
            failures: thresholds.failures, windowMilliseconds: thresholds.window.milliseconds,
            cooldownMilliseconds: thresholds.cooldown.milliseconds, maxInFlight: maxInFlight,
            leaseMilliseconds: lease.milliseconds, failuresToFall: AgentHealth.failuresToFall,
            successesToRise: AgentHealth.successesToRise)
    }

    @discardableResult
    private func state<Value: Sendable>(of provider: ProviderKey, _ body: (inout State) -> Value) -> Value? {
        states[provider]?.withLock { body(&$0) }
    }

    /// The shared breaker's state where Redis answered last, this process's own otherwise.
    package func phase(of provider: ProviderKey) -> BreakerState.Phase {
        let now = MonotonicTime.now()
        return state(of: provider) { state in
            guard let until = state.sharedOpenUntil else { return state.breaker.phase(now: now) }
            return until == 0 ? .closed : until > now ? .open : .halfOpen
        } ?? .closed
    }

    /// As all processes have seen it where Redis answered last, as this one has otherwise.
    package func isHealthy(_ provider: ProviderKey) -> Bool {
        state(of: provider) { $0.sharedHealth ?? $0.health.isHealthy } ?? true
    }

    /// How a provider stands by what this process knows, for when Redis does not say it.
    package func view(of provider: ProviderKey) -> ProviderBoard.View {
        let now = MonotonicTime.now()
        let known = state(of: provider) { state in
            (
                state.breaker.phase(now: now), state.breaker.openNanoseconds(now: now),
                state.breaker.failureCount(now: now),
                max(0, state.pausedUntil - now)
            )
        }
        guard let (phase, open, failures, pause) = known else {
            return ProviderBoard.View(
                openMilliseconds: 0, isHalfOpen: false, failures: 0, pauseMilliseconds: 0, inFlight: 0, isHealthy: true)
        }
        return ProviderBoard.View(
            openMilliseconds: phase == .open ? open / 1_000_000 : 0, isHalfOpen: phase == .halfOpen, failures: failures,
            pauseMilliseconds: pause / 1_000_000, inFlight: gates[provider]?.inFlight ?? 0,
            isHealthy: isHealthy(provider))
    }

    /// Exports each provider's breaker state, and shows the counts of its calls before the first one. `providers` are
    /// those that are configured.
    package func register(on metrics: Metrics, providers: [ProviderKey]) {
        for agent in providers.map(\.rawValue) {
            for status in ["success", "error"] { metrics.add(.agentCalls, [agent, status], by: 0) }
            for direction in ["input", "output"] { metrics.add(.agentTokens, [agent, direction], by: 0) }
            metrics.add(.agentCost, [agent], by: 0)
        }
        metrics.onScrape { [self] metrics in
            for provider in providers {
                let phase = phase(of: provider)
                for state in BreakerState.Phase.allCases {
                    metrics.set(.breakerState, [provider.rawValue, state.rawValue], to: state == phase ? 1 : 0)
                }
                metrics.set(.agentHealthy, [provider.rawValue], to: isHealthy(provider) ? 1 : 0)
            }
        }
    }
}
