import Contracts
import Domain
import HTTP
import Ledger
import Platform
import ServiceKit
import Storage

/// Debates that share the history of another: forks, and follow-ups about what one left open.
struct BranchesHandler: Sendable {
    /// Of the decision, in the context of a follow-up.
    static let maxDecisionCharacters = 3000

    let stores: APIStores
    let create: CreateDebateHandler
    private var lookup: DebateLookup { DebateLookup(stores: stores) }

    func fork(_ request: Request, _ context: RequestContext) async throws -> Response {
        let parent = try await parent(context)
        let wish = try ForkRequest.parse(request.body, parent: parent.spec)
        let branch = try await branch(of: parent, afterRound: wish.branchPoint, "branch_point")
        let messages = parent.transcript.messages.count { $0.seq <= branch.tail.seq }
        let changed = wish.debate.context == parent.spec.context ? nil : wish.debate.context
        return try await create.store(wish.debate, branch: branch, request, context) { id, spec, at in
            ForkAnswers.forked(
                id: id, spec: spec, createdAt: at, branch: branch, messages: messages, context: changed)
        }
    }

    func forks(_ request: Request, _ context: RequestContext) async throws -> Response {
        let record = try await lookup.debate(context)
        let forks: [DebateSummary]
        do { forks = try await stores.debates.branches(of: record.id, within: context.caller.reach) } catch {
            throw APIError.unavailable(error)
        }
        let rows = forks.map { ForkAnswers.fork(DebateBody($0)) }
        return json(
            PageBody.make(
                "forks", items: rows, total: rows.count, limit: DebateStore.maxBranches, offset: 0,
                extra: [("debate_id", .string(record.id.text))]))
    }

    func suggestions(_ request: Request, _ context: RequestContext) async throws -> Response {
        let record = try await lookup.debate(context)
        let open = try await lookup.transcript(of: record.id).openQuestions
        let message =
            !record.status.isTerminal
            ? "The debate has not ended." : open.isEmpty ? "Nothing was left open." : "What the debate left open."
        let rows = open.map(ForkAnswers.suggestion)
        return json(
            PageBody.make(
                "suggestions", items: rows, total: rows.count, limit: FollowUp.maximum, offset: 0,
                extra: [("debate_id", .string(record.id.text)), ("message", .string(message))]))
    }

    func followUp(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wish = try FollowUpRequest.parse(request.body)
        let parent = try await parent(context)
        let open = parent.transcript.openQuestions
        let crux = wish.crux.map { id in open.first { $0.id == id } } ?? open.first
        guard wish.crux == nil || crux != nil else {
            throw APIError(
                ValidationFailure([FieldProblem("crux_id", "is none of this debate's: see GET …/followups")]))
        }
        guard let question = wish.question ?? crux?.question else {
            throw APIError(
                ValidationFailure([FieldProblem("question", "is required: the debate left nothing open")]))
        }
        let branch = try await branch(of: parent, afterRound: parent.log.rounds ?? 0, "id")
        let debate = try wish.debate(
            question: question, background: background(parent, wish.question == nil ? crux : nil), parent: parent.spec)
        let messages = parent.transcript.messages.count { $0.seq <= branch.tail.seq }
        return try await create.store(debate, branch: branch, request, context) { id, spec, at in
            ForkAnswers.followed(
                id: id, spec: spec, createdAt: at, branch: branch, messages: messages,
                crux: wish.question == nil ? crux?.id : nil)
        }
    }

    /// Asks again for what a debate was asked, in the name of who asked for it; one that is not over is rung for.
    func again(_ name: String, _ context: RequestContext) async throws -> DebateID {
        let record = try await lookup.debate(name, context)
        guard record.status.isTerminal else {
            await stores.ring(record.id, trace: context.traceID)
            return record.id
        }
        var context = context
        context.principal = Principal(
            subject: record.createdBy, role: .member,
            organization: record.organization.flatMap(OrganizationID.init) ?? .default,
            user: record.user.flatMap(UserID.init))
        let parent = try await parent(record)
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        let debate = try await create.prepare(
            try ForkRequest.parse([], parent: parent.spec).debate,
            branch: try await branch(of: parent, afterRound: 0, "job_id"), at: now, context)
        _ = try await create.admit(debate, context)
        _ = try CreateDebateHandler.answer(try await create.keep(debate, context), [])
        return debate.id
    }

    // MARK: The parent

    private struct Parent {
        let record: DebateRecord
        let spec: DebateSpec
        let transcript: Transcript
        let log: ParentLog
    }

    private func parent(_ context: RequestContext) async throws -> Parent {
        // Whoever may see one debate only may not make others of it.
        guard context.caller.debate == nil else {
            throw APIError.denied(.debatesCreate, "this token is for one debate")
        }
        return try await parent(try await lookup.debate(context))
    }

    private func parent(_ record: DebateRecord) async throws -> Parent {
        let transcript = try await lookup.transcript(of: record.id)
        var log = ParentLog(debate: record.id)
        do { for event in transcript.sealed { try log.take(event) } } catch { throw APIError.unavailable(error) }
        guard !log.isErased, let spec = log.machine.spec else { throw APIError(.debateErased) }
        return Parent(record: record, spec: spec, transcript: transcript, log: log)
    }

    private func branch(of parent: Parent, afterRound round: Int, _ field: String) async throws -> Branch {
        guard let tail = parent.log.tail(afterRound: round) else {
            let last = parent.log.rounds ?? 0
            throw APIError(
                ValidationFailure([
                    FieldProblem(field, "must be from 0 to \(last): only complete rounds can be shared")
                ]))
        }
        let generation: Int
        do { generation = try await stores.debates.generation(of: parent.record.id) } catch {
            throw APIError.unavailable(error)
        }
        guard generation < Branch.maxGenerations else {
            throw APIError(
                ValidationFailure([
                    FieldProblem("id", "branched off others \(Branch.maxGenerations) times already")
                ]))
        }
        return Branch(parent: parent.record.id, round: round, tail: tail)
    }

    /// What the panel is told of the debate that it follows.
    private func background(_ parent: Parent, _ crux: FollowUp?) -> String {
        var lines = ["This follows up the debate \"\(parent.spec.topic.prefix(1000))\"."]
        if let decision = parent.transcript.decision, !decision.finalAnswer.isEmpty {
            lines.append(
                "Its decision\(decision.reached ? "" : ", which the votes did not reach,") was: "
                    + decision.finalAnswer.prefix(Self.maxDecisionCharacters))
        }
        if let crux { lines.append("What was left open: \(crux.statement.prefix(Self.maxDecisionCharacters))") }
        return lines.joined(separator: "\n")
    }

    private func json(_ value: JSONValue) -> Response { .json(CanonicalJSON.encode(value)) }
}
