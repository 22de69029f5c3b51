/// An event as it is stored and sent: its bytes, and its place in the chain. Made by Ledger; never re-encoded.
package struct SealedEvent: Hashable, Sendable {
    /// From 1, without gaps, per debate.
    package let seq: Int64
    package let type: String
    package let round: Int
    package let agent: String?
    package let at: Timestamp
    package let epoch: Int64
    /// Canonical JSON (RFC 8785). Empty when erased.
    package let data: [UInt8]
    /// 16 random bytes. Empty when erased.
    package let salt: [UInt8]
    /// SHA-256(salt ‖ data).
    package let dataHash: [UInt8]
    package let prevHash: [UInt8]
    package let hash: [UInt8]
    /// The call whose outcome it consumes.
    package let call: CallReference?

    package init(
        seq: Int64, type: String, round: Int, agent: String?, at: Timestamp, epoch: Int64, data: [UInt8], salt: [UInt8],
        dataHash: [UInt8], prevHash: [UInt8], hash: [UInt8], call: CallReference?
    ) {
        self.seq = seq
        self.type = type
        self.round = round
        self.agent = agent
        self.at = at
        self.epoch = epoch
        self.data = data
        self.salt = salt
        self.dataHash = dataHash
        self.prevHash = prevHash
        self.hash = hash
        self.call = call
    }
}

/// Where a log stands: the newest event's number and hash. `seq` 0 and the genesis hash before the first.
package struct LogTail: Hashable, Sendable {
    package let seq: Int64
    package let hash: [UInt8]
    package init(seq: Int64, hash: [UInt8]) {
        self.seq = seq
        self.hash = hash
    }
}
