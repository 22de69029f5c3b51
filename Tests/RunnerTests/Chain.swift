import Domain
import Ledger
import Platform

/// Seals one event after a tail, as the API does for a command that finds no holder.
struct Chain {
    private var chain: EventChain

    init(_ debate: DebateID, _ tail: LogTail) { chain = EventChain(debateID: debate, tail: tail) }

    mutating func seal(_ event: DebateEvent, epoch: Int64) -> SealedEvent {
        let salt = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        return chain.seal(event, at: Timestamp(milliseconds: WallClock.nowMilliseconds()), epoch: epoch, salt: salt)
    }
}
