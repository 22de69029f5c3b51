import Contracts
package import Crypto
package import Domain
import Ledger
package import Storage

/// Makes the last events of a debate that is ended from outside: cancelled, overdue, or given up.
///
/// For the closure of ``Takeover/end(_:because:seal:)``; pure but for randomness and signing, so the lock is held shortly.
package struct EndingSealer: Sendable {
    private let keys: @Sendable () -> KeyRing?
    private let previousReceipt: @Sendable () -> String?

    /// - Parameters:
    ///   - keys: sign the receipt, those in force when it is made; nil leaves it unsigned.
    ///   - previousReceipt: the checksum of one that is in the receipt log.
    package init(
        keys: @escaping @Sendable () -> KeyRing?, previousReceipt: @escaping @Sendable () -> String? = { nil }
    ) {
        self.keys = keys
        self.previousReceipt = previousReceipt
    }

    /// - Parameters:
    ///   - status: terminal; with `.timeout` a `timeout` event and a receipt precede the end.
    ///   - reason: one sentence for people.
    ///   - now: the wall clock; no event is earlier than the log's last.
    /// - Throws: when nothing can be sealed or signed; nothing has happened then.
    package func seal(
        _ run: Takeover.LockedRun, as status: DebateStatus, reason: String, now: Timestamp
    ) throws -> Takeover.Ending {
        do throws(RunStop) {
            return try replayed(run, as: status, reason: reason, now: now)
        } catch {
            // Nobody can go on with it, and nobody could end it either: it would stay open for ever.
            guard case .broken = error, status != .completed else { throw error }
            return try unreplayable(run, as: status, reason: reason, now: now)
        }
    }

    private func replayed(
        _ run: Takeover.LockedRun, as status: DebateStatus, reason: String, now: Timestamp
    ) throws(RunStop) -> Takeover.Ending {
        var replay = LogReplay(debate: run.debate)
        for event in run.events { try replay.take(event) }
        let at = replay.nextTime(now: now.milliseconds)
        var before = run.abandoned.map(\.abandonment)
        if status == .timeout, !replay.machine.hasTimedOut {
            before.append(replay.machine.spec?.timeout ?? .timeout(reason: reason))
        }

        var chain = EventChain(debateID: run.debate, tail: replay.tail)
        let sealed = try Self.seal(before, &chain, at: at, epoch: run.epoch)
        for event in sealed { try replay.take(event) }
        guard let outcome = replay.machine.ending(as: status, reason: reason) else {
            throw RunStop.broken("\(run.debate) has no first event")
        }
        let ending = try DebateEnding(
            outcome, after: replay, before: sealed, epoch: run.epoch, at: at, previousReceipt: previousReceipt(),
            keys: keys())
        return Takeover.Ending(events: ending.events, conclusion: ending.conclusion)
    }

    /// The end of a debate whose log this program can not follow: behind what is there, without a receipt, since nothing
    /// could be vouched for. A time that ran out makes it failed, too.
    private func unreplayable(
        _ run: Takeover.LockedRun, as status: DebateStatus, reason: String, now: Timestamp
    ) throws(RunStop) -> Takeover.Ending {
        let at = run.events.last.map { max($0.at, now) } ?? now
        var rounds = 0
        if let first = run.events.first, case .debateStart(let start) = try? EventCodec.decode(first) {
            rounds = start.spec.rounds
        }
        let seconds = Double(at.milliseconds - (run.events.first?.at ?? at).milliseconds) / 1000
        let end = DebateEnd(
            status: status == .cancelled ? .cancelled : .failed, reason: "\(reason) Its log can not be replayed.",
            result: nil, totalRounds: rounds, roundsUsed: run.events.map(\.round).max() ?? 0, consensusReached: false,
            confidence: .zero, duration: Ratio(seconds),
            cost: MicroUSD(run.calls.reduce(0) { $0 + ($1.answer?.usage.cost.amount ?? 0) }))
        var chain = EventChain(debateID: run.debate, tail: run.tail)
        let events = try Self.seal(
            run.abandoned.map(\.abandonment) + [.debateEnd(end)], &chain, at: at, epoch: run.epoch)
        return Takeover.Ending(
            events: events,
            conclusion: DebateConclusion(
                status: end.status, consensus: nil, end: end, receipt: nil,
                notices: WebhookPayload.notices(of: run.debate, end, at: at, receipt: nil)))
    }

    private static func seal(
        _ events: [DebateEvent], _ chain: inout EventChain, at: Timestamp, epoch: Int64
    ) throws(RunStop) -> [SealedEvent] {
        do { return try chain.seal(events, at: at, epoch: epoch) } catch {
            throw .unavailable("no end could be made: \(error)")
        }
    }
}
