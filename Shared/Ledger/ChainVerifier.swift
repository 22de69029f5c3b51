import Contracts
package import Domain

/// Checks a log event by event as it arrives, in memory that does not grow with it. After the first fault it stays at it.
package struct ChainVerifier: Sendable {
    package let debateID: DebateID
    /// The newest event that was found good.
    package private(set) var tail: LogTail
    /// The first fault; nothing after it is looked at.
    package private(set) var fault: ChainFault?
    /// Whether `debate_end` was seen.
    package private(set) var hasEnded = false
    private var newestEpoch: Int64 = 0
    private var newestTime = Timestamp(milliseconds: .min)

    /// - Parameter tail: what was verified before; nil to begin at event 1.
    package init(debateID: DebateID, from tail: LogTail? = nil) {
        self.debateID = debateID
        self.tail = tail ?? EventChain.genesis(of: debateID)
    }

    /// Checks the next event.
    /// - Throws: ``ChainFault``, the first one, now and at every later call.
    package mutating func feed(_ event: SealedEvent) throws(ChainFault) {
        if let fault { throw fault }
        if let reason = check(event) {
            let fault = ChainFault(seq: event.seq, reason: reason)
            self.fault = fault
            throw fault
        }
        take(event)
    }

    private mutating func take(_ event: SealedEvent) {
        tail = LogTail(seq: event.seq, hash: event.hash)
        hasEnded = event.type == "debate_end"
        (newestEpoch, newestTime) = (event.epoch, event.at)
    }

    /// Takes in an event that was sealed here, right behind ``tail``: its place is checked, its hashes are not made twice.
    /// - Throws: ``ChainFault``, the first one, now and at every later call.
    package mutating func feed(sealedHere event: SealedEvent) throws(ChainFault) {
        if let fault { throw fault }
        guard event.seq == tail.seq + 1 else { throw stop(.wrongNumber(expected: tail.seq + 1)) }
        guard event.prevHash == tail.hash else { throw stop(.brokenLink) }
        take(event)
    }

    /// Checks the next event as it came over the wire.
    /// - Throws: ``ChainFault``, the first one, now and at every later call.
    package mutating func feed(envelope bytes: [UInt8]) throws(ChainFault) {
        if let fault { throw fault }
        let parsed: (debateID: DebateID, event: SealedEvent)
        do throws(ContractError) {
            parsed = try EventEnvelope.parse(bytes)
        } catch {
            throw stop(.malformed(error.message))
        }
        guard parsed.debateID == debateID else { throw stop(.foreignDebate) }
        try feed(parsed.event)
    }

    private mutating func stop(_ reason: ChainFault.Reason) -> ChainFault {
        let fault = ChainFault(seq: tail.seq + 1, reason: reason)
        self.fault = fault
        return fault
    }

    private func check(_ event: SealedEvent) -> ChainFault.Reason? {
        guard event.seq == tail.seq + 1 else { return .wrongNumber(expected: tail.seq + 1) }
        guard event.prevHash == tail.hash else { return .brokenLink }
        var dataHash = event.dataHash
        if !event.isErased {
            let computed = EventHash.ofData(event.data, salt: event.salt)
            guard dataHash.isEmpty || dataHash == computed else { return .wrongDataHash }
            dataHash = computed
        }
        let header = EventHash.Header(event, debateID: debateID, dataHash: dataHash)
        guard header.hash(after: event.prevHash) == event.hash else { return .wrongHash }
        guard !hasEnded else { return .afterEnd }
        guard event.epoch >= newestEpoch else { return .epochWentBack }
        guard event.at >= newestTime else { return .timeWentBack }
        return nil
    }
}
