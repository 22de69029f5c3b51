import Glibc
import Simulation
import Sockets

/// The debate machine alone: debates of simulated agents, without stores, sockets or models.
struct SimulatedDebates: Benchmark {
    static let name = "machine"
    static let about = "debates of the machine alone, three simulated agents and three rounds, a second"

    private static let debates = 20_000

    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        let all = bench.processors.count
        let rounds = try await bench.alternate([
            { try await rate(threads: 1, bench) }, { try await rate(threads: all, bench) },
        ])
        return [
            Figure("debates, one thread", medianOf: rounds[0].map(\.rate), "1/s"),
            Figure("debates, \(all) threads", medianOf: rounds[1].map(\.rate), "1/s"),
            Figure("CPU per debate", medianOf: rounds[0].map(\.microseconds), "µs"),
        ]
    }

    private func rate(threads: Int, _ bench: Bench) async throws -> (rate: Double, microseconds: Double) {
        let debates = bench.options.isQuick ? Self.debates / 5 : Self.debates
        let (began, used) = (MonotonicTime.now(), ProcessSample.cpu(of: getpid()))
        _ = try await SpeedRun.events(debates: debates, on: Experiment(threads: threads))
        let seconds = Double(MonotonicTime.now() - began) / 1e9
        return (Double(debates) / seconds, (ProcessSample.cpu(of: getpid()) - used) / Double(debates) * 1e6)
    }
}
