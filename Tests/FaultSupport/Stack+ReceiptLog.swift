import Contracts
import Crypto
import Domain
import Ledger
import Storage

extension Stack {
    /// Until a stored head covers so many receipts.
    package func awaitLogged(_ leaves: Int64) async throws {
        let reader = ReceiptLogReader(pool: pool)
        try await eventually("a head over \(leaves) leaves") { (try? await reader.head()?.size) ?? 0 >= leaves }
    }

    /// Computes the log again from its leaves, and compares it with its newest head and with the receipts.
    package func auditReceiptLog(leaves: Int64) async throws {
        let reader = ReceiptLogReader(pool: pool)
        var frontier = MerkleFrontier()
        for entry in try await reader.entries(from: 0, size: .max, limit: 1000) {
            check(entry.index == frontier.size, "leaf \(entry.index) stands at \(frontier.size)")
            frontier.append(MerkleTree.leaf(entry.leaf))
            let receipt = try await ReceiptReader(pool: pool).receipt(entry.receipt, within: .installation)
            let document = try receipt.map { try ReceiptDocument.parse($0.document) }
            check(
                document.flatMap { ReceiptLeaf($0)?.bytes } == entry.leaf, "leaf \(entry.index) is not its receipt's")
        }
        check(frontier.size == leaves, "the log has \(frontier.size) of \(leaves) leaves")
        guard let head = try await reader.head() else { return note("the log has no head") }
        check(head.size == frontier.size && head.root == frontier.root, "the head is of another tree")
        let keys = try KeyRing(current: Self.signingKey)
        let signature = Base64.decode(head.signature ?? "") ?? []
        check(keys.pairs.current.publicKey.isValid(signature, of: head.coveredBytes), "the head is not signed")
    }
}
