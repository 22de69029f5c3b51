import Contracts
package import Crypto
package import Domain

/// Turns what happens into the bytes of the log: gives each event its number, its data's bytes and its hash.
///
/// A value: copy it before an append, keep the copy when the append is refused.
package struct EventChain: Sendable, Equatable {
    package let debateID: DebateID
    /// The newest event sealed.
    package private(set) var tail: LogTail

    /// The chain of a debate that has no event yet.
    package init(debateID: DebateID) {
        self.init(debateID: debateID, tail: Self.genesis(of: debateID))
    }

    /// Continues a log where it stands.
    package init(debateID: DebateID, tail: LogTail) {
        self.debateID = debateID
        self.tail = tail
    }

    /// Where the log of a debate stands before event 1.
    package static func genesis(of debateID: DebateID) -> LogTail {
        LogTail(seq: 0, hash: EventHash.genesis(debateID: debateID.text))
    }

    /// Makes the next event and moves the tail.
    ///
    /// After a lost answer the same ``SealedEvent`` is sent again; sealing anew would give other bytes.
    /// - Parameter salt: 16 random bytes, never used before.
    package mutating func seal(_ event: DebateEvent, at: Timestamp, epoch: Int64, salt: [UInt8]) -> SealedEvent {
        precondition(salt.count == EventHash.saltLength, "a salt has 16 bytes")
        let data = EventCodec.encode(event, debateID: debateID)
        let dataHash = EventHash.ofData(data, salt: salt)
        let header = EventHash.Header(
            debateID: debateID.text, seq: tail.seq + 1, epoch: epoch, type: event.type, round: Int64(event.round),
            agent: event.agent, at: at.iso8601, dataHash: dataHash)
        let hash = header.hash(after: tail.hash)
        let sealed = SealedEvent(
            seq: header.seq, type: event.type, round: event.round, agent: event.agent, at: at, epoch: epoch, data: data,
            salt: salt, dataHash: dataHash, prevHash: tail.hash, hash: hash, call: event.consumedCall)
        tail = LogTail(seq: sealed.seq, hash: hash)
        return sealed
    }

    /// The same with a fresh salt.
    /// - Throws: ``CryptoError`` when there is no randomness.
    package mutating func seal(_ event: DebateEvent, at: Timestamp, epoch: Int64) throws(CryptoError) -> SealedEvent {
        seal(event, at: at, epoch: epoch, salt: try RandomBytes.make(EventHash.saltLength))
    }

    /// Several events of one moment, with fresh salts.
    /// - Throws: ``CryptoError`` when there is no randomness; the chain is then unchanged.
    package mutating func seal(
        _ events: [DebateEvent], at: Timestamp, epoch: Int64
    ) throws(CryptoError) -> [SealedEvent] {
        var chain = self
        var sealed: [SealedEvent] = []
        for event in events { sealed.append(try chain.seal(event, at: at, epoch: epoch)) }
        self = chain
        return sealed
    }
}
