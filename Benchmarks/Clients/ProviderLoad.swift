import Domain
import Glibc
import Platform
import Providers
import Sockets

/// Calls through our provider client to one address, steadily or as many as go.
struct ProviderLoad: Sendable {
    /// Calls a second that the latency aim is meant for, and who makes them.
    static let steadyRate = 200.0
    static let manyCallers = 32
    /// Means something to the proxy alone, which does not start without one.
    static let key = "sk-of-the-benchmark-and-of-nothing-else"

    let provider: ProviderKey
    let registry: ProviderRegistry
    private let loop: EventLoop

    init(_ provider: ProviderKey, port: UInt16, on loop: EventLoop) throws {
        guard let url = BaseURL("http://127.0.0.1:\(port)") else { throw BenchFailure("no address") }
        let endpoint = ProviderEndpoint(
            provider: provider, baseURL: url, key: Secret(Self.key), model: "bench", deadlines: CallDeadlines())
        self.provider = provider
        self.loop = loop
        registry = ProviderRegistry(
            settings: ProviderSettings(endpoints: [endpoint], maxInFlight: 64), loop: loop,
            limits: ProviderLimits(maxInFlight: 64), metrics: Metrics(), log: .disabled)
    }

    /// - Throws: ``BenchFailure`` unless it was answered.
    func call(_ number: Int) async throws {
        let debate = DebateID(milliseconds: 1_790_000_000_000, random: [UInt8](repeating: 7, count: 10))
        let agent = AgentSpec(name: "\(provider.rawValue)-1", provider: provider, model: "bench")
        let material = PlannedCall.Material(
            topic: "Should a three-person startup use Postgres or MongoDB?", context: nil, remarks: [], own: nil,
            others: [])
        let call = PlannedCall(
            key: CallKey("r1/propose/\(provider.rawValue)-\(number)"), agent: agent, phase: .propose, round: 1,
            totalRounds: 3, material: material)
        let request = CallRequest(debate: debate, call: call, attempt: 1, epoch: 1)
        let registry = registry
        let outcome = await Task(executorPreference: loop) { await registry.call(request) { _ in } }.value
        guard case .answered = outcome else { throw BenchFailure("a call failed: \(outcome)") }
    }

    /// Waits until a call is answered.
    func ready(_ server: Child, within limit: Duration, _ bench: Bench) async throws {
        let deadline = MonotonicTime.now() + limit.nanosecondsValue
        while MonotonicTime.now() < deadline, !server.hasEnded() {
            if (try? await call(0)) != nil { return }
            try await bench.loop.sleep(for: .milliseconds(50))
        }
        throw BenchFailure("\(server.name) does not answer: \(server.logTail)")
    }

    /// Four callers' worth at ``steadyRate``: milliseconds of each call.
    func steady(_ bench: Bench) async throws -> [Double] {
        let result = try await OpenLoop.run(perSecond: Self.steadyRate, seconds: bench.options.seconds(5), on: [loop]) {
            _ in try await call(Int.random(in: 0..<1_000_000_000))
        }
        if let failure = result.failures.first { throw BenchFailure(failure) }
        return result.latencies
    }

    struct Many: Sendable {
        let rate: Double
        /// Seconds of CPU per call: of this process, and of each given.
        let client: Double
        let servers: [Double]
    }

    /// ``manyCallers`` that each call again as soon as they are answered, over connections that stay open.
    func many(_ servers: [Child], _ bench: Bench) async throws -> Many {
        let before = (ProcessSample.cpu(of: getpid()), servers.map { ProcessSample.cpu(of: $0.pid) })
        let began = MonotonicTime.now()
        let end = began + Int64(bench.options.seconds(4) * 1e9)
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for caller in 0..<Self.manyCallers {
                group.addTask(executorPreference: loop) {
                    var done = 0
                    while MonotonicTime.now() < end {
                        try await call(Int(MonotonicTime.now() % 1_000_000_000) * 100 + caller)
                        done += 1
                    }
                    return done
                }
            }
            return Double(try await group.reduce(0, +))
        }
        return Many(
            rate: count / (Double(MonotonicTime.now() - began) / 1e9),
            client: (ProcessSample.cpu(of: getpid()) - before.0) / count,
            servers: zip(servers, before.1).map { (ProcessSample.cpu(of: $0.pid) - $1) / count })
    }
}

/// The provider simulator, answering at once, each word in a piece of its own.
struct SimulatedProvider {
    let child: Child
    let port: UInt16

    /// - Parameter words: after the few that every answer begins with.
    init(words: Int, name: String, folder: String, _ bench: Bench) throws {
        port = try Ports.free()
        let scenario = "\(folder)/\(name).json"
        guard TextFile.write(Array("{\"answer_words\":\(words)}".utf8), to: scenario) else {
            throw BenchFailure("no file")
        }
        child = try Child(
            name, bench.stores.executable("provider-simulator"), ["--port", String(port), "--scenario", scenario],
            folder: folder)
    }
}
