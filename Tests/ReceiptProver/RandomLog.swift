package import Contracts
package import Crypto
import Domain
import Ledger

/// A receipt log in memory: what the sequencer and the reader do together, without a database.
package struct RandomLog: Sendable {
    private let origin: String
    private var frontier = MerkleFrontier()
    private var nodes: [MerkleNode.Place: [UInt8]] = [:]
    private var roots: [[UInt8]] = [MerkleTree.emptyRoot]

    package init(origin: String = TreeHead.origin(log: "6f1c1f0e-0000-4000-8000-000000000000", generation: 1)) {
        self.origin = origin
    }

    package var size: Int64 { frontier.size }

    package mutating func append(_ leaf: [UInt8]) {
        for node in frontier.append(MerkleTree.leaf(leaf)) { nodes[node.place] = node.hash }
        roots.append(frontier.root)
    }

    /// The head when the log had `size` leaves.
    package func head(ofSize size: Int64, _ pair: Ed25519.PrivateKey?) -> TreeHead {
        var head = TreeHead(
            origin: origin, size: size, root: roots[Int(size)],
            at: Timestamp(milliseconds: 1_791_000_000_000 + size * 1000))
        if let pair { head.sign(Base64.encode(pair.sign(head.coveredBytes)), keyID: pair.publicKey.id) }
        return head
    }

    /// The proof of a leaf under the head of `size` leaves, which continues that of `first`.
    package func proof(
        of index: Int64, under size: Int64, after first: Int64?, _ pair: Ed25519.PrivateKey?
    ) -> ReceiptBundle.LogProof? {
        guard let inclusion = MerkleProof.inclusion(of: index, in: size)?.path(nodes) else { return nil }
        let consistency = first.flatMap { first in
            MerkleProof.consistency(from: first, to: size)?.path(nodes).map { (first, $0) }
        }
        return .init(index: index, inclusion: inclusion, head: head(ofSize: size, pair), consistency: consistency)
    }
}
