import Contracts
import Domain
import HTTP
import ServiceKit
import Storage

/// Finds the debate that a path names, by id or slug, and what its log says.
struct DebateLookup: Sendable {
    /// Events of one debate that are read for one answer; a debate of 12 rounds and 10 agents has under 700.
    static let maxEvents = 5000

    let stores: APIStores

    /// The debate of `{id}`; somebody who may see only one debate sees no other.
    func debate(_ context: RequestContext) async throws -> DebateRecord {
        try await debate(context.parameter("id"), context)
    }

    /// The same by a name that stands elsewhere than in the path.
    func debate(_ name: String, _ context: RequestContext) async throws -> DebateRecord {
        guard let record = try await find(name, within: context.caller.reach), mayRead(record.id, context) else {
            throw APIError(.debateNotFound)
        }
        return record
    }

    /// The same for who wants to change it: administrators may, others only what is theirs.
    func changeable(_ context: RequestContext) async throws -> DebateRecord {
        try mayChange(try await debate(context), context)
    }

    /// - Throws: `permission_denied` for what is somebody else's.
    func mayChange(_ record: DebateRecord, _ context: RequestContext) throws -> DebateRecord {
        guard context.caller.mayChange(ownedBy: record.user.flatMap(UserID.init), subject: record.createdBy) else {
            throw APIError.denied(.debatesUpdate, "this debate is somebody else's")
        }
        return record
    }

    func find(_ name: String, within reach: Reach) async throws -> DebateRecord? {
        do {
            if let id = DebateID(name) { return try await stores.debates.debate(id, within: reach) }
            return try await stores.debates.debate(slug: name, within: reach)
        } catch {
            throw APIError.unavailable(error)
        }
    }

    /// Whether the caller is one who may see any debate within reach, or this one.
    func mayRead(_ debate: DebateID, _ context: RequestContext) -> Bool {
        context.caller.debate == nil || context.caller.debate == debate
    }

    /// The whole log, decoded.
    /// - Throws: `events_expired` when it is not there any more.
    func transcript(of debate: DebateID) async throws -> Transcript {
        let transcript = try await whatIsLeft(of: debate)
        guard !transcript.isExpired else { throw APIError(.eventsExpired) }
        return transcript
    }

    /// The same, empty when it is not there any more.
    func whatIsLeft(of debate: DebateID) async throws -> Transcript {
        var transcript = Transcript()
        var next: Int64 = 1
        while transcript.sealed.count < Self.maxEvents {
            let page = try await page(of: debate, from: next, limit: PostgresEventLog.maxReadLimit)
            for sealed in page { transcript.add(sealed) }
            guard page.count == PostgresEventLog.maxReadLimit, let last = page.last else { break }
            next = last.seq + 1
        }
        if transcript.sealed.isEmpty { transcript.isExpired = try await isRemoved(debate) }
        return transcript
    }

    /// - Throws: `events_expired` when they are not there any more.
    func events(of debate: DebateID, from seq: Int64, limit: Int) async throws -> [SealedEvent] {
        let page = try await page(of: debate, from: seq, limit: limit)
        if page.isEmpty, try await isRemoved(debate) { throw APIError(.eventsExpired) }
        return page
    }

    /// The newest event; nil when it is not there any more.
    func whatIsLast(of record: DebateRecord) async throws -> SealedEvent? {
        try await page(of: record.id, from: record.tail.seq, limit: 1).first
    }

    private func isRemoved(_ debate: DebateID) async throws -> Bool {
        do { return try await stores.eventRetention.isRemoved(debate) } catch { throw APIError.unavailable(error) }
    }

    private func page(of debate: DebateID, from seq: Int64, limit: Int) async throws -> [SealedEvent] {
        do {
            return try await stores.events.read(debate, from: seq, limit: limit)
        } catch {
            throw APIError.unavailable(error)
        }
    }
}

/// What a debate's log says, in the shapes that answers need.
struct Transcript: Sendable {
    private(set) var events: [(sealed: SealedEvent, event: DebateEvent)] = []
    /// Every event as it is stored, unreadable ones too.
    private(set) var sealed: [SealedEvent] = []
    private(set) var messages: [MessageBody] = []
    private(set) var votes: [Vote] = []
    private(set) var decision: ConsensusResult?
    private(set) var receipt: ReceiptSummary?
    private(set) var end: DebateEnd?
    private(set) var failures: [AgentFailure] = []
    /// What each agent held last.
    private(set) var positions: [String: String] = [:]
    private(set) var round = 0
    /// It is empty because its retention has passed.
    var isExpired = false
    private var uses = KnowledgeUses()

    /// Erased or unreadable events are left out: the chain proves them, but they have nothing to show.
    mutating func add(_ sealed: SealedEvent) {
        self.sealed.append(sealed)
        guard let event = try? EventCodec.decode(sealed) else { return }
        events.append((sealed, event))
        round = max(round, event.round)
        if case .knowledgeRecalled(let conclusion) = event { _ = uses.add(conclusion) }
        if let agent = event.agent { uses.note(event, by: agent) }
        switch event {
        case .agentMessage(let statement):
            positions[statement.agent] = statement.content
            add("agent", "proposal", statement.content, sealed)
        case .revision(let statement, _):
            positions[statement.agent] = statement.content
            add("agent", "revision", statement.content, sealed)
        case .critique(let critique): add("critic", "critique", critique.content, sealed)
        case .userMessage(_, let remark):
            add("user", remark.kind == .message ? "remark" : remark.kind.rawValue, remark.content, sealed)
        case .vote(let vote):
            votes.append(vote)
            add("voter", "vote", vote.reasoning, sealed)
        case .consensus(let result): decision = result
        case .receiptGenerated(let summary): receipt = summary
        case .debateEnd(let end): self.end = end
        case .agentError(let failure): failures.append(failure)
        default: break
        }
    }

    /// Earlier conclusions that the panel was shown, and who of `panel` cited them.
    func knowledge(panel: [String]) -> [KnowledgeUse] { uses.uses(panel: panel) }

    /// What the debate left open; nothing before it has ended.
    var openQuestions: [FollowUp] {
        guard let end, let decision else { return [] }
        return FollowUp.suggestions(after: decision, insight: end.insight, positions: positions)
    }

    /// The votes of the last round that was voted on.
    var lastVotes: [Vote] {
        guard let last = votes.map(\.round).max() else { return [] }
        return votes.filter { $0.round == last }
    }

    private mutating func add(_ role: String, _ phase: String, _ content: String, _ sealed: SealedEvent) {
        messages.append(
            MessageBody(
                index: messages.count, seq: sealed.seq, round: sealed.round, agent: sealed.agent, role: role,
                phase: phase,
                content: content, at: sealed.at))
    }
}
