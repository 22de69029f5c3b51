import Contracts
import Domain
import HTTP
import Platform
import Sockets

/// The routes of the simulator.
final class SimulatorService: Sendable {
    private struct State {
        var scenario: Scenario
        var random: SeededRandom
        /// How many calls each rule was about.
        var counts: [Int]

        init(_ scenario: Scenario) {
            self.scenario = scenario
            random = SeededRandom(seed: scenario.seed)
            counts = Array(repeating: 0, count: scenario.rules.count)
        }
    }

    private let state: Lock<State>
    private let ledger = CallLedger()

    init(scenario: Scenario) { state = Lock(State(scenario)) }

    func server(port: UInt16, loops: [EventLoop]) throws -> HTTPServer {
        guard let address = SocketAddress(ip: "127.0.0.1", port: port) else {
            throw Scenario.Problem("no such address")
        }
        var configuration = HTTPServerConfiguration(address: address)
        // Slow answers are what this program is for.
        configuration.handlerDeadline = .seconds(900)
        configuration.limits = HTTPLimits(bodyBytes: 16 << 20)
        let router = router()
        return HTTPServer(configuration: configuration, loops: loops) { _ in router }
    }

    private func router() -> Router {
        var router = Router()
        for path in ["/v1/messages", "/anthropic/v1/messages"] {
            router.on(.post, path) { [self] in try await answer($0, $1, .anthropic) }
        }
        for path in ["/v1/chat/completions", "/chat/completions"] {
            router.on(.post, path) { [self] in try await answer($0, $1, .openai) }
        }
        router.on(.post, "/v1beta/models/{model}") { [self] in try await answer($0, $1, .gemini) }
        router.on(.get, "/healthz") { _, _ in .text("ok\n") }
        router.on(.get, "/ledger") { [ledger] _, _ in .json(ledger.json.bytes) }
        router.on(.delete, "/ledger") { [ledger] _, _ in
            ledger.clear()
            return Response(.noContent)
        }
        router.on(.put, "/scenario") { [state] request, _ in
            do {
                let scenario = try Scenario(json: request.body)
                state.withLock { $0 = State(scenario) }
                return Response(.noContent)
            } catch {
                return .text("\(error)\n", status: .badRequest)
            }
        }
        return router
    }

    /// What happens to one call.
    private struct Plan {
        var fault: Fault?
        var latency: Duration
        var interval: Delay
        var answerWords: Int
        var answer: String?
        var random: SeededRandom
    }

    private func plan(for call: IncomingCall) -> Plan {
        state.withLock { state in
            var hit: Rule?
            for (index, rule) in state.scenario.rules.enumerated() where rule.isAbout(call) {
                state.counts[index] += 1
                if hit == nil, rule.strikes(count: state.counts[index], &state.random) { hit = rule }
            }
            let latency = (hit?.latency ?? state.scenario.latency).draw(&state.random)
            return Plan(
                fault: hit?.fault, latency: latency, interval: hit?.tokenInterval ?? state.scenario.tokenInterval,
                answerWords: state.scenario.answerWords, answer: hit?.answer,
                random: SeededRandom(seed: state.random.next()))
        }
    }

    private func answer(_ request: Request, _ context: RequestContext, _ api: ProviderAPI) async throws -> Response {
        let format = Self.format(of: api)
        let call: IncomingCall
        do throws(IncomingCall.Refusal) {
            call = try IncomingCall(request, api: api, path: api == .gemini ? context.parameter("model") : nil)
        } catch {
            return .json(format.errorBody(type: error.type, message: error.message), status: Status(error.status))
        }
        ledger.sent(call)
        let plan = plan(for: call)
        if let fault = plan.fault { ledger.failed(fault.kind) }
        if let fault = plan.fault, fault.kind == .status {
            if plan.latency > .zero { try await context.loop.sleep(for: plan.latency) }
            return Self.refusal(fault, format)
        }
        let text = plan.answer ?? AnswerText.answer(to: call, words: plan.answerWords)
        let exchange = Exchange(
            call: call, format: format, tokens: AnswerText.tokens(of: text), fault: plan.fault, interval: plan.interval,
            loop: context.loop)
        guard call.isStreamed else { return try await whole(exchange, text, plan) }
        return .stream(type: "text/event-stream; charset=utf-8") { [ledger] writer in
            if plan.latency > .zero { try await context.loop.sleep(for: plan.latency) }
            if try await exchange.write(to: writer, random: plan.random) { ledger.completed(call) }
        }
    }

    private static func format(of api: ProviderAPI) -> any ReplyFormat {
        switch api {
        case .anthropic: AnthropicFormat()
        case .openai: OpenAIFormat()
        case .gemini: GeminiFormat()
        }
    }

    private func whole(_ exchange: Exchange, _ text: String, _ plan: Plan) async throws -> Response {
        if plan.latency > .zero { try await exchange.loop.sleep(for: plan.latency) }
        if let fault = plan.fault {
            switch fault.kind {
            case .empty: return .json([])
            case .badChunk: return .json(Array(#"{"id":"broken"#.utf8))
            case .stall: try await exchange.stall()
            default: return Self.refusal(fault, exchange.format)
            }
        }
        ledger.completed(exchange.call)
        return .json(exchange.format.whole(text, exchange.call, tokens: exchange.tokens.count))
    }

    private static func refusal(_ fault: Fault, _ format: any ReplyFormat) -> Response {
        var response = Response.json(
            format.errorBody(type: fault.type, message: fault.message), status: Status(fault.status))
        if let seconds = fault.retryAfterSeconds { response.headers[.retryAfter] = HeaderValue(seconds) }
        return response
    }
}
