package import Domain
import PostgresClient

/// Intents, outcomes, commands and release.
extension PostgresRunStore {
    package func recordIntents(_ holding: Holding, _ intents: [CallIntent]) async throws(RunStoreError) -> IntentResult
    {
        guard !intents.isEmpty else { return IntentResult(granted: [], answered: [], exhausted: []) }
        do {
            // Sent again after a lost answer: the same rows are found by key and epoch.
            return try await resender.run { _ in
                try await pool.withTransaction { transaction in
                    try await Self.record(holding, intents, in: transaction)
                }
            }
        } catch {
            throw Self.error(error, "intents")
        }
    }

    private static func record(
        _ holding: Holding, _ intents: [CallIntent], in transaction: PGTransaction
    ) async throws -> IntentResult {
        // Two statements: the second one's snapshot is taken after the run is ours, and it waits for a zombie's outcome.
        let answers = try await transaction.queryPipelined([
            RunFence.locking(holding.debate), lockAttempts(holding.debate, intents.map(\.key)),
        ])
        _ = try fence(holding.debate, epoch: holding.epoch, answers[0])
        let plan = try IntentPlan(intents, known: try answers[1].map(CallRows.decode), epoch: holding.epoch)
        guard !plan.fresh.isEmpty else { return plan.result() }
        guard plan.fresh.contains(where: { $0.intent.reservation != nil }) else {
            _ = try await transaction.queryPipelined([insert(plan.fresh, holding), touch(holding.debate)])
            return plan.result()
        }
        let written = try await transaction.queryPipelined([
            PaidIntents.select(plan.fresh, holding.debate, epoch: holding.epoch), touch(holding.debate),
        ])
        return plan.result(after: try PaidIntents(written[0]))
    }

    /// Every attempt of the keys, locked against those who settle them, in the order of ``SettleStatement``.
    private static func lockAttempts(_ debate: DebateID, _ keys: [CallKey]) -> SQL {
        """
        SELECT \(raw: CallRows.columns) FROM agent_calls
        WHERE debate_id = \(debate) AND call_key = ANY (\(keys.map(\.text)) COLLATE "C")
        ORDER BY debate_id, call_key, attempt FOR NO KEY UPDATE
        """
    }

    private static func insert(_ fresh: [(intent: CallIntent, attempt: Int)], _ holding: Holding) -> SQL {
        """
        INSERT INTO agent_calls (debate_id, epoch, call_key, attempt, agent, provider, model, round)
        SELECT \(holding.debate), \(holding.epoch), i.* FROM unnest(
            \(fresh.map(\.intent.key.text)), \(fresh.map(\.attempt)), \(fresh.map(\.intent.agent)),
            \(fresh.map(\.intent.provider.rawValue)), \(fresh.map(\.intent.model)), \(fresh.map(\.intent.round)))
            AS i (call_key, attempt, agent, provider, model, round)
        """
    }

    private static func touch(_ debate: DebateID) -> SQL {
        "UPDATE debate_runs SET last_progress_at = now() WHERE debate_id = \(debate)"
    }

    package func settle(_ settlements: [CallSettlement]) async throws(RunStoreError) {
        guard !settlements.isEmpty else { return }
        do {
            _ = try await resender.run { _ in try await pool.execute(SettleStatement.alone(settlements)) }
        } catch {
            throw Self.error(error, "settle")
        }
    }

    package func commands(_ debate: DebateID, after number: Int64) async throws(RunStoreError) -> [DebateCommand] {
        do {
            return try CommandRows.decode(try await pool.query(CommandRows.after(debate, number)))
        } catch {
            throw Self.error(error, "commands")
        }
    }

    package func release(
        _ holding: Holding, runner: RunnerID, to status: DebateStatus
    ) async throws(RunStoreError) -> ReleaseResult {
        guard status == .queued || status == .paused else { throw .broken("released to \(status.rawValue)") }
        do {
            let rows = try await resender.run { _ in try await pool.query(Self.letGo(holding, runner, status)) }
            return rows.isEmpty ? try await whyNotReleased(holding, runner) : .released
        } catch {
            throw Self.error(error, "release")
        }
    }

    /// Commands are numbered on the run's row under its lock, so the row alone says whether one waits.
    private static func letGo(_ holding: Holding, _ runner: RunnerID, _ status: DebateStatus) -> SQL {
        """
        UPDATE debate_runs SET status = \(status), lease_owner = NULL, queued_at = now()
        WHERE debate_id = \(holding.debate) AND lease_owner = \(runner) AND lease_epoch = \(holding.epoch)
          AND next_command = consumed_seq + 1
        RETURNING debate_id
        """
    }

    private func whyNotReleased(_ holding: Holding, _ runner: RunnerID) async throws -> ReleaseResult {
        let rows = try await pool.query(
            """
            SELECT lease_owner, lease_epoch, status, consumed_seq FROM debate_runs WHERE debate_id = \(holding.debate)
            """)
        guard let row = rows.first, try row.int64("lease_epoch") == holding.epoch else { return .notOurs }
        if try row.runnerID("lease_owner") == runner {
            let waiting = try await pool.query(CommandRows.after(holding.debate, try row.int64("consumed_seq")))
            return .commandsWaiting(try CommandRows.decode(waiting))
        }
        // Nobody raised the epoch since, so it was our own release whose answer was lost.
        return try row.status("status").isTerminal ? .notOurs : .released
    }
}
