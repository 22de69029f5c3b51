import Platform
import ServiceKit
import Sockets
import Storage

/// Exports how the four objectives stand, as this replica sees them: its own requests, its own looks at Postgres, and
/// the debates of the whole installation.
final class ServiceLevels: Sendable {
    /// 99 of 100 requests have to be fast.
    static let slowAllowed = 0.01

    private struct State {
        var looks = (
            recent: RollingCounts(slot: .seconds(10), count: 30),
            period: RollingCounts(slot: .seconds(3600), count: 720)
        )
        var postgresAnswers = true
        var debates = ServiceLevel.Share(failed: 0, all: 0)
    }

    private let settings: ServiceLevelSettings
    private let requests: RequestMetrics
    private let state = Lock(State())

    init(_ settings: ServiceLevelSettings, requests: RequestMetrics, metrics: Metrics) {
        self.settings = settings
        self.requests = requests
        metrics.onScrape { [weak self] in self?.export(to: $0, now: MonotonicTime.now()) }
    }

    /// Postgres was asked, and answered or not.
    func looked(answers: Bool, now: Int64) {
        let counts = RollingCounts.Counts(all: 1, failed: answers ? 0 : 1)
        state.withLock { state in
            state.looks.recent.add(counts, at: now)
            state.looks.period.add(counts, at: now)
            state.postgresAnswers = answers
        }
    }

    /// What became of the debates that ended within the last hour.
    func counted(_ ends: InstallationCounts.Ends) {
        state.withLock { $0.debates = .init(failed: ends.failed, all: ends.completed + ends.failed) }
    }

    func levels(now: Int64) -> [SLOName: ServiceLevel] {
        let requests = requests.levels(now: now)
        let (recentLooks, periodLooks, debates) = state.withLock {
            ($0.looks.recent.sum(at: now), $0.looks.period.sum(at: now), $0.debates)
        }
        return [
            .availability: ServiceLevel(
                allowed: 1 - settings.availability, recent: .failed(requests.recent), period: .failed(requests.period)),
            .latency: ServiceLevel(
                allowed: Self.slowAllowed, recent: .slow(requests.recent), period: .slow(requests.period)),
            .debateSuccess: ServiceLevel(allowed: 1 - settings.debateSuccess, recent: debates, period: debates),
            .database: ServiceLevel(
                allowed: 1 - settings.availability, recent: .failed(recentLooks), period: .failed(periodLooks)),
        ]
    }

    private func export(to metrics: Metrics, now: Int64) {
        let postgresAnswers = state.withLock { $0.postgresAnswers }
        for (name, level) in levels(now: now) {
            // Whether Postgres is there is a question about now.
            let isMet = name == .database ? postgresAnswers : level.isMet
            metrics.set(.sloCompliance, [name.rawValue], to: isMet ? 1 : 0)
            metrics.set(.sloBurnRate, [name.rawValue], to: level.burnRate)
            metrics.set(.sloBudget, [name.rawValue], to: level.budgetRemaining)
        }
    }
}

extension ServiceLevel.Share {
    fileprivate static func failed(_ counts: RollingCounts.Counts) -> Self {
        .init(failed: counts.failed, all: counts.all)
    }
    fileprivate static func slow(_ counts: RollingCounts.Counts) -> Self { .init(failed: counts.slow, all: counts.all) }
}
