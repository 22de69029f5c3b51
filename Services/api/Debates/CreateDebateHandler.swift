import Contracts
import Crypto
import Domain
import HTTP
import Ledger
import Platform
import ServiceKit
import Storage

/// `POST /api/debates`: stores a queued debate with event 1 and rings the workers' bell.
struct CreateDebateHandler: Sendable {
    static let maxIdempotencyKeyCharacters = 255
    static let slugWords = 8

    let stores: APIStores
    let target: WebhookTarget
    let panel: PanelPolicy
    let ratings: RatingRules
    let memory: KnowledgeRecall
    let metrics: Metrics
    let tracer: Tracer

    func handle(_ request: Request, _ context: RequestContext) async throws -> Response {
        try await store(try CreateDebateRequest.parse(request.body), branch: nil, request, context) { id, spec, at in
            DebateAnswers.created(id: id, spec: spec, createdAt: at, spectate: true)
        }
    }

    /// Stores a debate that was asked for in any way.
    ///
    /// - Parameters:
    ///   - branch: where it branches off another.
    ///   - answer: what the client is told, now and again.
    func store(
        _ input: CreateDebateRequest, branch: Branch?, _ request: Request, _ context: RequestContext,
        answer: (DebateID, DebateSpec, Timestamp) -> JSONValue
    ) async throws -> Response {
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        var callbacks = CallbackMaker(target: target)
        func bytes(_ id: DebateID, _ spec: DebateSpec) -> [UInt8] { CanonicalJSON.encode(answer(id, spec, now)) }
        var debate = try await prepare(input, branch: branch, at: now, context) {
            try idempotency(request, branch, context, bytes($0, $1))
        }
        if let wish = input.callback { debate.callbacks = [try callbacks.make(wish, for: debate.id)] }
        if let earlier = try await admit(debate, context) { return earlier }
        // What is kept for a repetition has not the secret: it stands nowhere as it is.
        let answer = DebateAnswers.showing(secret: callbacks.shown, in: bytes(debate.id, debate.spec))
        return try await store(debate, answer, context)
    }

    /// A debate with its panel, its memory and its first events, ready to be stored.
    ///
    /// - Parameter key: the idempotency key that is stored with it; none for one of many.
    func prepare(
        _ input: CreateDebateRequest, branch: Branch? = nil, priority: Int = 0, at now: Timestamp,
        _ context: RequestContext, key: (DebateID, DebateSpec) throws -> IdempotentRequest? = { _, _ in nil }
    ) async throws -> NewDebate {
        let random = try RandomBytes.make(10)
        let spec = try input.spec(
            panel: try await agents(of: input), seed: Self.seed(random), hasKnowledge: memory.isOn)
        let id = DebateID(milliseconds: now.milliseconds, random: random)
        var chain = EventChain(debateID: id)
        let start = try chain.seal(
            .debateStart(DebateStart(spec: spec, engineVersion: .current, branch: branch)), at: now, epoch: 0)
        let conclusions = await memory.conclusions(for: spec, in: context.caller.organization, now: now)
        let recalled = try conclusions.map { conclusion in
            NewDebate.Recall(
                item: conclusion.item, event: try chain.seal(.knowledgeRecalled(conclusion), at: now, epoch: 0))
        }
        var debate = NewDebate(
            id: id, slug: Self.slug(spec.topic, random), spec: spec, specDocument: SpecCodec.encode(spec),
            metadata: CanonicalJSON.encode(input.metadata), createdAt: now, createdBy: context.caller.subject,
            organization: context.caller.organization.text, user: context.caller.user?.text,
            engineVersion: .current, priority: priority, start: start, recalled: recalled,
            idempotency: try key(id, spec), branch: branch)
        debate.traceparent = context.trace?.traceparent ?? ""
        return debate
    }

    /// - Returns: what was answered to the same request before, when nobody would pay for it now.
    /// - Throws: `budget_exhausted`, or `validation_error` for the debate's own limit.
    func admit(_ debate: NewDebate, _ context: RequestContext) async throws -> Response? {
        do {
            try await BudgetGate(stores: stores, providers: panel.providers)
                .check(debate.spec, in: context.caller.organization)
            return nil
        } catch let refusal as APIError where [.budgetExhausted, .validationFailed].contains(refusal.code) {
            guard let earlier = try await earlier(debate) else { throw refusal }
            return earlier
        }
    }

    private func earlier(_ debate: NewDebate) async throws -> Response? {
        guard let request = debate.idempotency else { return nil }
        let stored: StoredAnswer?
        do { stored = try await stores.debates.answer(to: request) } catch { throw APIError.unavailable(error) }
        return stored.map { .json($0.body, status: Status($0.status)) }
    }

    func agents(of input: CreateDebateRequest) async throws -> [AgentSpec] {
        let agents = try panel.agents(for: input.agents, input.selection)
        do {
            return try await RatedPanel(store: stores.ratings, rules: ratings).rate(
                agents, needsRating: input.judge == .eloRanked, needsWeight: input.consensus == .weighted)
        } catch { throw APIError.unavailable(error) }
    }

    private func store(_ debate: NewDebate, _ answer: [UInt8], _ context: RequestContext) async throws -> Response {
        try Self.answer(try await keep(debate, context), answer)
    }

    /// Stores it, and rings for it when it is new.
    func keep(_ debate: NewDebate, _ context: RequestContext) async throws -> CreateOutcome {
        let outcome: CreateOutcome
        do { outcome = try await stores.debates.create(debate) } catch { throw APIError.unavailable(error) }
        if case .created = outcome {
            KillPoint.reach(.afterCreateCommit)
            metrics.add(.debatesStarted)
            traceStart(debate, context)
            await stores.ring(debate.id, trace: debate.traceparent)
        }
        return outcome
    }

    /// Event 1 is a span of the request, as later events are of the run.
    private func traceStart(_ debate: NewDebate, _ context: RequestContext) {
        guard tracer.isOn, let trace = context.trace, trace.isSampled else { return }
        for event in [debate.start] + debate.recalled.map(\.event) {
            tracer.end(
                Span(
                    "event \(event.type)", .producer, context: trace.after(hash: event.hash), parent: trace.span,
                    start: debate.createdAt.milliseconds * 1_000_000,
                    attributes: [
                        .init("aragora.debate.id", debate.id.text), .init("aragora.event.seq", event.seq),
                        .init("aragora.event.type", event.type),
                    ]))
        }
    }

    /// What the client hears.
    static func answer(_ outcome: CreateOutcome, _ answer: [UInt8]) throws -> Response {
        switch outcome {
        case .created: return .json(answer)
        case .replayed(let stored): return .json(stored.body, status: Status(stored.status))
        case .conflict: throw APIError(.idempotencyConflict)
        case .slugTaken: throw APIError(.unavailable)
        case .busy:
            var error = APIError(.idempotencyInProgress)
            error.retryAfterSeconds = 1
            throw error
        }
    }

    func idempotency(
        _ request: Request, _ branch: Branch?, _ context: RequestContext, _ answer: [UInt8]
    ) throws -> IdempotentRequest? {
        guard let key = request[header: "idempotency-key"] else { return nil }
        guard (1...Self.maxIdempotencyKeyCharacters).contains(key.utf8.count),
            key.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw APIError(.invalidIdempotencyKey) }
        return IdempotentRequest(
            principal: context.caller.subject, key: key,
            requestHash: SHA256.hash(Array((branch?.parent.text ?? "").utf8) + request.body),
            answer: StoredAnswer(status: 200, body: answer))
    }

    /// 48 of the id's random bits: a whole number that JSON carries exactly.
    static func seed(_ random: [UInt8]) -> Int64 { random.prefix(6).reduce(0) { $0 << 8 | Int64($1) } }

    /// Readable and unique: the first words of the question and 48 random bits.
    static func slug(_ topic: String, _ random: [UInt8]) -> String {
        let words = topic.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }.prefix(slugWords)
        let head = String(words.joined(separator: "-").prefix(60))
        return (head.isEmpty ? "debate" : head) + "-" + Hex.encode(Array(random.suffix(6)))
    }
}
