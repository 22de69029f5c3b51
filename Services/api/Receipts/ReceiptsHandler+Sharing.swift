import Contracts
import Crypto
import Domain
import HTTP
import Ledger
import Platform
import ServiceKit
import Storage

/// Links to receipts, holds on them, and many checks at once.
extension ReceiptsHandler {
    /// Random bytes of a link's token.
    private static let tokenBytes = 32
    /// What a token may have at most before it is looked at.
    private static let maxTokenCharacters = 64

    func share(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wanted = try ReceiptRequests.Share(
            request.body, hours: ReceiptShareStore.hoursRange, accesses: ReceiptShareStore.accessRange)
        let receipt = try await receipt(context)
        let token = Base64.encodeURLSafe(try RandomBytes.make(Self.tokenBytes))
        let made: ReceiptShareStore.Creation
        do {
            made = try await stores.receiptShares.create(
                receipt.id, tokenHash: SHA256.hash(token), hours: wanted.hours, maxAccesses: wanted.maxAccesses,
                isRedacted: wanted.isRedacted, by: context.caller.subject,
                trail.entry(.receiptShared, request, context, on: "receipt", receipt.id.text))
        } catch { throw APIError.unavailable(error) }
        guard case .created(let expiresAt) = made else {
            throw APIError(.badRequest, "This receipt has \(ReceiptShareStore.maxPerReceipt) links already")
        }
        return json(
            ReceiptAnswers.shared(receipt.id, token: token, expiresAt: expiresAt, maxAccesses: wanted.maxAccesses))
    }

    /// Without a credential: who has the link may read.
    func shared(_ request: Request, _ context: RequestContext) async throws -> Response {
        let token = context.parameter("token")
        guard token.utf8.count <= Self.maxTokenCharacters else { throw APIError(.receiptNotFound) }
        let receipt: StoredReceipt?
        let isRedacted: Bool
        do {
            guard let link = try await stores.receiptShares.use(tokenHash: SHA256.hash(token)) else {
                throw APIError(.receiptNotFound, "This link does not exist, or has expired")
            }
            isRedacted = link.isRedacted
            receipt = try await stores.receipts.receipt(link.receipt, within: .installation)
        } catch let error as StorageError {
            throw APIError.unavailable(error)
        }
        guard let receipt else { throw APIError(.receiptNotFound) }
        var document = try document(of: receipt)
        if isRedacted, !document.isErased {
            guard let redacted = ReceiptIssuer.redact(document) else { throw APIError(.receiptNotFound) }
            document = redacted
        }
        return .json(document.bytes)
    }

    func hold(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wanted = try ReceiptRequests.Hold(request.body)
        let receipt = try await receipt(context)
        do {
            let entry = trail.entry(
                .receiptHeld, request, context, on: "receipt", receipt.id.text, AuditDetails.hold(wanted.isHeld))
            guard try await stores.receiptRetention.hold(receipt.id, wanted.isHeld, reason: wanted.reason, entry)
            else { throw APIError(.receiptNotFound) }
        } catch let error as StorageError {
            throw APIError.unavailable(error)
        }
        log.info(
            "legal hold changed", .reason(receipt.id.text), .state(wanted.isHeld ? "held" : "lifted"),
            .requestID(context.caller.subject))
        return json(ReceiptAnswers.hold(receipt.id, isHeld: wanted.isHeld, reason: wanted.reason))
    }

    func exportBatch(_ request: Request, _ context: RequestContext) async throws -> Response {
        let (ids, wanted) = try ReceiptRequests.export(request.body)
        guard let format = ReceiptExport.Format(rawValue: wanted == "markdown" ? "md" : wanted), format != .pdf else {
            throw ValidationFailure([FieldProblem("format", "must be one of json, html, md, csv")])
        }
        var exported: [ReceiptAnswers.Exported] = []
        for text in ids {
            var found: StoredReceipt?
            if let id = ReceiptID(text) {
                do { found = try await stores.receipts.receipt(id, within: context.caller.reach) } catch {
                    throw APIError.unavailable(error)
                }
            }
            let content = try found.map { ReceiptExport(try document(of: $0)).bytes(as: format) }
            exported.append(.init(id: text, content: content, isJSON: format == .json))
        }
        return json(ReceiptAnswers.exported(exported, format: format.rawValue))
    }

    func verifyBatch(_ request: Request, _ context: RequestContext) async throws -> Response {
        let ids = try ReceiptRequests.batch(request.body)
        var checked: [ReceiptAnswers.Checked] = []
        for text in ids {
            var found: StoredReceipt?
            if let id = ReceiptID(text) {
                do { found = try await stores.receipts.receipt(id, within: context.caller.reach) } catch {
                    throw APIError.unavailable(error)
                }
            }
            if let receipt = found, !context.caller.may(.receiptsRead, debate: receipt.debate) { found = nil }
            let result = found.flatMap { check($0, events: nil) }
            checked.append(
                .init(
                    id: text, isFound: found != nil,
                    isIntact: result.map { $0.isIntact && $0.storedChecksum == found?.checksum } ?? false,
                    isSigned: result?.isProven ?? false))
        }
        return json(ReceiptAnswers.batch(checked, at: Self.now()))
    }
}
