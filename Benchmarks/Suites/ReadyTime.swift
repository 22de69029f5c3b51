import Sockets

/// How long each executable takes from its start to a 200 on /readyz, and what it holds in memory when idle.
struct ReadyTime: Benchmark {
    static let name = "ready"
    static let about = "ready after start, and idle memory, of each executable"

    private static let settling = Duration.seconds(2)

    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        try await BenchServices.with(bench) { services in
            var figures: [Figure] = []
            for product in ["aragora-api", "aragora-ws-gateway", "aragora-debate-worker", "aragora-backup"] {
                do {
                    figures += try await measure(product, services, bench)
                } catch let error as Skipped {
                    bench.say("\(product): \(error)")
                } catch let error as BenchFailure {
                    bench.say("\(product): \(error)")
                }
            }
            guard !figures.isEmpty else { throw BenchFailure("no executable became ready") }
            return figures
        }
    }

    private func measure(_ product: String, _ services: BenchServices, _ bench: Bench) async throws -> [Figure] {
        var times: [Double] = []
        var memory: [Double] = []
        for round in 0...bench.options.rounds {
            let began = MonotonicTime.now()
            let service = try await services.start(
                product,
                [
                    "ARAGORA_PORT": String(try Ports.free()), "ARAGORA_WS_PORT": String(try Ports.free()),
                    "ARAGORA_BACKUP_DIR": "\(services.folder)/backups",
                ])
            let took = Double(MonotonicTime.now() - began) / 1e6
            try await bench.loop.sleep(for: Self.settling)
            // The first start reads the executable from the disk.
            if round > 0 {
                times.append(took)
                memory.append(ProcessSample.residentBytes(of: service.child.pid) / 1_048_576)
            }
            await service.stop(on: bench.loop)
        }
        return [
            Figure("\(product) ready", medianOf: times, "ms").with { $0.aim = .atMost(1000) },
            Figure("\(product) idle memory", medianOf: memory, "MB").with {
                $0.aim = .atMost(40)
                $0.note = "resident, \(Self.settling.seconds) s after ready"
            },
        ]
    }
}
