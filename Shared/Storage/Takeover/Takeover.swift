package import Domain
import Platform
package import PostgresClient

/// Ends debates from outside: whoever cancels, times out or gives up becomes the holder for one transaction.
///
/// The epoch is raised, so the old runner's next append or renewal is refused; ring it on `control` after the commit.
package struct Takeover: Sendable {
    let pool: PGPool
    let log: PostgresEventLog
    let resender: Resender

    package init(pool: PGPool, resend: ResendPolicy = ResendPolicy()) {
        self.pool = pool
        log = PostgresEventLog(pool: pool, resend: resend)
        resender = Resender(pool: pool, policy: resend)
    }

    /// Why a debate is ended from outside; looked at again under the lock.
    package enum Reason: Sendable {
        case cancelled
        /// Its own timeout has passed.
        case overdue
        /// No event and no change of a call for this long.
        case stalled(Duration)
        /// Adopted this often without progress, and its runner is dead (or one of `dead`).
        case exhausted(attempts: Int, dead: [RunnerID])
    }

    /// A debate under its lock, held by us under the raised `epoch`.
    package struct LockedRun: Sendable {
        package let debate: DebateID
        package let status: DebateStatus
        /// Seal events under this one.
        package let epoch: Int64
        package let engineVersion: EngineVersion
        /// The whole log, ascending; events follow its last.
        package let events: [SealedEvent]
        /// Every attempt, after open intents became `unknown`.
        package let calls: [CallRecord]
        /// Unknown attempts that no `call_abandoned` event names yet; one each must precede the end.
        package let abandoned: [CallRecord]
        /// Who had it, if anybody.
        package let owner: RunnerID?

        package var tail: LogTail { LogTail(seq: events[events.count - 1].seq, hash: events[events.count - 1].hash) }
    }

    /// What the end consists of.
    package struct Ending: Sendable {
        /// Abandonments first, `debate_end` last.
        package let events: [SealedEvent]
        package let conclusion: DebateConclusion
        package init(events: [SealedEvent], conclusion: DebateConclusion) {
            self.events = events
            self.conclusion = conclusion
        }
    }

    package enum Outcome: Sendable {
        /// `owner` had it until now.
        case ended(events: [SealedEvent], epoch: Int64, owner: RunnerID?)
        case alreadyEnded(DebateStatus)
        /// The reason no longer holds: it made progress, or its runner is back.
        case notDue
        case notFound
    }

    /// Ends a debate, once, in one transaction.
    ///
    /// - Parameter seal: makes the last events from the locked run; must be quick, since the run is locked meanwhile.
    /// - Throws: ``StorageError``; after `.unavailable` the debate may have ended, and calling again finds out. Whatever
    ///   `seal` throws, and then nothing has happened.
    package func end(
        _ debate: DebateID, because reason: Reason, seal: @Sendable (LockedRun) throws -> Ending
    ) async throws -> Outcome {
        let known = try await readAhead(debate)
        let sent = Lock<Outcome?>(nil)
        do {
            return try await resender.run { _ in
                try await pool.withTransaction { transaction in
                    try await Self.end(debate, reason, known, sent, seal, in: transaction)
                }
            }
        } catch let error as PGError {
            throw StorageError(error, "end")
        }
    }

    /// Most of the log is read before the lock, so that the lock is held for the rest of it only.
    private func readAhead(_ debate: DebateID) async throws -> [SealedEvent] {
        var events: [SealedEvent] = []
        do {
            while true {
                let page = try await log.read(
                    debate, from: Int64(events.count) + 1, limit: PostgresEventLog.maxReadLimit)
                events += page
                if page.count < PostgresEventLog.maxReadLimit { return events }
            }
        } catch {
            throw StorageError(.unavailable, "end: \(error)")
        }
    }

    private static func end(
        _ debate: DebateID, _ reason: Reason, _ known: [SealedEvent], _ sent: Lock<Outcome?>,
        _ seal: (LockedRun) throws -> Ending, in transaction: PGTransaction
    ) async throws -> Outcome {
        guard let row = try await transaction.query(LockedRow.lock(debate, reason)).first else { return .notFound }
        let locked = try LockedRow(row)
        if locked.fence.status.isTerminal { return ours(sent, locked.fence) ?? .alreadyEnded(locked.fence.status) }
        guard locked.isDue else { return .notDue }

        let run = try await fill(debate, locked, known, in: transaction)
        let ending = try seal(run)
        guard let last = ending.events.last else { throw StorageError(.broken, "an end without events") }
        if let misfit = EventRows.misfit(ending.events, after: run.tail, epoch: run.epoch) {
            throw StorageError(.broken, "\(debate): \(misfit)")
        }
        guard last.type == "debate_end" else {
            throw StorageError(.broken, "\(debate): the last event is \(last.type)")
        }
        let outcome = Outcome.ended(events: ending.events, epoch: run.epoch, owner: locked.owner)
        sent.withLock { $0 = outcome }
        _ = try await transaction.queryPipelined(
            [CallRows.markAbandonmentsLogged(debate)]
                + EndStatements.make(
                    debate, epoch: run.epoch, events: ending.events, consumedCommands: nil, ending.conclusion))
        KillPoint.reach(.insideTheEnd)
        return outcome
    }

    /// An own commit whose answer was lost is still our end.
    private static func ours(_ sent: Lock<Outcome?>, _ fence: RunFence) -> Outcome? {
        guard let outcome = sent.withLock({ $0 }), case .ended(let events, _, _) = outcome else { return nil }
        return events.last?.hash == fence.tail.hash ? outcome : nil
    }

    private static func fill(
        _ debate: DebateID, _ locked: LockedRow, _ known: [SealedEvent], in transaction: PGTransaction
    ) async throws -> LockedRun {
        let epoch = locked.fence.epoch + 1
        let answers = try await transaction.queryPipelined([
            CallRows.giveUpIntents(debate, before: epoch),
            CallRows.select(debate),
            EventRows.select(debate, from: Int64(known.count) + 1, limit: Int(Int32.max)),
        ])
        let events = known + (try EventRows.decode(answers[2]))
        guard events.last?.seq == locked.fence.tail.seq, events.last?.hash == locked.fence.tail.hash else {
            throw StorageError(.broken, "\(debate): the log does not end where its run says")
        }
        return LockedRun(
            debate: debate, status: locked.fence.status, epoch: epoch, engineVersion: locked.engineVersion,
            events: events,
            calls: try answers[1].map(CallRows.decode),
            abandoned: try answers[1].filter { try PostgresRunStore.isAbandoned($0) }.map(CallRows.decode),
            owner: locked.owner)
    }
}
