import Platform
import Sockets

/// Something that can be measured, by name.
protocol Benchmark: Sendable {
    static var name: String { get }
    static var about: String { get }
    init()
    /// Starts what it needs, warms it up, measures, stops what it started.
    func measure(_ bench: Bench) async throws -> [Figure]
}

/// A benchmark can not run here: something that is not ours is missing.
struct Skipped: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A benchmark found something that makes its figure worthless.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// What every benchmark is given.
struct Bench: Sendable {
    let options: BenchOptions
    let stores: BenchStores
    /// Clients run here, apart from what is measured.
    let loop: EventLoop
    /// More loops for clients that are many.
    let clientLoops: [EventLoop]
    /// Processors this run may use.
    let processors: [Int]

    /// For what is measured on one processor; the load comes from the others.
    var serverProcessor: Int { processors[0] }
    var loadProcessor: Int { processors[processors.count - 1] }

    func say(_ text: String) { Terminal.error("    \(text)") }

    /// Runs `body` once for warming up and then in rounds, in the order given, the rivals alternating.
    func alternate<Value>(_ bodies: [() async throws -> Value]) async throws -> [[Value]] {
        for body in bodies { _ = try await body() }
        var results = bodies.map { _ in [Value]() }
        for round in 0..<options.rounds {
            // Who goes first changes, so that neither always meets the colder machine.
            let order = round.isMultiple(of: 2) ? Array(bodies.indices) : bodies.indices.reversed()
            for index in order { results[index].append(try await bodies[index]()) }
        }
        return results
    }
}
