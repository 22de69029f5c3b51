import Contracts
import Domain
import Ledger

/// A log taken in event by event: every link checked, every event given to the machine.
struct LogReplay: Sendable {
    let debate: DebateID
    private(set) var machine = DebateMachine()
    /// For the receipt.
    private(set) var transcript = Transcript()
    private var verifier: ChainVerifier

    init(debate: DebateID) {
        self.debate = debate
        verifier = ChainVerifier(debateID: debate)
    }

    var tail: LogTail { verifier.tail }

    /// Takes in a stored event.
    /// - Throws: ``RunStop`` `.broken`: the log is not one that this program has written.
    mutating func take(_ sealed: SealedEvent) throws(RunStop) {
        do {
            try verifier.feed(sealed)
            // The debate it came from was erased: this one goes on without it.
            if sealed.isErased, sealed.type == DebateEvent.recallType { return transcript.add(sealed) }
            try machine.take(try EventCodec.decode(sealed), at: sealed.at)
        } catch {
            throw .broken("event \(sealed.seq) can not be replayed: \(error)")
        }
        transcript.add(sealed)
    }

    /// Gives a branch what its parent left it; whoever plans no calls need not.
    mutating func inherit(_ inheritance: Inheritance) { machine.inherit(inheritance) }

    /// Moves on to what was just committed: sealed here, and applied to `machine` already.
    mutating func committed(_ events: [SealedEvent], machine: DebateMachine) throws(RunStop) {
        for sealed in events {
            do { try verifier.feed(sealedHere: sealed) } catch { throw .broken("\(error)") }
            transcript.add(sealed)
        }
        self.machine = machine
    }

    /// The time of an event that is made now: never before the one before it, whatever this machine's clock says.
    func nextTime(now milliseconds: Int64) -> Timestamp {
        let now = Timestamp(milliseconds: milliseconds)
        return machine.now.map { max($0, now) } ?? now
    }
}
