import Contracts
import HTTPClient
import Messaging
import RedisClient
import Sockets

/// One debate, many viewers: deliveries per CPU second of the gateway, against nginx with nchan and the same Redis.
struct FanOut: Benchmark {
    static let name = "fanout"
    static let about = "WebSocket fan-out of one debate, from Redis publish to socket"

    private static let viewers = 1000
    private static let contentBytes = 200
    /// Events that come in one turn of the server's loop, in the closed loop.
    private static let bursts = [1, 8, 64]
    /// The rate at which the latency aim is meant.
    private static let deliveriesPerSecond = 25_000.0

    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        try await FanOutStage.with(bench, viewers: Self.viewers, contentBytes: Self.contentBytes) { stage in
            var figures = try await closed(stage, bench)
            figures += try await open(stage, bench)
            return figures
        }
    }

    private func closed(_ stage: FanOutStage, _ bench: Bench) async throws -> [Figure] {
        var figures: [Figure] = []
        for burst in Self.bursts {
            let results = try await bench.alternate(
                stage.parties.map { party in { try await throughput(party, burst, bench) } })
            let ours = results[0]
            let rival = results.count > 1 ? results[1] : []
            let what = "\(burst) \(burst == 1 ? "message" : "messages") a turn"
            figures += [
                Figure("deliveries per CPU second, \(what)", medianOf: ours.map(\.perCPUSecond), "1/s").with {
                    if !rival.isEmpty {
                        $0.rival = .init(name: "nginx+nchan", value: rival.map(\.perCPUSecond).median)
                        $0.aim = .ratioAtLeast(1.2)
                    }
                    $0.note = "\(Self.viewers) viewers, \(stage.messageBytes) bytes, CPU of the gateway alone"
                },
                Figure("deliveries, closed loop, \(what)", medianOf: ours.map(\.rate), "1/s").with {
                    if !rival.isEmpty { $0.rival = .init(name: "nginx+nchan", value: rival.map(\.rate).median) }
                },
            ]
        }
        return figures
    }

    private func throughput(
        _ party: FanOutStage.Party, _ burst: Int, _ bench: Bench
    ) async throws -> (perCPUSecond: Double, rate: Double) {
        let before = ProcessSample.cpu(of: party.server.pid)
        let began = MonotonicTime.now()
        let end = began + Int64(bench.options.seconds(4) * 1e9)
        var deliveries = 0
        while MonotonicTime.now() < end {
            try await party.server.publish(burst, to: party.crowd)
            try await party.crowd.waitForAll(on: bench.loop)
            deliveries += burst * party.crowd.count
        }
        _ = party.crowd.takeLatencies()
        let spent = max(0.01, ProcessSample.cpu(of: party.server.pid) - before)
        return (Double(deliveries) / spent, Double(deliveries) / (Double(MonotonicTime.now() - began) / 1e9))
    }

    private func open(_ stage: FanOutStage, _ bench: Bench) async throws -> [Figure] {
        let results = try await bench.alternate(stage.parties.map { party in { try await latencies(party, bench) } })
        return zip(stage.parties, results).flatMap { party, rounds -> [Figure] in
            let all = rounds.flatMap { $0 }
            let name = party.name
            return [
                Figure("delivery p50 at 25,000/s, \(name)", all.percentile(50), "ms"),
                Figure("delivery p99 at 25,000/s, \(name)", all.percentile(99), "ms").with {
                    if name == "gateway" { $0.aim = .atMost(50) }
                    $0.rounds = rounds.map { $0.percentile(99) }
                },
            ]
        }
    }

    private func latencies(_ party: FanOutStage.Party, _ bench: Bench) async throws -> [Double] {
        let rate = Self.deliveriesPerSecond / Double(Self.viewers)
        let began = MonotonicTime.now()
        for number in 0..<Int(bench.options.seconds(4) * rate) {
            let wait = began + Int64(Double(number) / rate * 1e9) - MonotonicTime.now()
            if wait > 0 { try await bench.loop.sleep(for: .nanoseconds(wait)) }
            try await party.server.publish(1, to: party.crowd)
        }
        try await party.crowd.waitForAll(on: bench.loop)
        return party.crowd.takeLatencies()
    }
}
