package import Domain
import Platform
package import PostgresClient

/// The log in Postgres. Every append is one statement; the end is one transaction.
package struct PostgresEventLog: EventLog {
    /// Events of one read at most.
    package static let maxReadLimit = 1000

    private let pool: PGPool
    private let resender: Resender
    private let ratings: RatingRules
    private let onKept: @Sendable (_ problem: String?) -> Void

    /// - Parameters:
    ///   - ratings: for the ends of debates.
    ///   - onKept: told of each conclusion that was kept, or why it could not be; its debate ended all the same.
    package init(
        pool: PGPool, ratings: RatingRules = .standard, resend: ResendPolicy = ResendPolicy(),
        onKept: @escaping @Sendable (_ problem: String?) -> Void = { _ in }
    ) {
        self.pool = pool
        self.ratings = ratings
        self.onKept = onKept
        resender = Resender(pool: pool, policy: resend)
    }

    // MARK: Append

    package func append(_ batch: EventBatch) async throws(EventLogError) -> AppendResult {
        let tail = try Self.tail(of: batch)
        return try await send(AppendStatement.make(batch, tail: tail), batch, tail).result
    }

    package func append(_ batch: EventBatch, intents: [CallIntent]) async throws(EventLogError) -> IntentResult {
        guard !intents.isEmpty else {
            _ = try await append(batch)
            return IntentResult(granted: [], answered: [], exhausted: [])
        }
        let tail = try Self.tail(of: batch)
        let rows = try await send(AppendStatement.make(batch, tail: tail, intents: intents), batch, tail).rows
        do {
            let granted = try rows.compactMap { try $0.optionalText("call_key") }
                .map { CallReference(key: CallKey($0), attempt: 1) }
            guard intents.contains(where: { $0.reservation != nil }) else {
                return IntentResult(granted: granted, answered: [], exhausted: [])
            }
            let paid = try PaidIntents(rows)
            return IntentResult(
                granted: granted, answered: [], exhausted: [], refusal: paid.refusal, alerts: paid.alerts)
        } catch {
            throw Self.logError(error, "append")
        }
    }

    /// - Returns: the statement's rows; none when an earlier send had committed.
    private func send(
        _ statement: SQL, _ batch: EventBatch, _ tail: LogTail
    ) async throws(EventLogError) -> (result: AppendResult, rows: [Row]) {
        do {
            let rows = try await resender.run { _ in try await pool.query(statement) }
            if try rows.first?.int("appended") == batch.events.count { return (.appended, rows) }
            return (try await examine(batch, tail), [])
        } catch let error as PGError where error.meansBug {
            // The whole statement was undone; what the calls cost stays true.
            try await settleAlone(batch.outcomes)
            throw .broken("append: \(error)")
        } catch {
            throw Self.logError(error, "append")
        }
    }

    /// Zero rows: one read decides. Our own bytes first, wherever they are in the log by now.
    private func examine(_ batch: EventBatch, _ tail: LogTail) async throws -> AppendResult {
        let rows = try await resender.run { _ in
            try await pool.query(RunFence.reading(batch.debate, looksFor: tail))
        }
        guard let row = rows.first else { throw EventLogError.broken("\(batch.debate) has no run") }
        if try row.bool("ours") { return .alreadyApplied }
        let fence = try RunFence(row)
        if let refusal = fence.refusal(of: batch.epoch) { throw refusal.asLogError }
        throw EventLogError.broken(Self.mismatch(batch, fence))
    }

    private func settleAlone(_ outcomes: [CallSettlement]) async throws(EventLogError) {
        guard !outcomes.isEmpty else { return }
        do {
            _ = try await resender.run { _ in try await pool.execute(SettleStatement.alone(outcomes)) }
        } catch {
            throw Self.logError(error, "settle")
        }
    }

    // MARK: The end

    package func conclude(_ batch: EventBatch, _ conclusion: DebateConclusion) async throws(EventLogError)
        -> AppendResult
    {
        let tail = try Self.tail(of: batch)
        do {
            return try await resender.run { _ in
                do {
                    try await pool.withTransaction { try await end(batch, conclusion, in: $0) }
                    return .appended
                } catch let error as PGError where error.sqlState == RunFence.refused {
                    try await settleAlone(batch.outcomes)
                    return try await examine(batch, tail)
                }
            }
        } catch let error as PGError where error.meansBug {
            try await settleAlone(batch.outcomes)
            throw .broken("conclude: \(error)")
        } catch {
            throw Self.logError(error, "conclude")
        }
    }

    /// Everything but the ratings is written in one round trip. Their lock, which all debates share, is taken and given
    /// back in the second, together with the commit: it is never held while this process has something else to do.
    private func end(
        _ batch: EventBatch, _ conclusion: DebateConclusion, in transaction: PGTransaction
    ) async throws {
        let settle = batch.outcomes.isEmpty ? [] : [SettleStatement.underLock(batch.outcomes)]
        let answers = try await transaction.queryPipelined(
            [RunFence.holding(batch.debate, epoch: batch.epoch, at: batch.previous)] + settle
                + EndStatements.make(
                    batch.debate, epoch: batch.epoch, events: batch.events, consumedCommands: batch.consumedCommands,
                    conclusion))
        KillPoint.reach(.insideTheEnd)
        let at = batch.events[batch.events.count - 1].at
        let rating = conclusion.match.map { MatchRecorder.rate($0, of: batch.debate, at: at, rules: ratings) }
        try await transaction.commit(after: rating.map { [$0] } ?? [])
        if conclusion.isKept { onKept(try answers.last?.first?.optionalText("problem")) }
    }

    // MARK: Read

    package func read(_ debate: DebateID, from seq: Int64, limit: Int) async throws(EventLogError) -> [SealedEvent] {
        do {
            let bounded = min(max(limit, 1), Self.maxReadLimit)
            return try EventRows.decode(try await pool.query(EventRows.select(debate, from: seq, limit: bounded)))
        } catch {
            throw Self.logError(error, "read")
        }
    }

    // MARK: Errors

    /// Where the log stands after the batch.
    private static func tail(of batch: EventBatch) throws(EventLogError) -> LogTail {
        guard let last = batch.events.last else { throw .broken("an append without events") }
        if let misfit = EventRows.misfit(batch.events, after: batch.previous, epoch: batch.epoch) {
            throw .broken(misfit)
        }
        return LogTail(seq: last.seq, hash: last.hash)
    }

    private static func mismatch(_ batch: EventBatch, _ fence: RunFence) -> String {
        """
        \(batch.debate): the holder of epoch \(batch.epoch) believes the log stands at \(batch.previous.seq), \
        it stands at \(fence.tail.seq)
        """
    }

    private static func logError(_ error: any Error, _ what: String) -> EventLogError {
        switch error {
        case let error as EventLogError: error
        case let error as PGError where error.meansBug: .broken("\(what): \(error)")
        default: .unavailable("\(what): \(error)")
        }
    }
}
