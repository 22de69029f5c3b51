import Domain
import PostgresClient

/// What ends a debate, after the run's row was locked (design §2.5). In lock order: calls, log, projections, run; ratings
/// come after it (``MatchRecorder``).
enum EndStatements {
    /// - Parameter epoch: of the transaction that ends it; a canceller has raised it by then.
    static func make(
        _ debate: DebateID, epoch: Int64, events: [SealedEvent], consumedCommands: Int64?,
        _ conclusion: DebateConclusion
    ) -> [SQL] {
        var statements = [
            CallRows.giveUpIntents(debate, before: epoch + 1),
            EventRows.insert(events, of: debate),
            projection(debate, at: events[events.count - 1].at, conclusion),
            terminal(debate, epoch: epoch, last: events[events.count - 1], consumedCommands, conclusion.status),
            rejectCommands(debate),
        ]
        if let receipt = conclusion.receipt { statements.append(insert(receipt)) }
        if !conclusion.notices.isEmpty { statements.append(WebhookRows.tell(conclusion.notices, of: debate)) }
        if conclusion.isKept { statements.append(KnowledgeRows.keep(debate, receipt: conclusion.receipt?.id)) }
        return statements
    }

    private static func projection(_ debate: DebateID, at: Timestamp, _ conclusion: DebateConclusion) -> SQL {
        let end = conclusion.end
        return """
            UPDATE debates
            SET final_answer = \(end.result), winner = \(conclusion.consensus?.winner),
                consensus_reached = \(end.consensusReached), confidence = \(end.confidence),
                agreement = \(conclusion.consensus?.agreement), rounds_used = \(end.roundsUsed),
                duration_seconds = \(end.duration), completed_at = \(at), end_reason = \(end.reason),
                cost_micro_usd = \(end.cost.amount)
            WHERE id = \(debate)
            """
    }

    /// Terminal means no holder. The row is locked and was compared, so this touches exactly one.
    private static func terminal(
        _ debate: DebateID, epoch: Int64, last: SealedEvent, _ consumedCommands: Int64?, _ status: DebateStatus
    ) -> SQL {
        """
        UPDATE debate_runs
        SET status = \(status), lease_owner = NULL, lease_epoch = \(epoch), last_seq = \(last.seq),
            last_hash = \(last.hash), last_progress_at = now(),
            consumed_seq = greatest(consumed_seq, \(consumedCommands ?? 0))
        WHERE debate_id = \(debate)
        """
    }

    private static func rejectCommands(_ debate: DebateID) -> SQL {
        """
        UPDATE debate_commands c SET rejected_at = now()
        FROM debate_runs r WHERE r.debate_id = \(debate) AND c.debate_id = r.debate_id AND c.number > r.consumed_seq
        """
    }

    private static func insert(_ receipt: StoredReceipt) -> SQL {
        """
        INSERT INTO receipts (id, debate_id, document, verdict, risk_level, confidence, checksum, is_signed, created_at,
                              redacted_checksum, org_id)
        SELECT \(receipt.id.text), r.debate_id, \(receipt.document), \(receipt.verdict.rawValue),
               \(receipt.verdict.riskLevel), \(receipt.confidence), \(receipt.checksum), \(receipt.isSigned),
               \(receipt.createdAt), \(receipt.redactedChecksum), r.org_id
        FROM debate_runs r WHERE r.debate_id = \(receipt.debate)
        """
    }
}
