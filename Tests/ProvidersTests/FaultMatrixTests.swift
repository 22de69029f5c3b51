import Contracts
import Domain
import HTTP
import HTTPClient
import Platform
import Providers
import Sockets
import TestSupport
import Testing

@testable import provider_simulator

/// Every fault, in every format, through real sockets against the provider simulator.
@Suite("Fault matrix")
struct FaultMatrixTests {
    static let formats: [ProviderKey] = [.anthropic, .openai, .gemini]
    static let model = [ProviderKey.anthropic: "claude-sonnet-4-5", .openai: "gpt-4.1", .gemini: "gemini-2.5-pro"]

    @Test("each fault has its outcome, its price, and what follows", arguments: FaultRow.all, formats)
    func cell(_ row: FaultRow, _ provider: ProviderKey) async throws {
        let bench = try await MatrixBench(row.cause, provider)
        let call = Calls.planned(provider: provider, model: Self.model[provider] ?? "")
        let seen = Lock("")
        let limits = ProviderLimits(maxInFlight: 4)
        let outcome = await bench.call(call, limits: limits) { text in seen.withLock { $0 += text } }
        await bench.stop()

        #expect(outcome.summary == row.summary, "\(outcome)")
        switch outcome {
        case .answered(let answer):
            #expect(row.kind == nil)
            #expect(seen.withLock { $0 } == answer.content)
            #expect(answer.provider == provider && answer.model == call.agent.model)
            #expect(answer.usage.cost == PriceBook.cost(provider: provider, model: answer.model, usage: answer.usage))
        case .failed(let failure):
            #expect(failure.kind == row.kind, "\(failure)")
            expectPaid(row, failure, call)
            expectAction(row, failure)
        }
        let text = seen.withLock { $0 }
        switch row.seen {
        case .nothing: #expect(text.isEmpty)
        case .beginning: #expect(!text.isEmpty)
        case .all: #expect(text.contains("My position"))
        }
        let health = limits.isHealthy(provider)
        #expect(health, "one failure makes nobody unhealthy")
    }

    private func expectPaid(_ row: FaultRow, _ failure: CallFailure, _ call: PlannedCall) {
        let worst = PriceBook.worstCost(call, maxTokens: MatrixBench.maxTokens)
        switch row.paid {
        case .nothing: #expect(failure.usage == Usage() && !failure.isPaymentUnknown)
        case .counted:
            #expect(failure.usage.cost > .zero && failure.usage.cost < worst && !failure.isPaymentUnknown)
        case .reservation: #expect(failure.usage.cost == worst && failure.isPaymentUnknown)
        case .answer: Issue.record("a failure is no answer")
        }
    }

    private func expectAction(_ row: FaultRow, _ failure: CallFailure) {
        let policy = RetryPolicy()
        func verdict(_ failures: Int, _ standIn: Bool) -> RetryPolicy.Verdict {
            policy.verdict(on: failure, failures: failures, jitter: 0, standIn: standIn)
        }
        let wait = Duration.milliseconds(failure.retryAfterMilliseconds ?? 0)
        switch row.action {
        case .none: Issue.record("nothing is done about a failure")
        case .retry, .retryAfter:
            #expect((wait > .zero) == (row.action == .retryAfter))
            #expect(verdict(1, true) == .retry(after: wait) && verdict(2, false) == .retry(after: wait))
            #expect(verdict(3, true) == .fallBack && verdict(3, false) == .giveUp)
        case .fallBack: #expect(verdict(1, true) == .fallBack && verdict(1, false) == .giveUp)
        case .fallBackOrRetry: #expect(verdict(1, true) == .fallBack && verdict(1, false) == .retry(after: .zero))
        }
    }

    @Test("each fault that counts opens the breaker when it repeats", arguments: FaultRow.all, [ProviderKey.openai])
    func breaker(_ row: FaultRow, _ provider: ProviderKey) async throws {
        // What one call waits for is another test's.
        guard row.action != .retryAfter else { return }
        let bench = try await MatrixBench(row.cause, provider)
        let limits = ProviderLimits(maxInFlight: 4)
        for _ in 0..<3 { _ = await bench.call(Calls.planned(provider: provider), limits: limits) { _ in } }
        #expect(limits.phase(of: provider) == (row.countsForBreaker ? .open : .closed))
        #expect(limits.isHealthy(provider) == !row.countsForBreaker)
        await bench.stop()
    }

    @Test("the table of faults in docs/providers.md is this one")
    func document() throws {
        try GeneratedSection.check(
            "faults", of: "docs/providers.md",
            is: GeneratedSection.table(FaultRow.tableHead, FaultRow.all.map(\.tableRow)))
    }
}

/// A provider that goes wrong in one way, and a client of it.
struct MatrixBench {
    static let maxTokens = 500

    private let loops: [EventLoop]
    private let server: HTTPServer?
    private let resetter: HandshakeResetter?
    private let http: HTTPClient
    private let endpoint: ProviderEndpoint

    init(_ cause: FaultRow.Cause, _ provider: ProviderKey) async throws {
        loops = try EventLoop.group(count: 2, name: "matrix")
        var url = "http://127.0.0.1:1"
        var (server, resetter): (HTTPServer?, HandshakeResetter?) = (nil, nil)
        switch cause {
        case .refused: break
        case .resetInHandshake:
            let made = try HandshakeResetter(loop: loops[0])
            resetter = made
            url = "https://127.0.0.1:\(made.port)"
        case .scenario(let json):
            let service = SimulatorService(scenario: try Scenario(json: Array(json.utf8)))
            let made = try service.server(port: 0, loops: [loops[0]])
            url = "http://127.0.0.1:\(try await made.start().port)"
            server = made
        }
        (self.server, self.resetter) = (server, resetter)
        var configuration = HTTPClientConfiguration()
        configuration.usesEnvironmentProxy = false
        http = HTTPClient(loop: loops[1], configuration: configuration)
        // Long enough for a busy machine to answer, short enough to wait for.
        let clocks: CallDeadlines =
            switch cause {
            case .scenario(let json) where json.contains("600000"): CallDeadlines(firstToken: .milliseconds(100))
            case .scenario(let json) where json.contains("stall"): CallDeadlines(idle: .milliseconds(100))
            default: CallDeadlines()
            }
        endpoint = ProviderEndpoint(
            provider: provider, baseURL: try #require(BaseURL(url)), key: Secret("sk-matrix"),
            model: FaultMatrixTests.model[provider] ?? "", maxTokens: Self.maxTokens, deadlines: clocks)
    }

    func call(_ call: PlannedCall, limits: ProviderLimits, tokens: @escaping TokenSink) async -> CallOutcome {
        let registry = ProviderRegistry(
            settings: ProviderSettings(endpoints: [endpoint]), loop: loops[1], limits: limits, metrics: Metrics(),
            log: .disabled)
        let outcome = await Task(executorPreference: loops[1]) {
            await registry.call(Calls.request(call), tokens: tokens)
        }.value
        await registry.close()
        return outcome
    }

    func stop() async {
        await http.close()
        resetter?.close()
        await server?.drain(deadline: .milliseconds(1))
        for loop in loops { loop.stop() }
    }
}

/// Accepts connections and resets each when the first bytes of its handshake arrive.
final class HandshakeResetter: Sendable {
    private final class Connection: TransportDelegate, @unchecked Sendable {  // every call comes on the loop
        private let transport: Transport
        init(_ transport: Transport) { self.transport = transport }
        func start() { try? transport.start(delegate: self) }
        func transportReceived(_ bytes: ArraySlice<UInt8>) { transport.close() }
        func transportReachedEnd() { transport.close() }
        func transportDrained() {}
        func transportClosed(_ error: SocketError?) {}
    }

    private struct State {
        var listener: Listener?
        var connections: [Connection] = []
    }

    private let loop: EventLoop
    private let state = Lock(State())

    init(loop: EventLoop) throws {
        self.loop = loop
        let address = try #require(SocketAddress(ip: "127.0.0.1", port: 0))
        let listener = try Listener(loop: loop, address: address, reusePort: false) { [weak self] socket in
            let connection = Connection(Transport(loop: loop, accepted: socket))
            self?.state.withLock { $0.connections.append(connection) }
            connection.start()
        }
        state.withLock { $0.listener = listener }
        listener.start()
    }

    var port: UInt16 { state.withLock { $0.listener?.address.port ?? 0 } }

    func close() {
        let listener = state.withLock { $0.listener }
        loop.execute { listener?.close() }
    }
}
