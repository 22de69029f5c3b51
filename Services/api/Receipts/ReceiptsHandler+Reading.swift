import Contracts
import Domain
import HTTP
import Ledger
import Platform
import ServiceKit
import Storage

/// Finding receipts, counting them, and taking them away in other forms.
extension ReceiptsHandler {
    /// Characters of a search.
    static let maxSearch = 200

    func search(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        var filter = ReceiptFilter(within: context.caller.reach)
        filter.limit = query.int("limit", default: 20, in: ReceiptFilter.limitRange)
        filter.offset = query.int("offset", default: 0, in: 0...1_000_000)
        let (short, long) = (
            query.text("q", maxCharacters: Self.maxSearch), query.text("query", maxCharacters: Self.maxSearch)
        )
        filter.search = short ?? long
        try query.finish()
        return try await page(filter)
    }

    func statistics(_ request: Request, _ context: RequestContext) async throws -> Response {
        let found: ReceiptStatistics
        do { found = try await stores.receipts.statistics(within: context.caller.reach) } catch {
            throw APIError.unavailable(error)
        }
        return json(
            ReceiptAnswers.statistics(
                total: found.total, signed: found.signed, onHold: found.onHold, byVerdict: found.byVerdict,
                retentionDays: settings.retentionDays, at: Self.now()))
    }

    func export(_ request: Request, _ context: RequestContext) async throws -> Response {
        let receipt = try await receipt(context)
        let wanted = request.query["format"] ?? "json"
        guard let format = ReceiptExport.Format(rawValue: wanted == "markdown" ? "md" : wanted) else {
            let known = ReceiptExport.Format.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationFailure([FieldProblem("format", "must be one of \(known)")])
        }
        let document = try document(of: receipt)
        var response = Response.bytes(ReceiptExport(document).bytes(as: format), type: Self.type(of: format))
        // The id has no character that would end the name.
        response.headers["Content-Disposition"] = HeaderValue(
            "attachment; filename=\"\(receipt.id.text).\(format.rawValue)\"")
        return response
    }

    private static func type(of format: ReceiptExport.Format) -> HeaderValue {
        switch format {
        case .json: "application/json"
        case .html: "text/html; charset=utf-8"
        case .md: "text/markdown; charset=utf-8"
        case .csv: "text/csv; charset=utf-8"
        case .pdf: "application/pdf"
        }
    }

    func document(of receipt: StoredReceipt) throws -> ReceiptDocument {
        do { return try ReceiptDocument.parse(receipt.document) } catch {
            throw APIError(.internalError, "what is stored is no receipt")
        }
    }

    // MARK: The bundle

    /// The receipt with its events and its place in the log: what `aragora receipt verify` takes.
    func bundle(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let isRedacted = ["1", "true"].contains(request.query["redacted"] ?? "")
        let since = query.int("since", default: 0, in: 0...Int(Int32.max))
        let chosen = Self.numbers(request.query["events"], &query)
        try query.finish()
        let receipt = try await receipt(context)
        var document = try document(of: receipt)
        if isRedacted, !document.isErased {
            guard let redacted = ReceiptIssuer.redact(document) else {
                throw ValidationFailure([FieldProblem("redacted", "receipts of this version have no such form")])
            }
            document = redacted
        }
        let log = try await proof(of: receipt.id, after: Int64(since))
        let transcript = try await DebateLookup(stores: stores).whatIsLeft(of: receipt.debate)
        if transcript.isExpired {
            guard chosen == nil else { throw APIError(.eventsExpired) }
            return json(ReceiptBundle(receipt: document, events: nil, excerpts: nil, log: log).json)
        }
        let covered = transcript.sealed.filter { $0.seq <= document.eventCount ?? 0 }
        let shown = isRedacted ? covered.map(\.withoutContent) : covered
        let excerpts = try chosen.map { try Self.excerpts($0, of: shown) }
        return json(
            ReceiptBundle(
                receipt: document, events: excerpts == nil ? shown : nil, excerpts: excerpts, log: log
            ).json)
    }

    /// `all` (nil) or numbers with commas.
    private static func numbers(_ text: String?, _ query: inout QueryReader) -> [Int64]? {
        guard let text, text != "all", !text.isEmpty else { return nil }
        let numbers = text.split(separator: ",").map { Int64($0) ?? 0 }
        guard numbers.count <= 500, numbers.allSatisfy({ $0 > 0 }) else {
            query.refuse("events", "must be all, or numbers of events with commas")
            return nil
        }
        return Array(Set(numbers)).sorted()
    }

    private static func excerpts(_ numbers: [Int64], of events: [SealedEvent]) throws -> [ReceiptBundle.Excerpt] {
        var (frontier, nodes) = (MerkleFrontier(), [MerkleNode.Place: [UInt8]]())
        for event in events {
            for node in frontier.append(MerkleTree.leaf(event.hash)) { nodes[node.place] = node.hash }
        }
        return try numbers.map { number in
            guard let event = events.first(where: { $0.seq == number }),
                let path = MerkleProof.inclusion(of: number - 1, in: frontier.size)?.path(nodes)
            else { throw ValidationFailure([FieldProblem("events", "the receipt covers no event \(number)")]) }
            return .init(event: event, path: path)
        }
    }

    /// Nil while the log has no head that covers it.
    private func proof(of receipt: ReceiptID, after first: Int64) async throws -> ReceiptBundle.LogProof? {
        do {
            guard let entry = try await stores.receiptLog.entry(of: receipt),
                let head = try await stores.receiptLog.head(), entry.index < head.size
            else { return nil }
            return try await stores.receiptLog.proof(of: entry.index, under: head, after: first)
        } catch {
            throw APIError.unavailable(error)
        }
    }
}

extension ReceiptLogReader {
    /// The proof of a leaf under a head; with that of the head's consistency with the tree of `first` leaves.
    /// - Throws: `StorageError`.
    func proof(
        of index: Int64, under head: TreeHead, after first: Int64 = 0
    ) async throws(StorageError) -> ReceiptBundle.LogProof? {
        guard let inclusion = MerkleProof.inclusion(of: index, in: head.size) else { return nil }
        var consistency: (Int64, [[UInt8]])?
        if let older = MerkleProof.consistency(from: first, to: head.size) {
            consistency = (first, try await path(older))
        }
        return .init(index: index, inclusion: try await path(inclusion), head: head, consistency: consistency)
    }
}
