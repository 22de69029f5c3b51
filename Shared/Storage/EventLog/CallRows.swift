import Domain
import PostgresClient

/// Attempts of calls as rows of `agent_calls`.
enum CallRows {
    static let columns = """
        call_key, attempt, agent, epoch, state, content, truncated, failure, answer_provider, answer_model, input_tokens, \
        output_tokens, cost_micro_usd, abandonment_logged
        """

    static func decode(_ row: Row) throws(PGError) -> CallRecord {
        let state: CallState = try row.member("state")
        var answer: Answer?
        if state == .answered {
            answer = Answer(
                content: try row.text("content"), provider: try row.member("answer_provider"),
                model: try row.text("answer_model"),
                usage: Usage(
                    inputTokens: try row.int("input_tokens"), outputTokens: try row.int("output_tokens"),
                    cost: MicroUSD(try row.int64("cost_micro_usd"))),
                truncated: try row.bool("truncated"))
        }
        return CallRecord(
            reference: CallReference(key: CallKey(try row.text("call_key")), attempt: try row.int("attempt")),
            agent: try row.text("agent"), epoch: try row.int64("epoch"), state: state, answer: answer,
            failure: try row.optionalMember("failure"))
    }

    static func select(_ debate: DebateID) -> SQL {
        "SELECT \(raw: columns) FROM agent_calls WHERE debate_id = \(debate) ORDER BY call_key, attempt"
    }

    /// What an older holder left in flight: it may have been paid for. All are locked before the first moves money, in the
    /// order of ``SettleStatement``.
    static func giveUpIntents(_ debate: DebateID, before epoch: Int64) -> SQL {
        """
        WITH open AS (
            SELECT c.call_key, c.attempt FROM agent_calls c
            WHERE c.debate_id = \(debate) AND c.state = 'intent' AND c.epoch < \(epoch)
            ORDER BY c.debate_id, c.call_key, c.attempt FOR NO KEY UPDATE
        )
        UPDATE agent_calls SET state = 'unknown', settled_at = now()
        WHERE debate_id = \(debate) AND state = 'intent' AND epoch < \(epoch) AND (SELECT count(*) FROM open) > 0
        """
    }

    /// Notes that the log names every unknown attempt.
    static func markAbandonmentsLogged(_ debate: DebateID) -> SQL {
        """
        UPDATE agent_calls SET abandonment_logged = true
        WHERE debate_id = \(debate) AND state = 'unknown' AND NOT abandonment_logged
        """
    }
}

/// Outcomes on their way into `agent_calls`: unfenced, by compare-and-set, forward only.
enum SettleStatement {
    /// Common table expressions, of which `settled` has a row for each attempt that moved.
    /// - Parameters:
    ///   - settlements: at least one.
    ///   - gate: a condition that makes the run's row come first in the lock order.
    static func clauses(_ settlements: [CallSettlement], gate: String) -> SQL {
        let isFree = settlements.allSatisfy { $0.isFree && $0.debate == settlements[0].debate }
        return isFree ? free(settlements, gate) : paid(settlements, gate)
    }

    /// Of calls that move no money: rows are locked as they are written, in the order of their keys.
    private static func free(_ settlements: [CallSettlement], _ gate: String) -> SQL {
        """
        settled AS (
            UPDATE agent_calls c
            SET \(raw: assignments)
            FROM \(outcomes(settlements.sorted(by: isBefore)))
            WHERE c.debate_id = \(settlements[0].debate) AND c.call_key = o.call_key COLLATE "C" AND c.attempt = o.attempt
              AND c.state IN ('intent', 'unknown') AND \(raw: gate)
            RETURNING c.attempt
        )
        """
    }

    /// The order of the primary key.
    private static func isBefore(_ one: CallSettlement, _ other: CallSettlement) -> Bool {
        let (first, second) = (one.reference, other.reference)
        guard first.key != second.key else { return first.attempt < second.attempt }
        return first.key.text.utf8.lexicographicallyPrecedes(second.key.text.utf8)
    }

    /// All are locked before the first moves money: accounts come after calls in the lock order.
    private static func paid(_ settlements: [CallSettlement], _ gate: String) -> SQL {
        """
        outcome AS (
            SELECT * FROM \(outcomes(settlements))
        ), settling AS (
            SELECT c.debate_id, c.call_key, c.attempt
            FROM agent_calls c JOIN outcome o
              ON c.debate_id = o.debate_id COLLATE "C" AND c.call_key = o.call_key COLLATE "C" AND c.attempt = o.attempt
            WHERE \(among(settlements)) AND c.state IN ('intent', 'unknown') AND \(raw: gate)
            ORDER BY c.debate_id, c.call_key, c.attempt FOR NO KEY UPDATE OF c
        ), settled AS (
            UPDATE agent_calls c
            SET \(raw: assignments)
            FROM settling s JOIN outcome o
              ON s.debate_id = o.debate_id COLLATE "C" AND s.call_key = o.call_key COLLATE "C" AND s.attempt = o.attempt
            WHERE \(among(settlements)) AND c.debate_id = s.debate_id AND c.call_key = s.call_key
              AND c.attempt = s.attempt AND c.state IN ('intent', 'unknown')
              AND (SELECT count(*) FROM settling) > 0
            RETURNING c.attempt
        )
        """
    }

    private static let assignments = """
        state = o.state, content = o.content, truncated = o.truncated, answer_provider = o.provider, \
        answer_model = o.model, failure = o.failure, input_tokens = o.input_tokens, output_tokens = o.output_tokens, \
        cost_micro_usd = o.cost, latency_ms = greatest(o.latency, 0), settled_at = now()
        """

    /// The outcomes as a table `o`. Only one array is unnested, which says how few rows there are, so that the calls are
    /// looked up by their key; the others are read by place.
    private static func outcomes(_ settlements: [CallSettlement]) -> SQL {
        let rows = settlements.map(OutcomeRow.init)
        return """
            (SELECT (\(settlements.map(\.debate.text)))[u.place] AS debate_id, u.call_key,
                    (\(settlements.map(\.reference.attempt)))[u.place] AS attempt, (\(rows.map(\.state)))[u.place] AS state,
                    (\(rows.map(\.content)))[u.place] AS content, (\(rows.map(\.truncated)))[u.place] AS truncated,
                    (\(rows.map(\.provider)))[u.place] AS provider, (\(rows.map(\.model)))[u.place] AS model,
                    (\(rows.map(\.failure)))[u.place] AS failure,
                    (\(rows.map(\.usage.inputTokens)))[u.place] AS input_tokens,
                    (\(rows.map(\.usage.outputTokens)))[u.place] AS output_tokens,
                    (\(rows.map(\.usage.cost.amount)))[u.place] AS cost,
                    (\(settlements.map(\.latencyMilliseconds)))[u.place] AS latency
             FROM unnest(\(settlements.map(\.reference.key.text))) WITH ORDINALITY AS u (call_key, place)) AS o
            """
    }

    /// Says of `c` what the join says anyway, so that every plan goes by the index, also one made for any values and
    /// while the table was empty.
    private static func among(_ settlements: [CallSettlement]) -> SQL {
        let debates = Array(Set(settlements.map(\.debate.text))).sorted()
        return debates.count == 1 ? "c.debate_id = \(debates[0])" : "c.debate_id = ANY (\(debates) COLLATE \"C\")"
    }

    /// Settles outcomes in a transaction that has locked their run.
    static func underLock(_ settlements: [CallSettlement]) -> SQL {
        "WITH \(clauses(settlements, gate: "true")) SELECT count(*) AS settled FROM settled"
    }

    /// Settles outcomes alone, and notes the progress of those runs that still have their holder.
    static func alone(_ settlements: [CallSettlement]) -> SQL {
        """
        WITH run AS (
            UPDATE debate_runs SET last_progress_at = now()
            WHERE lease_owner IS NOT NULL AND debate_id IN (
                SELECT debate_id FROM debate_runs WHERE debate_id = ANY (\(settlements.map(\.debate.text)) COLLATE "C")
                ORDER BY debate_id FOR NO KEY UPDATE)
            RETURNING debate_id
        ), \(clauses(settlements, gate: "(SELECT count(*) FROM run) >= 0"))
        SELECT count(*) AS settled FROM settled
        """
    }
}

/// One outcome, laid out in columns.
private struct OutcomeRow {
    let state: String
    var content: String?
    var truncated: Bool?
    var provider: String?
    var model: String?
    var failure: String?
    let usage: Usage

    init(_ settlement: CallSettlement) {
        switch settlement.outcome {
        case .answered(let answer):
            state = CallState.answered.rawValue
            (content, truncated, usage) = (answer.content, answer.truncated, answer.usage)
            (provider, model) = (answer.provider.rawValue, answer.model)
        case .failed(let failure):
            state = (failure.kind == .refused ? CallState.refused : .failed).rawValue
            (self.failure, usage) = (failure.kind.rawValue, failure.usage)
        }
    }
}
