import Domain
import Glibc
import Platform
import PostgresClient
import Sockets

/// Whole debates a second: created over HTTP, run by two workers, watched to the end by a viewer that checks the chain.
struct WholeDebates: Benchmark {
    static let name = "debates"
    static let about = "whole debates per second, 3 demo agents, 3 rounds, one verifying viewer each"

    /// Debates under way at once in the closed loop.
    private static let concurrency = 64
    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        try await BenchServices.with(bench) { services in
            let fsync = try await bench.stores.measureFsync()
            let stack = try await Stack.start(services)
            let closed = try await bench.alternate([{ try await closedRound(stack, bench) }])[0]
            var figures = summary(closed, fsync)
            figures += try await shape(services, bench)
            await stack.stop(on: bench.loop)
            return figures
        }
    }

    // MARK: The stack

    struct Stack: Sendable {
        let api: Service
        let gateway: Service
        let workers: [Service]
        let clients: [DebateClient]

        static func start(_ services: BenchServices) async throws -> Stack {
            let (api, apiPort) = try await services.startAPI(["ARAGORA_EVENT_LOOPS": "1"])
            let (gateway, gatewayPort) = try await services.startGateway(["ARAGORA_EVENT_LOOPS": "1"])
            var workers: [Service] = []
            for number in 1...2 {
                workers.append(
                    try await services.start(
                        "aragora-debate-worker", as: "worker-\(number)",
                        ["ARAGORA_EVENT_LOOPS": "1", "WORKER_CONCURRENCY": "32"]))
            }
            let clients = services.bench.clientLoops.map {
                DebateClient(loop: $0, apiPort: apiPort, gatewayPort: gatewayPort)
            }
            return Stack(api: api, gateway: gateway, workers: workers, clients: clients)
        }

        func stop(on loop: EventLoop) async {
            for client in clients { await client.close() }
            for service in workers + [gateway, api] { await service.stop(on: loop) }
        }

        /// CPU seconds so far, by process.
        func cpu(_ bench: Bench) -> [(name: String, seconds: Double)] {
            [
                ("api", ProcessSample.cpu(of: api.child.pid)), ("gateway", ProcessSample.cpu(of: gateway.child.pid)),
                ("workers", workers.map { ProcessSample.cpu(of: $0.child.pid) }.reduce(0, +)),
                ("postgres", ProcessSample.cpuWithChildren(of: bench.stores.postgresPID)),
                ("redis", ProcessSample.cpu(of: bench.stores.redisPID)), ("viewers", ProcessSample.cpu(of: getpid())),
            ]
        }
    }

    // MARK: Closed loop

    private struct Round: Sendable {
        let rate: Double
        let latencies: [Double]
        let events: [Int]
        let cpu: [(name: String, milliseconds: Double)]
    }

    private func closedRound(_ stack: Stack, _ bench: Bench) async throws -> Round {
        let before = stack.cpu(bench)
        let began = MonotonicTime.now()
        let end = began + Int64(bench.options.seconds(12) * 1e9)
        let results = try await withThrowingTaskGroup(of: [(latency: Double, events: Int)].self) { group in
            for index in 0..<Self.concurrency {
                let client = stack.clients[index % stack.clients.count]
                group.addTask(executorPreference: client.loop) { try await Self.oneAfterAnother(client, until: end) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let seconds = Double(MonotonicTime.now() - began) / 1e9
        let count = Double(results.count)
        let cpu = zip(before, stack.cpu(bench)).map {
            (name: $0.name, milliseconds: ($1.seconds - $0.seconds) / count * 1e3)
        }
        let parts = cpu.map { "\($0.name) \(NumberText.short($0.milliseconds))" }.joined(separator: ", ")
        bench.say(
            "closed: \(NumberText.short(count / seconds)) debates/s, \(results.count) debates; ms of CPU: \(parts)")
        return Round(rate: count / seconds, latencies: results.map(\.latency), events: results.map(\.events), cpu: cpu)
    }

    private static func oneAfterAnother(_ client: DebateClient, until end: Int64) async throws -> [(
        latency: Double, events: Int
    )] {
        var results: [(latency: Double, events: Int)] = []
        while true {
            let began = MonotonicTime.now()
            guard began < end else { return results }
            let events = try await client.watch(try await client.create())
            results.append((Double(MonotonicTime.now() - began) / 1e6, events))
        }
    }

    private func summary(_ rounds: [Round], _ fsync: Double) -> [Figure] {
        let latencies = rounds.flatMap(\.latencies)
        var figures = [
            Figure("whole debates, closed loop of \(Self.concurrency)", medianOf: rounds.map(\.rate), "1/s").with {
                $0.aim = .atLeast(100)
                $0.fsyncsPerSecond = fsync
                $0.note = "\(latencies.count) debates, each verified by its viewer"
            },
            Figure("debate p50, closed loop", latencies.percentile(50), "ms").with { $0.fsyncsPerSecond = fsync },
            Figure("debate p99, closed loop", latencies.percentile(99), "ms").with { $0.fsyncsPerSecond = fsync },
            Figure("events per debate", medianOf: rounds.flatMap(\.events).map(Double.init), "").with {
                $0.rounds = []
            },
        ]
        for (index, part) in rounds[0].cpu.enumerated() {
            figures.append(
                Figure("CPU per debate, \(part.name)", medianOf: rounds.map { $0.cpu[index].milliseconds }, "ms"))
        }
        let total = rounds.map { $0.cpu.map(\.milliseconds).reduce(0, +) }
        figures.append(
            Figure("CPU per debate, all", medianOf: total, "ms").with {
                $0.note = "two processors have 2000 ms a second"
            })
        return figures
    }

    /// That the debates are what the aim speaks of.
    private func shape(_ services: BenchServices, _ bench: Bench) async throws -> [Figure] {
        try await services.database.withPool(on: bench.loop, size: 1) { pool in
            let rows = try await pool.query(
                """
                SELECT count(*)::float8 / greatest(1, count(DISTINCT debate_id)) AS calls,
                       count(*) FILTER (WHERE state <> 'answered') AS open FROM agent_calls
                """)
            let ended = try await pool.query(
                "SELECT count(*) AS n FROM debate_runs WHERE status <> 'completed'")
            return [
                Figure("calls per debate", try rows[0].double("calls"), ""),
                Figure("calls not answered", Double(try rows[0].int("open")), ""),
                Figure("debates not completed", Double(try ended[0].int("n")), ""),
            ]
        }
    }
}
