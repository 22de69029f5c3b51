import Sockets

/// Memory of the gateway per WebSocket that only waits, against nginx with nchan.
struct IdleWebSockets: Benchmark {
    static let name = "idle-websockets"
    static let about = "memory per idle WebSocket"

    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        let most = (Limits.descriptors - 500) / 2
        let count = min(bench.options.isQuick ? 1000 : 5000, most)
        return [
            try await figure(bench, count, .aragora, "compression off"),
            try await figure(bench, count, .compressed, "compression on"),
        ]
    }

    private func figure(
        _ bench: Bench, _ count: Int, _ dialect: FrameCounter.Dialect, _ what: String
    ) async throws -> Figure {
        var watching: [Double] = []
        var rival: [Double] = []
        for round in 0...bench.options.rounds {
            let (ours, theirs) = try await FanOutStage.measuringMemory(bench, viewers: count, dialect)
            // The first round also pays for what is loaded once.
            if round > 0 { watching.append(ours) }
            if round > 0, let theirs { rival.append(theirs) }
        }
        return Figure("memory per idle viewer, \(what)", medianOf: watching, "KB").with {
            $0.aim = .atMost(4)
            if !rival.isEmpty { $0.rival = .init(name: "nginx+nchan", value: rival.median) }
            $0.note = "\(count) viewers of one debate, growth of resident memory of the process"
        }
    }
}

extension FanOutStage {
    /// Kilobytes that each of `viewers` idle viewers adds to our gateway, and to nginx with nchan.
    static func measuringMemory(
        _ bench: Bench, viewers: Int, _ dialect: FrameCounter.Dialect
    ) async throws -> (ours: Double, rival: Double?) {
        try await with(bench, viewers: 1, contentBytes: 200, dialect: dialect) { stage in
            var found: [Double] = []
            for party in stage.parties {
                // What was published by then has warmed up every path.
                try await party.server.publish(8, to: party.crowd)
                try await party.crowd.waitForAll(on: bench.loop)
                let before = ProcessSample.residentBytes(of: party.server.pid)
                let crowd = try await party.more(viewers, bench)
                try await bench.loop.sleep(for: .seconds(1))
                found.append((ProcessSample.residentBytes(of: party.server.pid) - before) / Double(viewers) / 1024)
                crowd.close()
            }
            return (found[0], found.count > 1 ? found[1] : nil)
        }
    }
}
