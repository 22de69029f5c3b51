/// How long a whole debate takes when so many are begun a second, whether or not the ones before are over.
struct WholeDebatesOpen: Benchmark {
    static let name = "debates-open"
    static let about = "how long whole debates take at 25, 50 and 100 begun a second"

    /// Debates begun a second.
    private static let rates = [25.0, 50.0, 100.0]

    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        try await BenchServices.with(bench) { services in
            let fsync = try await bench.stores.measureFsync()
            let stack = try await WholeDebates.Stack.start(services)
            var figures: [Figure] = []
            for rate in Self.rates { figures += try await round(rate, stack, bench, fsync) }
            await stack.stop(on: bench.loop)
            return figures
        }
    }

    private func round(_ rate: Double, _ stack: WholeDebates.Stack, _ bench: Bench, _ fsync: Double) async throws
        -> [Figure]
    {
        let result = try await OpenLoop.run(
            perSecond: rate, seconds: bench.options.seconds(20), on: bench.clientLoops
        ) { index in
            let client = stack.clients[index]
            _ = try await client.watch(try await client.create())
        }
        let achieved = Double(result.latencies.count) / result.seconds
        bench.say(
            "open at \(rate)/s: \(NumberText.short(achieved))/s, \(result.failures.count) failed \(result.failures.first ?? "")"
        )
        return [
            Figure("debates finished, open loop at \(NumberText.short(rate))/s", achieved, "1/s").with {
                $0.fsyncsPerSecond = fsync
            },
            Figure("debate p50, open loop at \(NumberText.short(rate))/s", result.latencies.percentile(50), "ms").with {
                $0.fsyncsPerSecond = fsync
            },
            Figure("debate p99, open loop at \(NumberText.short(rate))/s", result.latencies.percentile(99), "ms").with {
                $0.fsyncsPerSecond = fsync
                if !result.failures.isEmpty {
                    $0.note = "\(result.failures.count) not finished within \(DebateClient.patience.seconds) s"
                }
            },
        ]
    }
}
