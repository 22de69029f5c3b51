import Domain
import Messaging
import Platform
import Providers
import ServiceKit

/// How each provider stands, for people: as all processes know it, or this one where Redis does not say.
struct ProviderStandings: Sendable {
    /// The limits of the runner in this process, once there is one.
    final class Local: Sendable {
        private let limits = Lock<ProviderLimits?>(nil)
        var current: ProviderLimits? { limits.withLock { $0 } }
        func set(_ new: ProviderLimits) { limits.withLock { $0 = new } }
    }

    struct Standing: Sendable {
        let provider: ProviderKey
        let view: ProviderBoard.View
        let thresholds: BreakerState.Thresholds
        var phase: BreakerState.Phase { view.openMilliseconds > 0 ? .open : view.isHalfOpen ? .halfOpen : .closed }
    }

    let board: @Sendable () -> ProviderBoard?
    let local: Local
    let providers: ProviderSettings

    /// Those that are configured.
    func all() async -> [Standing] {
        await of(ProviderKey.allCases.filter(providers.isConfigured))
    }

    func of(_ keys: [ProviderKey]) async -> [Standing] {
        let board = board()
        var standings: [Standing] = []
        for key in keys {
            let thresholds = BreakerState.Thresholds(for: key)
            let window = Int64(thresholds.window / .milliseconds(1))
            let view = await board?.view(key.rawValue, windowMilliseconds: window) ?? local.current?.view(of: key)
            standings.append(Standing(provider: key, view: view ?? Self.unknown, thresholds: thresholds))
        }
        return standings
    }

    /// Nobody has asked it anything yet.
    private static let unknown = ProviderBoard.View(
        openMilliseconds: 0, isHalfOpen: false, failures: 0, pauseMilliseconds: 0, inFlight: 0, isHealthy: true)
}
