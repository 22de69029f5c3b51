import Contracts
import Crypto
import Domain
import HTTP
import Ledger
import Platform
import ServiceKit
import Storage

/// The receipt log, and the keys that check what it says: open to everybody, and nothing but hashes.
struct ReceiptLogHandler: Sendable {
    let stores: APIStores
    /// Those in force.
    let keys: @Sendable () -> KeyRing?

    func head(_ request: Request, _ context: RequestContext) async throws -> Response {
        .json(try await head().bytes)
    }

    func inclusion(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let receipt = ReceiptID(request.query["receipt_id"] ?? "")
        if receipt == nil { query.refuse("receipt_id", "is not the id of a receipt") }
        try query.finish()
        let head = try await head()
        guard let receipt else { throw APIError(.receiptNotFound) }
        do {
            guard let entry = try await stores.receiptLog.entry(of: receipt),
                let proof = try await stores.receiptLog.proof(of: entry.index, under: head)
            else { throw APIError(.receiptNotFound, "No signed head covers this receipt yet, or there is none") }
            return .json(CanonicalJSON.encode(ReceiptAnswers.inclusion(proof, leaf: entry.leaf)))
        } catch let error as StorageError {
            throw APIError.unavailable(error)
        }
    }

    func consistency(_ request: Request, _ context: RequestContext) async throws -> Response {
        let head = try await head()
        var query = QueryReader(request.query)
        let size = Int(clamping: head.size)
        let first = query.int("first", default: 0, in: 1...max(size, 1))
        let second = query.int("second", default: size, in: 1...max(size, 1))
        if request.query["first"] == nil { query.refuse("first", "is required") }
        if first > second { query.refuse("first", "must not be more than second") }
        try query.finish()
        guard let proof = MerkleProof.consistency(from: Int64(first), to: Int64(second)) else {
            throw APIError(.badRequest, "The log is empty")
        }
        do {
            let path = try await stores.receiptLog.path(proof)
            return .json(
                CanonicalJSON.encode(
                    ReceiptAnswers.consistency(first: Int64(first), second: Int64(second), path: path)))
        } catch {
            throw APIError.unavailable(error)
        }
    }

    func entries(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let start = query.int("start", default: 0, in: 0...Int(Int32.max))
        let limit = query.int("limit", default: 100, in: ReceiptLogReader.entryLimit)
        try query.finish()
        do {
            // What no head covers is not shown.
            let size = try await stores.receiptLog.head()?.size ?? 0
            let found = try await stores.receiptLog.entries(from: Int64(start), size: size, limit: limit)
            return .json(
                CanonicalJSON.encode(ReceiptAnswers.entries(found.map { ($0.index, $0.leaf, $0.at) }, size: size)))
        } catch {
            throw APIError.unavailable(error)
        }
    }

    func signingKey(_ request: Request, _ context: RequestContext) async throws -> Response {
        let ring = keys()
        let published = (ring?.pairs.publicKeys ?? []).map {
            SigningKeysBody.Key(id: $0.id, base64: Base64.encode($0.bytes), pem: $0.pem)
        }
        return .json(SigningKeysBody.json(published, secretKeyID: ring?.current.id).bytes)
    }

    /// The key in force alone, as PEM.
    func wellKnownKey(_ request: Request, _ context: RequestContext) async throws -> Response {
        guard let ring = keys() else { throw APIError(.notFound, "Receipts are not signed here") }
        return .bytes(Array(ring.pairs.current.publicKey.pem.utf8), type: "application/x-pem-file")
    }

    private func head() async throws -> TreeHead {
        let found: TreeHead?
        do { found = try await stores.receiptLog.head() } catch { throw APIError.unavailable(error) }
        guard let found else { throw APIError(.notFound, "The receipt log has no head yet: no runner has made one") }
        return found
    }
}
