import Crypto
package import Domain

/// What a receipt names a log by: the hashes of all events in which somebody says something (proposals, critiques,
/// revisions, votes, remarks), and the root of the Merkle tree of all events.
///
/// Kept while a log is written or read; both go into the receipt and hold also when texts are erased.
package struct Transcript: Sendable, Equatable {
    private static let spoken: Set<String> = ["agent_message", "critique", "revision", "vote", "user_message"]
    private var hashes: [UInt8] = []
    private var tree = MerkleFrontier()

    package init() {}

    /// Takes the next event of the log, of any kind.
    package mutating func add(_ event: SealedEvent) {
        if Self.spoken.contains(event.type) { hashes += event.hash }
        tree.append(MerkleTree.leaf(event.hash))
    }

    /// The root of the tree (RFC 6962) whose leaves are the hashes of all events so far.
    package var eventsRoot: [UInt8] { tree.root }

    /// SHA-256 over the hashes so far, in order.
    package var hash: [UInt8] { SHA256.hash(hashes) }
}
