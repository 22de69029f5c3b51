import Domain
import Glibc
import PostgresClient
import Sockets

/// Appends to the event log, straight through Storage: what one commit of a phase costs.
struct EventLogAppend: Benchmark {
    static let name = "append"
    static let about = "rate and latency of fenced appends to the event log"

    private static let contentBytes = 400
    /// Debates that append at once, each waiting for its own commit; events of one append.
    private static let shapes = [
        (writers: 1, events: 1), (writers: 8, events: 1), (writers: 32, events: 1), (writers: 32, events: 6),
    ]

    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        try await BenchDatabase.with(bench) { database in
            try await BenchLog.withRunner(database, on: bench.loop) { runner in
                try await database.withPool(on: bench.loop, size: 16) { pool in
                    var figures: [Figure] = []
                    for shape in Self.shapes { figures += try await measure(shape, pool, runner, bench) }
                    return figures
                }
            }
        }
    }

    private func measure(
        _ shape: (writers: Int, events: Int), _ pool: PGPool, _ runner: RunnerID, _ bench: Bench
    ) async throws -> [Figure] {
        let fsync = try await bench.stores.measureFsync()
        let rounds = try await bench.alternate([{ try await round(shape, pool, runner, bench) }])[0]
        let name = "\(shape.writers) writers × \(shape.events) events"
        let all = rounds.flatMap(\.latencies)
        return [
            Figure("appends, \(name)", medianOf: rounds.map(\.rate), "1/s").with { $0.fsyncsPerSecond = fsync },
            Figure("append p50, \(name)", all.percentile(50), "ms").with { $0.fsyncsPerSecond = fsync },
            Figure("append p99, \(name)", all.percentile(99), "ms").with { $0.fsyncsPerSecond = fsync },
            Figure("CPU per append in this process, \(name)", medianOf: rounds.map(\.ownMicroseconds), "µs"),
            Figure("CPU per append in Postgres, \(name)", medianOf: rounds.map(\.postgresMicroseconds), "µs"),
        ]
    }

    private struct Round: Sendable {
        let rate: Double
        let latencies: [Double]
        let ownMicroseconds: Double
        let postgresMicroseconds: Double
    }

    private func round(
        _ shape: (writers: Int, events: Int), _ pool: PGPool, _ runner: RunnerID, _ bench: Bench
    ) async throws -> Round {
        var logs: [BenchLog] = []
        for _ in 0..<shape.writers { logs.append(try await BenchLog.make(pool, runner: runner)) }
        let (own, postgres) = (
            ProcessSample.cpu(of: getpid()), ProcessSample.cpuWithChildren(of: bench.stores.postgresPID)
        )
        let began = MonotonicTime.now()
        let end = began + Int64(bench.options.seconds(4) * 1e9)
        let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
            for log in logs {
                group.addTask(executorPreference: bench.loop) { try await Self.write(log, shape.events, until: end) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let seconds = Double(MonotonicTime.now() - began) / 1e9
        let count = Double(latencies.count)
        return Round(
            rate: count / seconds, latencies: latencies,
            ownMicroseconds: (ProcessSample.cpu(of: getpid()) - own) / count * 1e6,
            postgresMicroseconds: (ProcessSample.cpuWithChildren(of: bench.stores.postgresPID) - postgres) / count * 1e6
        )
    }

    private static func write(_ log: BenchLog, _ events: Int, until end: Int64) async throws -> [Double] {
        var log = log
        var latencies: [Double] = []
        while true {
            let began = MonotonicTime.now()
            guard began < end else { return latencies }
            _ = try await log.append(events, bytes: contentBytes)
            latencies.append(Double(MonotonicTime.now() - began) / 1e6)
        }
    }
}
