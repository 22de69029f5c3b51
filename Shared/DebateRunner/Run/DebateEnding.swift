import Contracts
import Crypto
import Domain
import Ledger

/// The last events of a debate, and what is stored with them.
struct DebateEnding {
    let events: [SealedEvent]
    let conclusion: DebateConclusion

    /// Seals the receipt, if the outcome has one, and the end, after `replay`'s log.
    ///
    /// - Parameters:
    ///   - before: events that precede them in the same append.
    ///   - previousReceipt: the checksum of one that is in the receipt log.
    /// - Throws: ``RunStop``.
    init(
        _ outcome: DebateOutcome, after replay: LogReplay, before: [SealedEvent] = [], epoch: Int64, at: Timestamp,
        previousReceipt: String? = nil, keys: KeyRing?
    ) throws(RunStop) {
        var chain = EventChain(debateID: replay.debate, tail: replay.tail)
        let end = outcome.debateEnd(at: at)
        var last: [DebateEvent] = []
        var receipt: StoredReceipt?
        do {
            if outcome.needsReceipt {
                let issued = ReceiptIssuer.issue(
                    id: ReceiptID(milliseconds: at.milliseconds, random: try RandomBytes.make(10)),
                    debateID: replay.debate,
                    outcome: outcome, head: replay.tail, transcript: replay.transcript, at: at,
                    previous: previousReceipt, salt: try RandomBytes.make(ReceiptIssuer.saltLength), keys: keys)
                receipt = issued
                last.append(.receiptGenerated(issued.summary))
            }
            last.append(.debateEnd(end))
            events = before + (try chain.seal(last, at: at, epoch: epoch))
        } catch {
            throw .unavailable("no end could be made: \(error)")
        }
        conclusion = DebateConclusion(
            status: outcome.status, consensus: outcome.consensus, end: end, receipt: receipt,
            match: RatedMatch(outcome), isKept: outcome.isKept,
            notices: WebhookPayload.notices(of: replay.debate, end, at: at, receipt: receipt))
    }
}
