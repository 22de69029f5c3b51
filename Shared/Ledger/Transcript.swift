import Crypto
package import Domain

/// The hashes of all events in which somebody says something: proposals, critiques, revisions, votes, remarks.
///
/// Kept while a log is written or read; its hash goes into the receipt and holds also when texts are erased.
package struct Transcript: Sendable, Equatable {
    private static let spoken: Set<String> = ["agent_message", "critique", "revision", "vote", "user_message"]
    private var hashes: [UInt8] = []

    package init() {}

    /// Takes the next event of the log, of any kind.
    package mutating func add(_ event: SealedEvent) {
        if Self.spoken.contains(event.type) { hashes += event.hash }
    }

    /// SHA-256 over the hashes so far, in order.
    package var hash: [UInt8] { SHA256.hash(hashes) }
}
