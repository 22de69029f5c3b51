import Domain
import HTTPClient
import Messaging
import Platform
import RedisClient
import Sockets

/// A gateway is killed under ten thousand viewers of a hundred debates; all come back to its successor at once, each from
/// where it was.
struct ReconnectStorm: Benchmark {
    static let name = "reconnect"
    static let about = "10,000 viewers reconnect at once: time until all are served, Postgres queries a debate"

    private static let clients = 10_000
    private static let debates = 100
    private static let events = 20
    /// What each has seen when the gateway dies.
    private static let seen = 12

    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        let clients = min(bench.options.isQuick ? 2000 : Self.clients, Limits.descriptors - 1000)
        var rounds: [(seconds: Double, queries: Double)] = []
        for _ in 0..<bench.options.rounds { rounds.append(try await storm(clients, bench)) }
        return [
            Figure("until \(clients) viewers are served again", medianOf: rounds.map(\.seconds), "s").with {
                $0.aim = .atMost(10)
                $0.note =
                    "from the first connection after SIGKILL and restart to the last replay, one gateway, one loop"
            },
            Figure("Postgres queries of the gateway for each debate meanwhile", medianOf: rounds.map(\.queries), "")
                .with {
                    $0.aim = .atMost(1)
                    $0.note =
                        "\(Self.debates) debates; all its queries from its start to the last replay, its own polls included"
                },
        ]
    }

    private func storm(_ clients: Int, _ bench: Bench) async throws -> (Double, Double) {
        try await BenchServices.with(bench) { services in
            try await BenchLog.withRunner(services.database, on: bench.loop) { runner in
                try await services.database.withPool(on: bench.loop, size: 2) { pool in
                    let redis = RedisConnection(loop: bench.loop, configuration: try bench.stores.redis())
                    try await redis.connect()
                    let stream = EventStream(
                        connection: redis, keyspace: try await AragoraFanOut.keyspace(prefix: services.prefix, pool))
                    var targets: [String] = []
                    for _ in 0..<Self.debates {
                        var log = try await BenchLog.make(pool, runner: runner)
                        let first = log.tail.seq
                        let events = try await log.append(Self.events, bytes: 200)
                        // The first event was written with the debate; a publisher would have brought it.
                        _ = try? await stream.publish(
                            log.debate, events.map { AragoraFanOut.entry($0, log.debate) }, timeout: .seconds(5))
                        targets.append(
                            "/ws?debate_id=\(log.debate)&replay_from_seq=\(first + Int64(Self.seen))&token=\(BenchServices.token)"
                        )
                    }
                    let result = try await storm(clients, targets, services, bench)
                    await redis.close()
                    return result
                }
            }
        }
    }

    private func storm(
        _ clients: Int, _ targets: [String], _ services: BenchServices, _ bench: Bench
    ) async throws -> (Double, Double) {
        let settings = ["ARAGORA_EVENT_LOOPS": "1"]
        let (first, port) = try await services.startGateway(settings, processor: bench.serverProcessor)
        let crowds = try await connect(clients, targets, port, bench)
        first.child.send(9)
        for crowd in crowds { crowd.close() }
        await first.stop(on: bench.loop)
        let (second, newPort) = try await services.startGateway(settings, processor: bench.serverProcessor)
        let began = MonotonicTime.now()
        let again = try await connect(clients, targets, newPort, bench)
        let seconds = Double(MonotonicTime.now() - began) / 1e9
        let queries = try await Self.queries(of: second, bench)
        for crowd in again { crowd.close() }
        await second.stop(on: bench.loop)
        return (seconds, queries / Double(targets.count))
    }

    /// Everybody at once, in as many lanes as there are debates.
    private func connect(
        _ clients: Int, _ targets: [String], _ port: UInt16, _ bench: Bench
    ) async throws -> [ViewerCrowd] {
        try await withThrowingTaskGroup(of: ViewerCrowd.self) { group in
            for (place, target) in targets.enumerated() {
                let share = clients / targets.count + (place < clients % targets.count ? 1 : 0)
                group.addTask {
                    try await .connect(share, on: bench.clientLoops, port: port, target: target, dialect: .aragora)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// What the gateway itself has counted.
    private static func queries(of gateway: Service, _ bench: Bench) async throws -> Double {
        let client = HTTPClient(loop: bench.loop)
        let reply = try await client.send(
            HTTPClientRequest(url: "http://127.0.0.1:\(gateway.metricsPort)/metrics"),
            deadlines: Deadlines(total: .seconds(5)))
        await client.close()
        var sum: Double?
        for line in String(decoding: reply.body, as: UTF8.self).split(separator: "\n")
        where line.hasPrefix("\(MetricName.postgresQueries.name){") {
            sum = (sum ?? 0) + (line.split(separator: " ").last.flatMap { Double($0) } ?? 0)
        }
        guard let sum else { throw BenchFailure("the gateway shows no count of its queries") }
        return sum
    }
}
