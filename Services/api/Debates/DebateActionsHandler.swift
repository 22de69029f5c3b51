import Contracts
import Crypto
import DebateRunner
import Domain
import HTTP
import Ledger
import Platform
import ServiceKit
import Storage

/// What people do to a debate: cancel, pause, resume, remark.
struct DebateActionsHandler: Sendable {
    static let maxRemarkCharacters = 4000

    let stores: APIStores
    let sealer: EndingSealer
    let metrics: Metrics
    private var lookup: DebateLookup { DebateLookup(stores: stores) }

    /// Becomes the debate's holder for one transaction and ends it; the old runner is told, and would learn it anyway.
    func cancel(_ request: Request, _ context: RequestContext) async throws -> Response {
        try await cancel(try await lookup.changeable(context), context)
    }

    /// Ends a debate that the caller may end.
    func cancel(_ record: DebateRecord, _ context: RequestContext) async throws -> Response {
        let reason = "cancelled by \(context.caller.subject)"
        let outcome: Takeover.Outcome
        do {
            outcome = try await stores.takeover.end(record.id, because: .cancelled) { run in
                try sealer.seal(
                    run, as: .cancelled, reason: reason, now: Timestamp(milliseconds: WallClock.nowMilliseconds()))
            }
        } catch let error as StorageError {
            throw APIError.unavailable(error)
        }
        switch outcome {
        case .ended(let events, let epoch, _):
            KillPoint.reach(.afterCancelCommit)
            EndMetrics.count(events, in: metrics)
            await stores.hint(ControlHint(kind: .cancel, debateID: record.id.text, epoch: epoch))
            await stores.publish(events, of: record.id)
            return done(record.id, .cancelled, "Debate cancelled")
        case .alreadyEnded(let status):
            throw APIError(.debateFinished, "Debate already completed (status: \(status.clientText))")
        case .notDue, .notFound: throw APIError(.debateNotFound)
        }
    }

    func pause(_ request: Request, _ context: RequestContext) async throws -> Response {
        try await command(.pause, context)
    }

    func resume(_ request: Request, _ context: RequestContext) async throws -> Response {
        try await command(.resume, context)
    }

    func remark(_ request: Request, _ context: RequestContext) async throws -> Response {
        guard case .remark(let remark) = try await intervention(request, context) else {
            throw APIError(ValidationFailure([FieldProblem("role", "must be user or constraint")]))
        }
        return try await command(.remark(remark), context)
    }

    func intervene(_ request: Request, _ context: RequestContext) async throws -> Response {
        switch try await intervention(request, context) {
        case .remark(let remark): try await command(.remark(remark), context)
        case .pause: try await command(.pause, context)
        case .resume: try await command(.resume, context)
        case .stop: try await cancel(request, context)
        }
    }

    private func intervention(_ request: Request, _ context: RequestContext) async throws -> Intervention {
        let rounds = try await lookup.debate(context).summary.rounds
        return try Intervention.parse(request.body, rounds: rounds, maximumCharacters: Self.maxRemarkCharacters)
    }

    private func command(
        _ kind: DebateCommand.Kind, _ context: RequestContext
    ) async throws -> Response {
        // Whoever may read a debate may speak in it; stopping and starting it is for who owns it.
        let isRemark = if case .remark = kind { true } else { false }
        return try await command(
            kind, in: try await isRemark ? lookup.debate(context) : lookup.changeable(context), context)
    }

    /// Tells a debate's runner something that the caller may say.
    func command(
        _ kind: DebateCommand.Kind, in record: DebateRecord, _ context: RequestContext
    ) async throws -> Response {
        let id = record.id
        let last = try await lookup.whatIsLast(of: record)
        let author = context.caller.subject
        let salt = try RandomBytes.make(16)
        // Never before the event it follows, whatever this machine's clock says.
        let at = max(Timestamp(milliseconds: WallClock.nowMilliseconds()), last?.at ?? record.summary.createdAt)
        let outcome: CommandStore.Outcome
        do {
            outcome = try await stores.commands.take(kind, of: id, by: author) { run in
                var chain = EventChain(debateID: id, tail: run.tail)
                return chain.seal(DebateCommand.event(kind, by: author), at: at, epoch: run.epoch, salt: salt)
            }
        } catch {
            throw APIError.unavailable(error)
        }
        return try await answer(outcome, kind, id, context)
    }

    private func answer(
        _ outcome: CommandStore.Outcome, _ kind: DebateCommand.Kind, _ id: DebateID, _ context: RequestContext
    ) async throws -> Response {
        switch outcome {
        case .stored:
            KillPoint.reach(.afterCommandStored)
            await stores.hint(ControlHint(kind: .commands, debateID: id.text, epoch: 0))
            let body = DebateAnswers.action(
                id: id, status: .running,
                message: "Accepted: \(Self.effect(of: kind) ?? "the debate's runner will apply it at its next step")")
            return .json(CanonicalJSON.encode(body), status: .accepted)
        case .applied(let event, let status):
            await stores.publish([event], of: id)
            if status == .queued { await stores.ring(id, trace: context.trace?.traceparent ?? "") }
            return done(id, status, Self.effect(of: kind).map { "Noted: \($0)" } ?? "Done")
        case .unchanged(let status): return done(id, status, "Nothing to change")
        case .ended(let status):
            throw APIError(.debateFinished, "Debate already completed (status: \(status.clientText))")
        case .tooMany:
            var error = APIError(.rateLimited, "Too many commands wait for this debate")
            error.retryAfterSeconds = 1
            throw error
        case .notFound: throw APIError(.debateNotFound)
        }
    }

    private static func effect(of kind: DebateCommand.Kind) -> String? {
        guard case .remark(let remark) = kind else { return nil }
        let round = remark.firstRound.map { "round \($0), or the next one if that has begun" } ?? "the next round"
        return "the agents are told from \(round) on"
    }

    private func done(_ id: DebateID, _ status: DebateStatus, _ message: String) -> Response {
        .json(CanonicalJSON.encode(DebateAnswers.action(id: id, status: status, message: message)))
    }
}
