import Domain
import PostgresClient

/// The one statement of an append (design §2.1). Its row lock on the run orders everything.
///
/// Outcomes are facts and are settled whatever the fence says; the gate only fixes the lock order: run, then calls.
/// A queued or paused run has no holder, so `status = 'running'` is narrower than "not terminal".
enum AppendStatement {
    /// Counts the appended events, on every row.
    static func make(_ batch: EventBatch, tail: LogTail) -> SQL {
        "\(append(batch, tail)) SELECT count(*) AS appended FROM event"
    }

    /// The same with the first intents of calls; a row for each that was written.
    ///
    /// The run's row is ours from here to the commit, so nobody else writes intents meanwhile. A key that has an attempt
    /// already, answered or not, is left alone.
    static func make(_ batch: EventBatch, tail: LogTail, intents: [CallIntent]) -> SQL {
        guard intents.allSatisfy({ $0.reservation == nil }) else { return paid(batch, tail, intents) }
        return """
            \(append(batch, tail)), intent AS (
                INSERT INTO agent_calls (debate_id, epoch, attempt, call_key, agent, provider, model, round)
                SELECT run.debate_id, \(batch.epoch), 1, (\(intents.map(\.key.text)))[i],
                    (\(intents.map(\.agent)))[i], (\(intents.map(\.provider.rawValue)))[i],
                    (\(intents.map(\.model)))[i], (\(intents.map(\.round)))[i]
                FROM run CROSS JOIN generate_series(1, \(intents.count)::integer) AS i
                ON CONFLICT DO NOTHING
                RETURNING call_key
            )
            SELECT appended, call_key FROM (SELECT count(*) AS appended FROM event) AS log LEFT JOIN intent ON true
            """
    }

    /// With intents that cost something. What was settled comes first, since it frees what it had reserved.
    private static func paid(_ batch: EventBatch, _ tail: LogTail, _ intents: [CallIntent]) -> SQL {
        let mayWrite: SQL =
            batch.outcomes.isEmpty
            ? "log.appended > 0" : "log.appended > 0 AND (SELECT count(*) FROM settled) >= 0"
        return """
            \(append(batch, tail))
            SELECT log.appended, phase.written AS call_key, phase.* FROM (SELECT count(*) AS appended FROM event) AS log
            LEFT JOIN LATERAL \(
                PaidIntents.write(intents.map { ($0, 1) }, batch.debate, epoch: batch.epoch, if: mayWrite))
                AS phase ON true
            """
    }

    private static func append(_ batch: EventBatch, _ tail: LogTail) -> SQL {
        let consumesOutcome = batch.events.contains { $0.call != nil }
        return """
            WITH run AS (
                UPDATE debate_runs
                SET last_seq = \(tail.seq), last_hash = \(tail.hash), last_progress_at = now(),
                    consumed_seq = greatest(consumed_seq, \(batch.consumedCommands ?? 0)),
                    attempts = CASE WHEN \(consumesOutcome) THEN 0 ELSE attempts END
                WHERE debate_id = \(batch.debate) AND status = 'running' AND lease_epoch = \(batch.epoch)
                  AND last_seq = \(batch.previous.seq) AND last_hash = \(batch.previous.hash)
                RETURNING debate_id
            ), \(settling(batch.outcomes))event AS (
                INSERT INTO debate_events (debate_id, \(raw: EventRows.columns))
                SELECT run.debate_id, \(raw: EventRows.selected) FROM run CROSS JOIN \(EventRows.table(batch.events))
                RETURNING seq
            )
            """
    }

    /// Nothing at all when nothing is to be settled: a join with no rows was planned as one with every call there is.
    private static func settling(_ outcomes: [CallSettlement]) -> SQL {
        guard !outcomes.isEmpty else { return "" }
        return "\(SettleStatement.clauses(outcomes, gate: "(SELECT count(*) FROM run) >= 0")), "
    }
}
