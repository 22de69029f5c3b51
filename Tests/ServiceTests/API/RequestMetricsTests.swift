import HTTP
import Platform
import Sockets
import Testing

@testable import ServiceKit
@testable import aragora_api

@Suite("Request metrics")
struct RequestMetricsTests {
    private static let second: Int64 = 1_000_000_000

    private func answer(
        _ requests: RequestMetrics, _ count: Int = 1, status: Int = 200, milliseconds: Int64 = 1,
        template: String = "/api/debates", at second: Int64
    ) {
        for _ in 0..<count {
            requests.answered(
                method: "GET", template: template, status: status, took: milliseconds * 1_000_000,
                now: second * Self.second)
        }
    }

    private func objective() -> RequestMetrics.Objective {
        var reader = SettingsReader(lookup: { _ in nil })
        return ServiceLevelSettings(reading: &reader).requests
    }

    @Test("are recorded once and shown by route, method and status, scrape after scrape")
    func counts() {
        let metrics = Metrics()
        let requests = RequestMetrics(metrics: metrics)
        answer(requests, 3, at: 1)
        answer(requests, status: 404, milliseconds: 30, at: 2)
        _ = metrics.render()
        answer(requests, 2, at: 3)
        let text = metrics.render()
        for name in ["aragora_requests_total", "aragora_http_requests_total"] {
            #expect(text.contains(#"\#(name){method="GET",handler="/api/debates",status="200"} 5"# + "\n"))
            #expect(text.contains(#"\#(name){method="GET",handler="/api/debates",status="404"} 1"# + "\n"))
        }
        for name in ["aragora_request_latency_seconds", "aragora_http_request_duration_seconds"] {
            #expect(text.contains(#"\#(name)_bucket{method="GET",handler="/api/debates",le="0.001"} 5"# + "\n"))
            #expect(text.contains(#"\#(name)_bucket{method="GET",handler="/api/debates",le="0.05"} 6"# + "\n"))
            #expect(text.contains(#"\#(name)_count{method="GET",handler="/api/debates"} 6"# + "\n"))
        }
    }

    @Test("the rate is that of the ten seconds before the present one")
    func rate() {
        let metrics = Metrics()
        let requests = RequestMetrics(metrics: metrics)
        answer(requests, 1000, at: 9)
        for second in 10..<20 { answer(requests, 7, at: Int64(second)) }
        answer(requests, 1000, at: 20)
        requests.flush(to: metrics, now: 20 * Self.second + 1)
        #expect(metrics.value(.requestRate) == 7)
        requests.flush(to: metrics, now: 60 * Self.second)
        #expect(metrics.value(.requestRate) == 0)
    }

    @Test("a level sees 5xx as failed and what is slower than the target as slow, over five minutes and the period")
    func levels() {
        let requests = RequestMetrics(metrics: Metrics(), objective: objective())
        answer(requests, 10, at: 1000)
        answer(requests, status: 503, at: 1000)
        answer(requests, status: 404, at: 1000)
        answer(requests, milliseconds: 500, at: 1000)
        answer(requests, milliseconds: 501, at: 1000)
        let now = requests.levels(now: 1000 * Self.second)
        #expect(now.recent == .init(all: 14, failed: 1, slow: 1) && now.period == now.recent)
        let later = requests.levels(now: 1301 * Self.second)
        #expect(later.recent == .init() && later.period.all == 14)
        #expect(requests.levels(now: (1000 + 31 * 86_400) * Self.second).period == .init())
    }

    @Test(
        "probes, scrapes and paths that no route has are no part of a level",
        arguments: ["/healthz", "/readyz", "/metrics", "/api/health", "/api/ready", "/api/status", "/ws", "unmatched"])
    func uncovered(template: String) {
        let requests = RequestMetrics(metrics: Metrics(), objective: objective())
        answer(requests, status: 500, template: template, at: 5)
        #expect(requests.levels(now: 5 * Self.second).recent == .init())
    }
}
