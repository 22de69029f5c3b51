package import Domain
package import Platform
import Sockets

/// Breakers and in-flight caps of all providers. One per process, shared by its loops.
package final class ProviderLimits: Sendable {
    let gates: [ProviderKey: InFlightGate]
    private let breakers: [ProviderKey: Lock<BreakerState>]

    package init(maxInFlight: Int) {
        let keys = ProviderKey.allCases
        gates = Dictionary(uniqueKeysWithValues: keys.map { ($0, InFlightGate(capacity: maxInFlight)) })
        breakers = Dictionary(
            uniqueKeysWithValues: keys.map { ($0, Lock(BreakerState(BreakerState.Thresholds(for: $0)))) })
    }

    func admit(_ provider: ProviderKey) -> BreakerState.Admission {
        breakers[provider]?.withLock { $0.admit(now: MonotonicTime.now()) } ?? .allowed
    }

    /// - Returns: whether the breaker opened with this result.
    func record(_ provider: ProviderKey, _ result: BreakerState.Result) -> Bool {
        breakers[provider]?.withLock { $0.record(result, now: MonotonicTime.now()) } ?? false
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
                let phase = breakers[provider]?.withLock { $0.phase(now: MonotonicTime.now()) } ?? .closed
                for state in BreakerState.Phase.allCases {
                    metrics.set(.breakerState, [provider.rawValue, state.rawValue], to: state == phase ? 1 : 0)
                }
            }
        }
    }
}
