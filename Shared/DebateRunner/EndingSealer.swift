package import Crypto
package import Domain
import Ledger
package import Storage

/// Makes the last events of a debate that is ended from outside: cancelled, overdue, or given up.
///
/// For the closure of ``Takeover/end(_:because:seal:)``; pure but for randomness and signing, so the lock is held shortly.
package struct EndingSealer: Sendable {
    private let keys: @Sendable () -> KeyRing?

    /// - Parameter keys: sign the receipt, those in force when it is made; nil leaves it unsigned.
    package init(keys: @escaping @Sendable () -> KeyRing?) { self.keys = keys }

    /// - Parameters:
    ///   - status: terminal; with `.timeout` a `timeout` event and a receipt precede the end.
    ///   - reason: one sentence for people.
    ///   - now: the wall clock; no event is earlier than the log's last.
    /// - Throws: when the log can not be replayed, or nothing can be signed; nothing has happened then.
    package func seal(
        _ run: Takeover.LockedRun, as status: DebateStatus, reason: String, now: Timestamp
    ) throws -> Takeover.Ending {
        var replay = LogReplay(debate: run.debate)
        for event in run.events { try replay.take(event) }
        let at = replay.nextTime(now: now.milliseconds)
        var before = run.abandoned.map(DebateRun.abandonment)
        if status == .timeout, !replay.machine.hasTimedOut { before.append(.timeout(reason: reason)) }

        var chain = EventChain(debateID: run.debate, tail: replay.tail)
        let sealed = try chain.seal(before, at: at, epoch: run.epoch)
        for event in sealed { try replay.take(event) }
        guard let outcome = replay.machine.outcome(endedAs: status, reason: reason) else {
            throw RunStop.broken("\(run.debate) has no first event")
        }
        let ending = try DebateEnding(
            outcome, after: replay, before: sealed, epoch: run.epoch, at: at, keys: keys())
        return Takeover.Ending(events: ending.events, conclusion: ending.conclusion)
    }
}
