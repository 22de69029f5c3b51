package import Domain
import Platform
import PostgresClient

/// The first transaction of a claim.
extension PostgresRunStore {
    package func begin(
        _ claim: Claim, seal: @Sendable (RunSnapshot) -> [SealedEvent]
    ) async throws(RunStoreError) -> RunSnapshot {
        // What an earlier try sent. The run's lock makes its fate known: committed, then its tail is there; or gone.
        let sent = Lock<(snapshot: RunSnapshot, tail: LogTail)?>(nil)
        do {
            return try await resender.run { _ in
                try await pool.withTransaction { transaction in
                    try await Self.begin(claim, seal, sent, in: transaction)
                }
            }
        } catch {
            throw Self.error(error, "begin")
        }
    }

    private static func begin(
        _ claim: Claim, _ seal: (RunSnapshot) -> [SealedEvent], _ sent: Lock<(snapshot: RunSnapshot, tail: LogTail)?>,
        in transaction: PGTransaction
    ) async throws -> RunSnapshot {
        let answers = try await transaction.queryPipelined([
            RunFence.locking(claim.debate),
            CallRows.giveUpIntents(claim.debate, before: claim.epoch),
            CallRows.select(claim.debate),
            consumedAndLeft(claim.debate),
            CommandRows.waiting(claim.debate),
        ])
        let fence = try fence(claim.debate, epoch: claim.epoch, answers[0])
        if let earlier = sent.withLock({ $0 }), earlier.tail == fence.tail { return earlier.snapshot }

        let snapshot = RunSnapshot(
            tail: fence.tail, consumedCommands: try answers[3].first?.int64("consumed_seq") ?? 0,
            commands: try CommandRows.decode(answers[4]), calls: try answers[2].map(CallRows.decode),
            abandoned: try answers[2].filter { try isAbandoned($0) }.map(CallRows.decode),
            timeLeft: .milliseconds(try answers[3].first?.int64("milliseconds_left") ?? 0))
        let events = seal(snapshot)
        guard let last = events.last else { return snapshot }
        if let misfit = EventRows.misfit(events, after: fence.tail, epoch: claim.epoch) {
            throw RunStoreError.broken(misfit)
        }
        sent.withLock { $0 = (snapshot, LogTail(seq: last.seq, hash: last.hash)) }
        _ = try await transaction.queryPipelined([
            EventRows.insert(events, of: claim.debate),
            advance(claim.debate, to: last),
            CallRows.markAbandonmentsLogged(claim.debate),
        ])
        return snapshot
    }

    static func isAbandoned(_ row: Row) throws(PGError) -> Bool {
        let isLogged = try row.bool("abandonment_logged")
        return try row.text("state") == CallState.unknown.rawValue && !isLogged
    }

    private static func consumedAndLeft(_ debate: DebateID) -> SQL {
        """
        SELECT consumed_seq, (extract(epoch FROM deadline - clock_timestamp()) * 1000)::bigint AS milliseconds_left
        FROM debate_runs WHERE debate_id = \(debate)
        """
    }

    /// Moves the tail of a run that is locked and was compared.
    static func advance(_ debate: DebateID, to last: SealedEvent) -> SQL {
        """
        UPDATE debate_runs SET last_seq = \(last.seq), last_hash = \(last.hash), last_progress_at = now()
        WHERE debate_id = \(debate)
        """
    }
}
