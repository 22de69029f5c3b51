import Sockets

/// Ten thousand viewers at one gateway on one processor: how fast they come, what that costs, and how long one event takes
/// to all of them.
struct ManyConnections: Benchmark {
    static let name = "connections"
    static let about = "10,000 WebSockets at one process: connect rate, memory, one event to all"

    private static let count = 10_000
    private static let events = 20

    init() {}

    private struct Result {
        let perSecond: Double
        let perCPUSecond: Double
        let kilobytes: Double
        let toAll: [Double]
    }

    func measure(_ bench: Bench) async throws -> [Figure] {
        let count = min(bench.options.isQuick ? 2000 : Self.count, Limits.descriptors - 1000)
        var ours: [Result] = []
        var rival: [Result] = []
        for _ in 0..<bench.options.rounds {
            try await FanOutStage.with(bench, viewers: 1, contentBytes: 200) { stage in
                ours.append(try await measure(stage.parties[0], count, bench))
                for party in stage.parties.dropFirst() {
                    // The rival may have no room for so many; that is told, and ours still counts.
                    do { rival.append(try await measure(party, count, bench)) } catch {
                        bench.say("\(party.name) did not do it: \(error)")
                    }
                }
            }
        }
        func figure(_ name: String, _ unit: String, _ value: (Result) -> Double) -> Figure {
            Figure("\(name), \(count) viewers", medianOf: ours.map(value), unit).with {
                if !rival.isEmpty { $0.rival = .init(name: "nginx+nchan", value: rival.map(value).median) }
            }
        }
        return [
            figure("connections made and subscribed", "1/s") { $0.perSecond },
            figure("… per CPU second of the server", "1/s") { $0.perCPUSecond }.with {
                $0.note = "ours checks a token, subscribes, and replays"
            },
            figure("memory a connection", "KB") { $0.kilobytes }.with { $0.aim = .atMost(4) },
            figure("one event to the last of all, p50", "ms") { $0.toAll.percentile(50) },
            figure("one event to the last of all, p99", "ms") { $0.toAll.percentile(99) },
        ]
    }

    private func measure(_ party: FanOutStage.Party, _ count: Int, _ bench: Bench) async throws -> Result {
        let memory = ProcessSample.residentBytes(of: party.server.pid)
        let spent = ProcessSample.cpu(of: party.server.pid)
        let began = MonotonicTime.now()
        let crowd = try await party.more(count, bench)
        let seconds = Double(MonotonicTime.now() - began) / 1e9
        let cpu = max(0.01, ProcessSample.cpu(of: party.server.pid) - spent)
        try await bench.loop.sleep(for: .seconds(1))
        let kilobytes = (ProcessSample.residentBytes(of: party.server.pid) - memory) / Double(count) / 1024
        var toAll: [Double] = []
        for _ in 0..<Self.events {
            let published = MonotonicTime.now()
            try await party.server.publish(1, to: crowd)
            try await crowd.waitForAll(on: bench.loop)
            toAll.append(Double(MonotonicTime.now() - published) / 1e6)
        }
        crowd.close()
        return Result(
            perSecond: Double(count) / seconds, perCPUSecond: Double(count) / cpu, kilobytes: kilobytes, toAll: toAll)
    }
}
