import Contracts
import Crypto
import Domain
import HTTP
import Platform
import ServiceKit
import Storage

/// Debates that are asked for together: created all or none, then each on its own.
struct BatchHandler: Sendable {
    let stores: APIStores
    let create: CreateDebateHandler

    func post(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wish = try BatchRequest.parse(request.body)
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        let id = BatchID(milliseconds: now.milliseconds, random: try RandomBytes.make(10))
        var debates: [NewDebate] = []
        var callbacks = CallbackMaker(target: create.target)
        for (index, item) in wish.items.enumerated() {
            do {
                var debate = try await create.prepare(item.debate, priority: item.priority, at: now, context)
                if let callback = item.debate.callback ?? wish.callback {
                    debate.callbacks = [try callbacks.make(callback, for: debate.id)]
                }
                _ = try await create.admit(debate, context)
                debates.append(debate)
            } catch let error as APIError {
                throw Self.placed(error, index)
            } catch let failure as ValidationFailure {
                throw APIError(
                    ValidationFailure(failure.problems.map { FieldProblem("items[\(index)].\($0.field)", $0.message) }))
            }
        }
        let answer = CanonicalJSON.encode(BatchBody.created(id, debates: debates.map(\.id), createdAt: now))
        let batch = NewBatch(
            id: id, createdBy: context.caller.subject, organization: debates.first?.organization, createdAt: now)
        return try await store(batch, debates, answer, callbacks.shown, request, context)
    }

    private func store(
        _ batch: NewBatch, _ debates: [NewDebate], _ answer: [UInt8], _ secret: String?, _ request: Request,
        _ context: RequestContext
    ) async throws -> Response {
        let outcome: CreateOutcome
        do {
            outcome = try await stores.batches.create(
                batch, debates, idempotency: try create.idempotency(request, nil, context, answer))
        } catch let error as StorageError { throw APIError.unavailable(error) }
        guard case .created = outcome else { return try CreateDebateHandler.answer(outcome, answer) }
        create.metrics.add(.debatesStarted, by: Double(debates.count))
        await stores.ring(all: debates.map(\.id))
        return .json(DebateAnswers.showing(secret: secret, in: answer))
    }

    func status(_ request: Request, _ context: RequestContext) async throws -> Response {
        let batch: BatchRecord?
        guard let id = BatchID(context.parameter("batch")) else { throw APIError(.batchNotFound) }
        do { batch = try await stores.batches.batch(id, within: context.caller.reach) } catch {
            throw APIError.unavailable(error)
        }
        guard let batch else { throw APIError(.batchNotFound) }
        return .json(
            CanonicalJSON.encode(
                BatchBody.status(
                    Self.progress(batch.summary),
                    items: batch.items.map { BatchBody.Item(index: $0.index, debate: DebateBody($0.debate)) })))
    }

    func list(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let limit = query.int("limit", default: 20, in: DebateFilter.limitRange)
        let offset = query.int("offset", default: 0, in: 0...1_000_000)
        var state: BatchSummary.State?
        if let word = query.text("status", maxCharacters: 16) {
            state = BatchSummary.State(rawValue: word)
            if state == nil {
                let words = BatchSummary.State.allCases.map(\.rawValue).joined(separator: ", ")
                query.refuse("status", "must be one of \(words)")
            }
        }
        try query.finish()
        let page: Page<BatchSummary>
        do {
            page = try await stores.batches.list(
                within: context.caller.reach, state: state, limit: limit, offset: offset)
        } catch { throw APIError.unavailable(error) }
        let rows = page.items.map { BatchBody.row(Self.progress($0)) }
        return .json(
            CanonicalJSON.encode(PageBody.make("batches", items: rows, total: page.total, limit: limit, offset: offset))
        )
    }

    private static func progress(_ batch: BatchSummary) -> BatchBody.Progress {
        BatchBody.Progress(
            id: batch.id, state: batch.state.rawValue, total: batch.total, completed: batch.succeeded,
            failed: batch.failed, waiting: batch.waiting, ended: batch.ended, createdAt: batch.createdAt)
    }

    private static func placed(_ error: APIError, _ index: Int) -> APIError {
        var error = error
        error.message = error.message.map { "items[\(index)]: \($0)" }
        return error
    }
}
