import Platform
import Sockets
import Testing

@testable import ServiceKit
@testable import Storage
@testable import aragora_api

@Suite("Service levels")
struct ServiceLevelTests {
    private static let second: Int64 = 1_000_000_000

    private static func settings(_ values: [String: String] = [:]) -> (ServiceLevelSettings, [String]) {
        var reader = SettingsReader(lookup: { values[$0] })
        let settings = ServiceLevelSettings(reading: &reader)
        return (settings, reader.problems)
    }

    @Test("an empty window keeps the promise, spends nothing and burns nothing")
    func empty() {
        let level = ServiceLevel(allowed: 0.001, recent: .init(failed: 0, all: 0), period: .init(failed: 0, all: 0))
        #expect(level.isMet && level.burnRate == 0 && level.budgetRemaining == 1)
    }

    @Test(
        "the burn rate is the share that failed by the share that may, the budget what is left of that share",
        arguments: [
            // failed, all, target, burn, budget left, met
            (0, 1000, 0.999, 0.0, 1.0, true), (1, 1000, 0.999, 1.0, 0.0, true), (2, 1000, 0.999, 2.0, 0.0, false),
            (1, 2000, 0.999, 0.5, 0.5, true), (144, 10_000, 0.999, 14.4, 0.0, false), (1, 40, 0.95, 0.5, 0.5, true),
            (5, 5, 0.95, 20.0, 0.0, false),
        ])
    func textbook(failed: Int, all: Int, target: Double, burn: Double, left: Double, isMet: Bool) {
        let share = ServiceLevel.Share(failed: failed, all: all)
        let level = ServiceLevel(allowed: 1 - target, recent: share, period: share)
        #expect(abs(level.burnRate - burn) < 1e-9 && abs(level.budgetRemaining - left) < 1e-9)
        #expect(level.isMet == isMet)
    }

    @Test("the gauges say how each of the four objectives stands")
    func gauges() {
        let metrics = Metrics()
        let settings = Self.settings().0
        let requests = RequestMetrics(metrics: metrics, objective: settings.requests)
        let levels = ServiceLevels(settings, requests: requests, metrics: metrics)
        let now = MonotonicTime.now()
        _ = metrics.render()
        for name in SLOName.allCases {
            #expect(metrics.value(.sloCompliance, [name.rawValue]) == 1)
            #expect(metrics.value(.sloBudget, [name.rawValue]) == 1)
            #expect(metrics.value(.sloBurnRate, [name.rawValue]) == 0)
        }
        for index in 0..<200 {
            requests.answered(
                method: "GET", template: "/api/debates", status: index == 0 ? 500 : index < 20 ? 501 : 200,
                took: index < 4 ? 600_000_000 : 1_000_000, now: now)
        }
        for _ in 0..<99 { levels.looked(answers: true, now: now) }
        levels.looked(answers: false, now: now)
        levels.counted(.init(completed: 97, agreed: 40, failed: 3))
        _ = metrics.render()
        func value(_ metric: MetricName, _ name: SLOName) -> Double { metrics.value(metric, [name.rawValue]) }
        #expect(value(.sloCompliance, .availability) == 0 && abs(value(.sloBurnRate, .availability) - 5) < 1e-9)
        #expect(value(.sloCompliance, .latency) == 0 && abs(value(.sloBurnRate, .latency) - 2) < 1e-9)
        #expect(value(.sloCompliance, .debateSuccess) == 1 && abs(value(.sloBurnRate, .debateSuccess) - 0.6) < 1e-9)
        #expect(abs(value(.sloBudget, .debateSuccess) - 0.4) < 1e-9)
        #expect(value(.sloCompliance, .database) == 0 && abs(value(.sloBurnRate, .database) - 10) < 1e-9)
        levels.looked(answers: true, now: now)
        _ = metrics.render()
        #expect(value(.sloCompliance, .database) == 1, "Postgres answers again")
    }

    @Test("targets are settings, and what can not be a target is refused")
    func targets() {
        let (settings, problems) = Self.settings([
            "SLO_AVAILABILITY_TARGET": "0.99", "SLO_LATENCY_P99_TARGET_MS": "250", "SLO_DEBATE_SUCCESS_TARGET": "0.9",
        ])
        #expect(problems.isEmpty)
        #expect(
            settings.availability == 0.99 && settings.latency == .milliseconds(250) && settings.debateSuccess == 0.9)
        for text in ["99.9", "1", "0", "high", "nan"] {
            #expect(Self.settings(["SLO_AVAILABILITY_TARGET": text]).1.count == 1, "\(text)")
        }
    }
}
