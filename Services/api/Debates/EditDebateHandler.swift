import Contracts
import Crypto
import Domain
import HTTP
import Ledger
import Platform
import ServiceKit
import Storage

/// `PATCH` and `DELETE` of a debate: what people call it, and taking it away.
struct EditDebateHandler: Sendable {
    let stores: APIStores
    let trail: AuditTrail
    let actions: DebateActionsHandler
    /// What signs the receipt of an erased debate, when it was signed.
    let keys: @Sendable () -> KeyRing?
    private var lookup: DebateLookup { DebateLookup(stores: stores) }

    func update(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wish = try UpdateDebateRequest.parse(request.body)
        let record = try await lookup.changeable(context)
        guard record.erasedAt == nil else { throw APIError(.debateErased) }
        var edit = DebateEdit()
        edit.title = wish.title
        edit.tags = wish.tags
        edit.metadata = wish.metadata.map { CanonicalJSON.encode($0) }
        edit.isArchived = try archived(wish.status, record)
        if !edit.isEmpty {
            do {
                guard try await stores.debates.edit(record.id, edit) else { throw APIError(.debateErased) }
            } catch let error as StorageError { throw APIError.unavailable(error) }
        }
        switch wish.status {
        case .paused: _ = try await actions.pause(request, context)
        case .active where record.status == .paused: _ = try await actions.resume(request, context)
        default: break
        }
        let fresh = try await lookup.debate(context)
        return .json(
            CanonicalJSON.encode(DebateBody(fresh, try await lookup.whatIsLeft(of: fresh.id)).json))
    }

    /// Archiving is for what is over, and what is over can not be made active again.
    private func archived(_ wish: UpdateDebateRequest.Wish?, _ record: DebateRecord) throws -> Bool? {
        switch wish {
        case .archived, .concluded:
            guard record.status.isTerminal else {
                throw APIError(
                    .debateNotFinished, "The debate is \(record.status.clientText)", suggestion: "cancel it first")
            }
            return wish == .archived ? true : nil
        case .active: return record.status.isTerminal && !record.summary.isArchived ? nil : false
        case .paused, nil: return nil
        }
    }

    /// Erases what was said, and hides the debate. Its numbers and hashes stay, so that every proof of the log still holds.
    func delete(_ request: Request, _ context: RequestContext) async throws -> Response {
        let record = try await lookup.changeable(context)
        await stores.eraseCopies(of: record.id)
        let outcome: ErasureStore.Outcome
        do {
            let keys = keys()
            let entry = trail.entry(.debateErased, request, context, on: "debate", record.id.text)
            outcome = try await stores.erasure.erase(record.id, entry) { receipt in
                try ReceiptIssuer.erase(
                    receipt, at: Timestamp(milliseconds: WallClock.nowMilliseconds()),
                    keys: receipt.isSigned ? keys : nil)
            }
        } catch { throw APIError.unavailable(error) }
        switch outcome {
        case .erased, .alreadyErased: break
        case .notFound: throw APIError(.debateNotFound)
        case .notEnded(let status):
            throw APIError(
                .debateNotFinished, "The debate is \(status.clientText)", suggestion: "cancel it, then delete it")
        case .onLegalHold: throw APIError(.legalHold)
        }
        do { try await stores.debates.hide(record.id) } catch { throw APIError.unavailable(error) }
        await stores.eraseCopies(of: record.id)
        return .json(
            CanonicalJSON.encode(
                DebateAnswers.action(id: record.id, status: record.status, message: "Debate deleted")))
    }
}
