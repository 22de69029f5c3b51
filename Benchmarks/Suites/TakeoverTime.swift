import Domain
import Glibc
import PostgresClient
import Sockets

/// From the end of a worker to the commit by which another one holds its debates.
struct TakeoverTime: Benchmark {
    static let name = "takeover"
    static let about = "SIGKILL or SIGSTOP of a worker to the commit of the new claims"

    private static let debatesEach = 3
    private static let deadline = Duration.seconds(30)
    /// Sweeps must have gone well for 2 s before a runner adopts (design §2.2).
    private static let settling = Duration.milliseconds(2600)

    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        try await BenchServices.with(bench) { services in
            let (api, port) = try await services.startAPI()
            let client = DebateClient(loop: bench.loop, apiPort: port)
            let (killed, frozen) = try await services.database.withPool(on: bench.loop, size: 2) { pool in
                var scene = Scene(services: services, pool: pool, client: client)
                let killed = try await scene.repeated(bench.options.isQuick ? 4 : 20, SIGKILL)
                let frozen = try await scene.repeated(bench.options.isQuick ? 2 : 20, SIGSTOP)
                await scene.stop()
                return (killed, frozen)
            }
            await client.close()
            await api.stop(on: bench.loop)
            return [
                Figure("takeover p50, killed", killed.percentile(50), "ms").with { $0.aim = .atMost(1500) },
                Figure("takeover p99, killed", killed.percentile(99), "ms").with {
                    $0.aim = .atMost(3000)
                    $0.note = "\(killed.count) debates, of workers ended by SIGKILL"
                },
                Figure("takeover p50, frozen", frozen.percentile(50), "ms"),
                Figure("takeover p99, frozen", frozen.percentile(99), "ms").with {
                    $0.aim = .atMost(5000)
                    $0.note = "\(frozen.count) debates, of workers stopped by SIGSTOP; the lease is 4 s"
                },
            ]
        }
    }

    /// Two workers, one of which is about to end.
    private struct Scene {
        let services: BenchServices
        let pool: PGPool
        let client: DebateClient
        var workers: [(service: Service, runner: String)] = []
        var number = 0

        init(services: BenchServices, pool: PGPool, client: DebateClient) {
            self.services = services
            self.pool = pool
            self.client = client
        }

        var loop: EventLoop { services.bench.loop }

        mutating func repeated(_ times: Int, _ signal: Int32) async throws -> [Double] {
            var all: [Double] = []
            for _ in 0..<times { all += try await once(signal) }
            return all
        }

        private mutating func once(_ signal: Int32) async throws -> [Double] {
            while workers.count < 2 { try await addWorker() }
            for _ in 0..<Self.debates { _ = try await client.create() }
            try await loop.sleep(for: TakeoverTime.settling)
            let owned = try await ownership()
            guard
                let victim = workers.indices.max(by: {
                    owned[workers[$0].runner, default: []].count < owned[workers[$1].runner, default: []].count
                }),
                let debates = owned[workers[victim].runner], !debates.isEmpty
            else { throw BenchFailure("no worker holds a debate: \(workers[0].service.child.logTail)") }
            let began = MonotonicTime.now()
            workers[victim].service.child.send(signal)
            let times = try await waitUntilTaken(debates, from: workers[victim].runner, since: began)
            let gone = workers.remove(at: victim)
            gone.service.child.send(SIGKILL)
            while !gone.service.child.hasEnded() { try await loop.sleep(for: .milliseconds(5)) }
            return times
        }

        private static let debates = 2 * TakeoverTime.debatesEach

        private mutating func addWorker() async throws {
            let before = try await runners()
            number += 1
            let service = try await services.start(
                "aragora-debate-worker", as: "worker-\(number)",
                [
                    "WORKER_CONCURRENCY": "100", "ARAGORA_DEMO_LATENCY_MS": "1500", "WORKER_MAX_ATTEMPTS": "100",
                    "ARAGORA_EVENT_LOOPS": "1",
                ])
            for _ in 0..<500 {
                if let runner = try await runners().subtracting(before).first {
                    return workers.append((service, runner))
                }
                try await loop.sleep(for: .milliseconds(10))
            }
            throw BenchFailure("the worker did not register: \(service.child.logTail)")
        }

        func stop() async {
            for worker in workers { worker.service.child.send(SIGKILL) }
            for worker in workers { await worker.service.stop(on: loop) }
        }

        private func runners() async throws -> Set<String> {
            Set(try await pool.query("SELECT id FROM runners").map { try $0.text("id") })
        }

        private func ownership() async throws -> [String: Set<String>] {
            let rows = try await pool.query(
                "SELECT debate_id, lease_owner FROM debate_runs WHERE lease_owner IS NOT NULL AND status = 'running'")
            return try rows.reduce(into: [:]) {
                $0[try $1.text("lease_owner"), default: []].insert(try $1.text("debate_id"))
            }
        }

        /// Milliseconds until each debate has another owner; asked of Postgres every few milliseconds.
        private func waitUntilTaken(_ debates: Set<String>, from runner: String, since began: Int64) async throws
            -> [Double]
        {
            var left = debates
            var times: [Double] = []
            while !left.isEmpty {
                let still = try await ownership()[runner, default: []]
                let now = Double(MonotonicTime.now() - began) / 1e6
                for debate in left where !still.contains(debate) {
                    left.remove(debate)
                    times.append(now)
                }
                guard now < TakeoverTime.deadline.seconds * 1e3 else {
                    throw BenchFailure("\(left.count) debates were not taken over")
                }
                if !left.isEmpty { try await loop.sleep(for: .milliseconds(4)) }
            }
            return times
        }
    }
}
