package import Domain
import Platform
package import PostgresClient

/// Takes what people ask of a running debate: pause, resume, a message.
package struct CommandStore: Sendable {
    /// Commands that may wait for their holder; one more is refused.
    package static let maxWaiting = CommandRows.maxCommands

    private let pool: PGPool
    private let resender: Resender

    package init(pool: PGPool, resend: ResendPolicy = ResendPolicy()) {
        self.pool = pool
        resender = Resender(pool: pool, policy: resend)
    }

    /// A debate without a holder, which the caller holds for this transaction.
    package struct VacantRun: Sendable {
        package let debate: DebateID
        package let status: DebateStatus
        /// Seal events under this one.
        package let epoch: Int64
        package let tail: LogTail
    }

    package enum Outcome: Sendable, Hashable {
        /// The holder turns it into an event at its next step. Ring `control`.
        case stored(number: Int64)
        /// Nobody held it: it is an event already, and the debate has this status now.
        case applied(event: SealedEvent, status: DebateStatus)
        /// It asks for what is so already.
        case unchanged(DebateStatus)
        case ended(DebateStatus)
        /// Too many commands wait.
        case tooMany
        case notFound
    }

    /// Stores a command for the holder, or applies it when there is none.
    ///
    /// - Parameter seal: makes the one event of the command after the run's tail; not called when there is a holder.
    /// - Throws: ``StorageError``; after `.unavailable` the command may have been taken.
    package func take(
        _ kind: DebateCommand.Kind, of debate: DebateID, by author: String, seal: @Sendable (VacantRun) -> SealedEvent
    ) async throws(StorageError) -> Outcome {
        let sent = Lock<Outcome?>(nil)
        do {
            return try await resender.run { _ in
                try await pool.withTransaction { transaction in
                    try await Self.take(kind, debate, author, sent, seal, in: transaction)
                }
            }
        } catch let error as StorageError {
            throw error
        } catch let error as PGError {
            throw StorageError(error, "command")
        } catch {
            throw StorageError(.unavailable, "command: \(error)")
        }
    }

    private static func take(
        _ kind: DebateCommand.Kind, _ debate: DebateID, _ author: String, _ sent: Lock<Outcome?>,
        _ seal: (VacantRun) -> SealedEvent, in transaction: PGTransaction
    ) async throws -> Outcome {
        let answers = try await transaction.queryPipelined([RunFence.locking(debate), counters(debate)])
        guard let row = answers[0].first, let counters = answers[1].first else { return .notFound }
        if let earlier = try await committed(sent, debate, kind, author, in: transaction) { return earlier }
        let fence = try RunFence(row)
        guard !fence.status.isTerminal else { return .ended(fence.status) }
        if fence.status == .running {
            guard try counters.int("waiting") < maxWaiting else { return .tooMany }
            let outcome = Outcome.stored(number: try counters.int64("next_command"))
            sent.withLock { $0 = outcome }
            _ = try await transaction.queryPipelined(store(kind, debate, author))
            return outcome
        }
        return try await apply(kind, fence, debate, sent, seal, in: transaction)
    }

    private static func apply(
        _ kind: DebateCommand.Kind, _ fence: RunFence, _ debate: DebateID, _ sent: Lock<Outcome?>,
        _ seal: (VacantRun) -> SealedEvent, in transaction: PGTransaction
    ) async throws -> Outcome {
        guard let status = status(after: kind, fence.status) else { return .unchanged(fence.status) }
        let epoch = fence.epoch + 1
        let event = seal(VacantRun(debate: debate, status: fence.status, epoch: epoch, tail: fence.tail))
        if let misfit = EventRows.misfit([event], after: fence.tail, epoch: epoch) {
            throw StorageError(.broken, "\(debate): \(misfit)")
        }
        let outcome = Outcome.applied(event: event, status: status)
        sent.withLock { $0 = outcome }
        _ = try await transaction.queryPipelined([
            EventRows.insert([event], of: debate), move(debate, epoch, event, status),
        ])
        return outcome
    }

    /// Where a command takes a debate that nobody holds; nil when it is there already.
    private static func status(after kind: DebateCommand.Kind, _ status: DebateStatus) -> DebateStatus? {
        switch (kind, status) {
        case (.pause, .queued): .paused
        case (.resume, .paused): .queued
        case (.remark, _): status
        case (.pause, _), (.resume, _): nil
        }
    }

    /// What an earlier try committed although its answer was lost; nil when it left nothing.
    private static func committed(
        _ sent: Lock<Outcome?>, _ debate: DebateID, _ kind: DebateCommand.Kind, _ author: String,
        in transaction: PGTransaction
    ) async throws -> Outcome? {
        guard let earlier = sent.withLock({ $0 }) else { return nil }
        let rows: [Row]
        switch earlier {
        case .stored(let number):
            let (name, content, round) = CommandRows.columns(kind)
            rows = try await transaction.query(
                """
                SELECT number FROM debate_commands WHERE debate_id = \(debate) AND number = \(number) AND kind = \(name)
                  AND author = \(author) AND content IS NOT DISTINCT FROM \(content)
                  AND first_round IS NOT DISTINCT FROM \(round)
                """)
        case .applied(let event, _):
            rows = try await transaction.query(
                "SELECT seq FROM debate_events WHERE debate_id = \(debate) AND seq = \(event.seq) AND hash = \(event.hash)"
            )
        case .unchanged, .ended, .tooMany, .notFound: return nil
        }
        return rows.isEmpty ? nil : earlier
    }

    private static func counters(_ debate: DebateID) -> SQL {
        """
        SELECT next_command, next_command - 1 - consumed_seq AS waiting FROM debate_runs WHERE debate_id = \(debate)
        """
    }

    private static func store(_ kind: DebateCommand.Kind, _ debate: DebateID, _ author: String) -> [SQL] {
        let (name, content, round) = CommandRows.columns(kind)
        return [
            """
            INSERT INTO debate_commands (debate_id, number, kind, content, first_round, author)
            SELECT debate_id, next_command, \(name), \(content), \(round), \(author) FROM debate_runs WHERE debate_id = \(debate)
            """,
            "UPDATE debate_runs SET next_command = next_command + 1 WHERE debate_id = \(debate)",
        ]
    }

    private static func move(_ debate: DebateID, _ epoch: Int64, _ event: SealedEvent, _ status: DebateStatus) -> SQL {
        """
        UPDATE debate_runs
        SET status = \(status), lease_epoch = \(epoch), last_seq = \(event.seq), last_hash = \(event.hash),
            last_progress_at = now(), queued_at = CASE WHEN \(status) = 'queued' AND status <> 'queued' THEN now() ELSE queued_at END
        WHERE debate_id = \(debate)
        """
    }
}
