import Crypto
import Domain
import Ledger
import TestSupport

/// A whole debate of two rounds of the real machine, sealed, with its receipt: what a runner leaves behind.
struct FinishedDebate {
    private(set) var events: [SealedEvent] = []
    private(set) var receipt: StoredReceipt
    private(set) var outcome: DebateOutcome

    private struct Stuck: Error {}

    init(keys: KeyRing?, previous: String? = nil) throws {
        var machine = DebateMachine()
        var chain = EventChain(debateID: SampleDebate.id)
        var transcript = Transcript()
        var events: [SealedEvent] = []
        func append(_ event: DebateEvent) throws {
            let index = events.count
            let at = SampleDebate.time(ofEvent: index)
            try machine.apply(event, at: at)
            let salt = (0..<16).map { UInt8(truncatingIfNeeded: $0 &+ index &* 31) }
            let sealed = chain.seal(event, at: at, epoch: 1, salt: salt)
            transcript.add(sealed)
            events.append(sealed)
        }
        try append(.debateStart(DebateStart(spec: try SampleDebate.spec(), engineVersion: .current)))
        var outcome: DebateOutcome?
        while outcome == nil {
            switch machine.due.first {
            case .record(let due): for event in due { try append(event) }
            case .call(let call): try append(ReplyParser.event(for: call, answer: Self.answer(call), attempt: 1))
            case .finish(let finished): outcome = finished
            case nil: throw Stuck()
            }
        }
        guard let outcome else { throw Stuck() }
        let at = SampleDebate.time(ofEvent: events.count)
        receipt = ReceiptIssuer.issue(
            id: SampleDebate.receiptID, debateID: SampleDebate.id, outcome: outcome, head: chain.tail,
            transcript: transcript,
            at: at, previous: previous, salt: Array(100..<116), keys: keys)
        try append(.receiptGenerated(receipt.summary))
        try append(.debateEnd(outcome.debateEnd(at: at)))
        self.events = events
        self.outcome = outcome
    }

    private static func answer(_ call: PlannedCall) -> Answer {
        let text =
            switch call.phase {
            case .propose, .revise:
                "\(call.agent.name) says in round \(call.round): Postgres – “boring”, and that is fine."
            case .critique: "It does not say why.\nSEVERITY: 0.4"
            case .judge: "DECISION: Use Postgres.\nCONFIDENCE: 0.7\nDISSENT: none"
            case .ballot, .vote: "CHOICE: claude-1\nCONFIDENCE: 0.8\nCONTINUE: no\nREASONING: It is clear."
            }
        return Answer(
            content: text, provider: call.agent.provider, model: call.agent.model,
            usage: Usage(inputTokens: 11, outputTokens: 7, cost: MicroUSD(123)), truncated: false)
    }
}
