import Contracts
import Crypto
import Domain
import Glibc
import Ledger
import Platform
import Storage
import TestSupport
import Testing

extension KillPointTests {
    /// The sequencer dies or freezes around an append or a head; another worker's goes on.
    @Suite("of the receipt log's sequencer")
    struct Sequencers {
        /// The first head is the empty log's, of a worker that is not ready yet.
        static let points: [(KillPoint, Int)] = [
            (.beforeLogAppend, 1), (.beforeLogAppend, 2), (.afterLogAppend, 1), (.afterLogHead, 2),
        ]

        @Test(
            "every receipt is in the log once, under contiguous numbers, and a signed head",
            arguments: Fault.all(points))
        func sequencer(_ fault: Fault) async throws {
            try await Stack.with("sequencer-\(fault.kind)-\(fault.point.rawValue)-\(fault.nth)") { stack in
                try await stack.start(.api(1), .gateway(1))
                try await stack.start([.worker(1)], with: fault.environment)
                // The second debate's receipt is a batch of its own.
                let first = try await stack.create()
                if fault.nth > 1, fault.point != .afterLogHead { _ = try await stack.awaitEnd(first) }
                let second = try await stack.create()
                try await stack.awaitFault(.worker(1), fault)
                try await stack.start(.worker(2))
                _ = try await stack.awaitEnd(first)
                _ = try await stack.awaitEnd(second)
                try await stack.awaitLogged(2)
                if fault.kind == .frozen { try stack.process(.worker(1)).send(SIGCONT) }
                let third = try await stack.create()
                _ = try await stack.awaitEnd(third)
                try await stack.awaitLogged(3)
                try await stack.auditReceiptLog(leaves: 3)
            }
        }
    }
}

extension Stack {
    /// Until a stored head covers so many receipts.
    func awaitLogged(_ leaves: Int64) async throws {
        let reader = ReceiptLogReader(pool: pool)
        try await eventually("a head over \(leaves) leaves") { (try? await reader.head()?.size) ?? 0 >= leaves }
    }

    /// Computes the log again from its leaves, and compares it with its newest head and with the receipts.
    func auditReceiptLog(leaves: Int64) async throws {
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
