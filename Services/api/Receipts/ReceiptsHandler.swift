import Contracts
import Crypto
import Domain
import HTTP
import Ledger
import Platform
import ServiceKit
import Storage

/// Decision receipts: list, read, and verify by recomputing.
struct ReceiptsHandler: Sendable {
    let stores: APIStores
    let trail: AuditTrail
    let settings: ReceiptSettings
    let log: Log
    /// With the keys in force.
    let verifier: @Sendable () -> ReceiptVerifier

    func list(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        var filter = ReceiptFilter(within: context.caller.reach)
        filter.limit = query.int("limit", default: 20, in: ReceiptFilter.limitRange)
        filter.offset = query.int("offset", default: 0, in: 0...1_000_000)
        filter.since = query.time("date_from")
        filter.until = query.time("date_to")
        filter.signedOnly = ["1", "true"].contains(request.query["signed_only"] ?? "")
        filter.riskLevel = query.text("risk_level", maxCharacters: 16)?.uppercased()
        if let text = request.query["debate_id"] {
            filter.debate = DebateID(text)
            if filter.debate == nil { query.refuse("debate_id", "is not the id of a debate") }
        }
        if let text = request.query["verdict"] {
            filter.verdict = Verdict(rawValue: text.uppercased())
            if filter.verdict == nil {
                query.refuse("verdict", "must be one of \(Verdict.allCases.map(\.rawValue).joined(separator: ", "))")
            }
        }
        try query.finish()
        return try await page(filter)
    }

    func page(_ filter: ReceiptFilter) async throws -> Response {
        let page: Page<StoredReceipt>
        do { page = try await stores.receipts.list(filter) } catch { throw APIError.unavailable(error) }
        var filters = ReceiptListBody.Filters()
        (filters.debate, filters.verdict, filters.riskLevel) = (filter.debate, filter.verdict, filter.riskLevel)
        (filters.since, filters.until, filters.signedOnly) = (filter.since, filter.until, filter.signedOnly)
        return json(
            ReceiptListBody.json(
                page.items, total: page.total, limit: filter.limit, offset: filter.offset,
                retentionDays: settings.retentionDays, filters: filters))
    }

    /// The receipt itself, byte for byte as it was signed.
    func get(_ request: Request, _ context: RequestContext) async throws -> Response {
        .json(try await receipt(context).document)
    }

    func ofDebate(_ request: Request, _ context: RequestContext) async throws -> Response {
        let debate = try await DebateLookup(stores: stores).debate(context)
        let found: StoredReceipt?
        do { found = try await stores.receipts.receipt(of: debate.id) } catch { throw APIError.unavailable(error) }
        guard let found else {
            throw APIError(
                .receiptNotFound,
                debate.status.isTerminal
                    ? "A debate that ended as \(debate.status.clientText) has no receipt"
                    : "The debate has not ended; its receipt comes with its end")
        }
        return .json(found.document)
    }

    /// Recomputes the checksum, and walks the log that the receipt names, if it is still there.
    func verify(_ request: Request, _ context: RequestContext) async throws -> Response {
        let receipt = try await receipt(context)
        let transcript = try await DebateLookup(stores: stores).whatIsLeft(of: receipt.debate)
        let result = check(receipt, events: transcript.isExpired ? nil : transcript.sealed)
        return json(
            ReceiptVerificationBody.integrity(
                receipt.id,
                isValid: result.map {
                    $0.isIntact && ($0.chain == .valid || transcript.isExpired) && $0.storedChecksum == receipt.checksum
                }
                    ?? false,
                storedChecksum: result?.storedChecksum ?? receipt.checksum,
                computedChecksum: result?.computedChecksum ?? Hex.encode(SHA256.hash(receipt.document)),
                chainValid: transcript.isExpired ? nil : result?.chain == .valid, verifiedAt: Self.now()))
    }

    func verifySignature(_ request: Request, _ context: RequestContext) async throws -> Response {
        let receipt = try await receipt(context)
        let result = check(receipt, events: nil)
        var keyID: String?
        var problem: String?
        switch result?.signature {
        case .valid(let name, _): keyID = name
        case .unsigned: problem = "the receipt is not signed"
        case .noKey: problem = "this server has no signing key"
        case .unknownKey(let name):
            keyID = name
            problem = "signed by a key that this server does not have"
        case .invalid: problem = "the signature does not match"
        case nil: problem = "what is stored is not this receipt"
        }
        if problem == nil, result?.publicSignature == .invalid { problem = "the Ed25519 signature does not match" }
        return json(
            ReceiptVerificationBody.signature(
                receipt.id, isValid: result?.isProven ?? false, keyID: keyID, signedAt: result?.signedAt,
                error: problem ?? (result?.isIntact == true ? nil : "the receipt was changed"), verifiedAt: Self.now()))
    }

    /// Nil when what is stored is no receipt, or another one: that is an answer, not a failure.
    func check(_ receipt: StoredReceipt, events: [SealedEvent]?) -> ReceiptVerification? {
        guard let result = try? verifier().verify(receipt.document, events: events), result.receiptID == receipt.id,
            result.debateID == receipt.debate
        else { return nil }
        return result
    }

    func receipt(_ context: RequestContext) async throws -> StoredReceipt {
        guard let id = ReceiptID(context.parameter("receipt")) else { throw APIError(.receiptNotFound) }
        let found: StoredReceipt?
        do { found = try await stores.receipts.receipt(id, within: context.caller.reach) } catch {
            throw APIError.unavailable(error)
        }
        guard let found, context.caller.may(.receiptsRead, debate: found.debate) else {
            throw APIError(.receiptNotFound)
        }
        return found
    }

    func json(_ value: JSONValue) -> Response { .json(CanonicalJSON.encode(value)) }
    static func now() -> String { ISO8601.string(milliseconds: WallClock.nowMilliseconds()) }
}
