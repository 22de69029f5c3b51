import Contracts
import Domain
import Ledger
import PostgresClient
import Storage

/// Computes the receipt log's tree again from its leaves.
struct ReceiptLogCheck: Sendable {
    private let log: ReceiptLogReader

    init(pool: PGPool) { log = ReceiptLogReader(pool: pool) }

    /// False in a restored backup of an older schema.
    /// - Throws: `StorageError`.
    func isPossible() async throws(StorageError) -> Bool { try await log.exists() }

    /// What is wrong with the tree; nil when its leaves lead to what its state and its newest head say. Safe beside a
    /// sequencer: what it appends meanwhile is not looked at.
    /// - Throws: `StorageError` when the log can not be read.
    func problem() async throws(StorageError) -> String? {
        let head = try await log.head()
        let state = try await log.state()
        var frontier = MerkleFrontier()
        while frontier.size < state.size {
            let page = try await log.entries(
                from: frontier.size, size: state.size, limit: ReceiptLogReader.entryLimit.upperBound)
            guard !page.isEmpty else { return "the receipt log ends at leaf \(frontier.size) of \(state.size)" }
            for entry in page {
                guard entry.index == frontier.size else { return "the receipt log has no leaf \(frontier.size)" }
                frontier.append(MerkleTree.leaf(entry.leaf))
                if frontier.size == head?.size, frontier.root != head?.root {
                    return "the receipt log's head over \(frontier.size) leaves is of another tree"
                }
            }
        }
        guard frontier.hashes.flatMap({ $0 }) == state.frontier else {
            return "the receipt log's leaves do not lead to the tree it continues"
        }
        guard head?.size ?? 0 <= state.size else { return "the receipt log is shorter than its head" }
        return nil
    }

    /// The leaf of a receipt; nil while it waits for the sequencer.
    /// - Throws: `StorageError`.
    func leaf(of receipt: StoredReceipt) async throws(StorageError) -> [UInt8]? {
        try await log.entry(of: receipt.id)?.leaf
    }
}
