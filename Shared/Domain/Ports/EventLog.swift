/// Why an append was refused. Nothing was written, except outcomes of calls, which are facts.
package enum EventLogError: Error, Sendable {
    /// Another holder has the debate. Stop work on it at once.
    case lost(currentEpoch: Int64)
    /// The debate has ended. Stop work on it at once.
    case terminal(DebateStatus)
    /// The log's tail is not what the holder believes although it holds the epoch: a bug. Stop and raise an alarm.
    case broken(String)
    /// The store did not answer, even after the same bytes were sent again. The append may or may not have happened:
    /// stop, and let a claim find out.
    case unavailable(String)
}

/// How an append came to be in the log.
package enum AppendResult: Sendable, Hashable {
    case appended
    /// An earlier send of the same bytes had committed; its answer was lost.
    case alreadyApplied
}

/// Events that go into the log together, with the facts that come with them: the unit of commit is a phase.
package struct EventBatch: Sendable {
    package let debate: DebateID
    package let epoch: Int64
    /// Where the log must stand.
    package let previous: LogTail
    /// Linked to `previous` and to each other; never empty.
    package let events: [SealedEvent]
    /// Outcomes to settle in the same statement; settled even when the fence refuses the events.
    package let outcomes: [CallSettlement]
    /// Commands up to this number are turned into events by this batch.
    package let consumedCommands: Int64?

    package init(
        debate: DebateID, epoch: Int64, previous: LogTail, events: [SealedEvent], outcomes: [CallSettlement] = [],
        consumedCommands: Int64? = nil
    ) {
        self.debate = debate
        self.epoch = epoch
        self.previous = previous
        self.events = events
        self.outcomes = outcomes
        self.consumedCommands = consumedCommands
    }
}

/// What ends a debate, in the transaction that appends its last events.
package struct DebateConclusion: Sendable {
    package let status: DebateStatus
    package let consensus: ConsensusResult?
    package let end: DebateEnd
    /// Present for completed, timed-out and budget-ended debates.
    package let receipt: StoredReceipt?
    /// What agents are rated by; nil when they are not.
    package let match: RatedMatch?
    /// Whether the decision is kept for later debates on similar questions.
    package let isKept: Bool
    /// What webhook endpoints are told.
    package let notices: [EndNotice]

    package init(
        status: DebateStatus, consensus: ConsensusResult?, end: DebateEnd, receipt: StoredReceipt?,
        match: RatedMatch? = nil, isKept: Bool = false, notices: [EndNotice] = []
    ) {
        self.status = status
        self.consensus = consensus
        self.end = end
        self.receipt = receipt
        self.match = match
        self.isKept = isKept
        self.notices = notices
    }
}

/// Something that webhook endpoints are told, as they are sent it.
package struct EndNotice: Sendable, Hashable {
    package let event: WebhookEvent
    /// JSON.
    package let body: [UInt8]
    package init(event: WebhookEvent, body: [UInt8]) {
        self.event = event
        self.body = body
    }
}

/// A receipt as it is stored: the bytes that were signed, and what lists are filtered by.
package struct StoredReceipt: Sendable, Hashable {
    package let id: ReceiptID
    package let debate: DebateID
    /// The whole receipt, canonical JSON, signature included.
    package let document: [UInt8]
    package let verdict: Verdict
    package let confidence: Ratio
    /// Lowercase hex.
    package let checksum: String
    /// The checksum of its form without texts; nil for receipts that have none.
    package let redactedChecksum: String?
    package let isSigned: Bool
    package let createdAt: Timestamp
    /// Neither retention nor erasure touches it.
    package let isOnLegalHold: Bool

    package init(
        id: ReceiptID, debate: DebateID, document: [UInt8], verdict: Verdict, confidence: Ratio, checksum: String,
        redactedChecksum: String? = nil, isSigned: Bool, createdAt: Timestamp, isOnLegalHold: Bool = false
    ) {
        self.id = id
        self.debate = debate
        self.document = document
        self.verdict = verdict
        self.confidence = confidence
        self.checksum = checksum
        self.redactedChecksum = redactedChecksum
        self.isSigned = isSigned
        self.createdAt = createdAt
        self.isOnLegalHold = isOnLegalHold
    }
}

/// The log of every debate: one writer at a time, the holder of the debate's current lease epoch (design §2.1).
package protocol EventLog: Sendable {
    /// Appends under the epoch, in one statement. After a lost answer the same bytes are sent again, never recomputed.
    func append(_ batch: EventBatch) async throws(EventLogError) -> AppendResult

    /// Appends, and in the same statement writes the first intents of calls that these events make due: a phase is one
    /// commit. No request may leave before this returns.
    ///
    /// - Returns: what was granted may be sent now. For a call that is missing there (it has attempts already, the
    ///   answer to the first send was lost, or the phase could not be paid) ask ``RunStore/recordIntents(_:_:)``.
    func append(_ batch: EventBatch, intents: [CallIntent]) async throws(EventLogError) -> IntentResult

    /// Appends the last events, settles what is open (`intent` → `unknown`, allocation 0), stores the receipt, sets the
    /// terminal status and, last, moves the ratings of the agents, all in one transaction (design §2.5).
    func conclude(_ batch: EventBatch, _ conclusion: DebateConclusion) async throws(EventLogError) -> AppendResult

    /// Events from `seq` on, at most `limit`, in order. Any reader may call this.
    func read(_ debate: DebateID, from seq: Int64, limit: Int) async throws(EventLogError) -> [SealedEvent]
}

extension EventLog {
    package func append(_ batch: EventBatch, intents: [CallIntent]) async throws(EventLogError) -> IntentResult {
        _ = try await append(batch)
        return IntentResult(granted: [], answered: [], exhausted: [])
    }
}
