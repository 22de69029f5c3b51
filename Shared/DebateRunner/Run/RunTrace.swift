import Domain
import Platform

/// The spans of a run: the run itself, its phases, its calls, and one for each event that it appends. They go on with the trace
/// of the request that asked for the debate, whoever runs it.
struct RunTrace {
    private let tracer: Tracer
    private let claim: Claim
    /// Of the request; nil when it is not known.
    let origin: TraceContext?
    private var run: Span?
    private var phase: (name: String, span: Span)?

    init(_ claim: Claim, tracer: Tracer) {
        self.tracer = tracer
        self.claim = claim
        origin = claim.traceparent.flatMap { TraceContext(traceparent: $0) }
    }

    /// What comes next is a part of.
    private var parent: TraceContext? { phase?.span.context ?? run?.context ?? origin }

    /// - Parameter runner: who runs it.
    mutating func begin(runner: RunnerID) {
        run = tracer.begin(
            "debate run", .consumer, after: origin,
            [
                .init("aragora.debate.id", claim.debate.text), .init("aragora.epoch", claim.epoch),
                .init("aragora.claim", claim.kind.rawValue), .init("aragora.runner.id", runner.text),
            ])
    }

    /// For what the run asks of the stores; nil when it is not recorded.
    var scope: TraceScope? { run.map { TraceScope(tracer, parent: $0.context) } }

    mutating func end(_ end: RunEnd) {
        leavePhase()
        switch end {
        case .ended(let status):
            run?.add(.init("aragora.debate.status", status.rawValue))
            tracer.end(run)
        case .released: tracer.end(run)
        case .stopped(let stop): tracer.end(run, failure: stop.word)
        }
        run = nil
    }

    /// Calls of this phase are sent now; the phase before is over.
    mutating func enter(_ call: PlannedCall) {
        guard run != nil else { return }
        let name = "debate phase \(call.phase.rawValue)"
        let place = "\(name) \(call.round)"
        guard phase?.name != place else { return }
        leavePhase()
        let span = tracer.begin(
            name, .internal, after: run?.context,
            [
                .init("aragora.debate.id", claim.debate.text), .init("aragora.debate.round", call.round),
                .init("aragora.debate.phase", call.phase.rawValue),
            ])
        phase = span.map { (place, $0) }
    }

    private mutating func leavePhase() {
        tracer.end(phase?.span)
        phase = nil
    }

    /// A model call, in the words of OpenTelemetry's conventions for generative AI; never what is asked and answered.
    func call(_ call: PlannedCall, attempt: Int) -> Span? {
        tracer.begin(
            "chat \(call.agent.model)", .client, after: parent,
            [
                .init("gen_ai.operation.name", "chat"),
                .init("gen_ai.provider.name", Self.provider(call.agent.provider)),
                .init("gen_ai.request.model", call.agent.model), .init("aragora.debate.id", claim.debate.text),
                .init("aragora.call.key", call.key.text), .init("aragora.call.attempt", attempt),
            ])
    }

    /// What a provider is told; nothing of traces that nobody records.
    func traceparent(of span: Span?) -> String? {
        let context = span?.context ?? parent
        return context.flatMap { $0.isSampled ? $0.traceparent : nil }
    }

    /// Events that are in the log now; their spans are named by their hashes, so that a gateway can name them too.
    func committed(_ events: [SealedEvent], since start: Int64) {
        guard tracer.isOn, let parent, parent.isSampled else { return }
        for event in events {
            tracer.end(
                Span(
                    "event \(event.type)", .producer, context: parent.after(hash: event.hash), parent: parent.span,
                    start: start,
                    attributes: [
                        .init("aragora.debate.id", claim.debate.text), .init("aragora.event.seq", event.seq),
                        .init("aragora.event.type", event.type),
                    ]))
        }
    }

    /// The names that the conventions have for providers.
    private static func provider(_ key: ProviderKey) -> String {
        switch key {
        case .gemini: "gcp.gemini"
        case .mistral: "mistral_ai"
        case .xai: "x_ai"
        default: key.rawValue
        }
    }
}

extension Claim {
    /// The trace's name, for the log; empty when there is none.
    var trace: String { traceparent.flatMap { TraceContext(traceparent: $0) }?.trace.text ?? "" }
}

extension Tracer {
    /// The call has come to its end.
    func end(_ span: Span?, _ outcome: CallOutcome) {
        guard var span else { return }
        switch outcome {
        case .answered(let answer):
            span.add(
                .init("gen_ai.response.model", answer.model),
                .init("gen_ai.usage.input_tokens", answer.usage.inputTokens),
                .init("gen_ai.usage.output_tokens", answer.usage.outputTokens))
            end(span)
        case .failed(let failure):
            end(span, failure: failure.kind.rawValue)
        }
    }
}

extension RunStop {
    /// Of a closed set.
    fileprivate var word: String {
        switch self {
        case .lost: "lost"
        case .terminal: "terminal"
        case .runnerExpired: "runner_expired"
        case .broken: "broken"
        case .unavailable: "unavailable"
        }
    }
}
