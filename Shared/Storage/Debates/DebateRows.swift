import Domain
import PostgresClient

/// Debates as rows of `debates d` joined with `debate_runs r`.
enum DebateRows {
    static let summaryColumns = """
        d.id, d.slug, d.topic, d.title, d.tags, d.archived_at IS NOT NULL AS archived, d.agents, d.rounds, d.consensus, d.demo, d.created_at, r.status, d.completed_at, \
        d.consensus_reached, (d.confidence * 10000)::bigint AS confidence, (d.agreement * 10000)::bigint AS agreement, \
        d.winner, d.rounds_used, (d.duration_seconds * 10000)::bigint AS duration, d.end_reason, d.cost_micro_usd, \
        d.parent_id, d.branch_point
        """
    static let recordColumns = """
        \(summaryColumns), d.context, d.spec, d.metadata::text AS metadata, d.final_answer, d.created_by, d.org_id, \
        d.user_id, d.timeout_seconds, d.erased_at, r.last_seq, r.last_hash, r.lease_epoch, r.lease_owner, \
        \(version) AS version
        """
    /// Which versions of its two rows these are: it differs as soon as anything of the debate was changed, its log too, since
    /// ``EmptiedEvents`` and every append write one of them.
    static let version = "d.xmin::text || ' ' || r.xmin::text"
    static let tables = "debates d JOIN debate_runs r ON r.debate_id = d.id"

    static func summary(_ row: Row) throws(PGError) -> DebateSummary {
        DebateSummary(
            id: try row.debateID("id"), slug: try row.text("slug"), topic: try row.text("topic"),
            title: try row.optionalText("title"), tags: try row.textArray("tags"),
            isArchived: try row.bool("archived"),
            agents: try row.textArray("agents"), rounds: try row.int("rounds"), consensus: try row.member("consensus"),
            status: try row.status("status"), usesDemoAgents: try row.bool("demo"),
            createdAt: try row.timestamp("created_at"),
            parent: try row.optionalText("parent_id").flatMap { DebateID($0) },
            branchPoint: try row.optionalInt("branch_point"), result: try result(row))
    }

    private static func result(_ row: Row) throws(PGError) -> DebateResult? {
        guard let completedAt = try row.optionalTimestamp("completed_at") else { return nil }
        return DebateResult(
            completedAt: completedAt, consensusReached: try row.bool("consensus_reached"),
            confidence: Ratio(tenThousandths: try row.int64("confidence")),
            agreement: try row.optionalInt64("agreement").map { Ratio(tenThousandths: $0) },
            winner: try row.optionalText("winner"), roundsUsed: try row.int("rounds_used"),
            duration: Ratio(tenThousandths: try row.int64("duration")), reason: try row.optionalText("end_reason"),
            cost: MicroUSD(try row.int64("cost_micro_usd")))
    }

    static func record(_ row: Row) throws(PGError) -> DebateRecord {
        DebateRecord(
            summary: try summary(row), context: try row.optionalText("context"), specDocument: try row.bytes("spec"),
            metadata: Array(try row.text("metadata").utf8), finalAnswer: try row.optionalText("final_answer"),
            createdBy: try row.text("created_by"), organization: try row.optionalText("org_id"),
            user: try row.optionalText("user_id"), timeoutSeconds: try row.int("timeout_seconds"),
            erasedAt: try row.optionalTimestamp("erased_at"),
            tail: LogTail(seq: try row.int64("last_seq"), hash: try row.bytes("last_hash")),
            epoch: try row.int64("lease_epoch"), owner: try row.runnerID("lease_owner"),
            version: try row.text("version"))
    }

    static func message(_ row: Row) throws(PGError) -> DebateMessage {
        DebateMessage(
            index: try row.int("idx"), seq: try row.int64("seq"), round: try row.int("round"),
            agent: try row.optionalText("agent"), role: try row.text("role"), phase: try row.text("phase"),
            content: try row.optionalText("content"), at: try row.timestamp("ts"))
    }

    static func costs(_ row: Row) throws(PGError) -> AgentCosts {
        AgentCosts(
            agent: try row.text("agent"), provider: try row.member("provider"), calls: try row.int("calls"),
            failures: try row.int("failures"), unknown: try row.int("unknown"),
            usage: Usage(
                inputTokens: try row.int("input_tokens"), outputTokens: try row.int("output_tokens"),
                cost: MicroUSD(try row.int64("cost"))))
    }

    static func newest(_ row: Row) throws(PGError) -> NewestEvent {
        NewestEvent(
            debate: try row.debateID("debate_id"),
            tail: LogTail(seq: try row.int64("last_seq"), hash: try row.bytes("last_hash")),
            status: try row.status("status"), organization: try row.optionalText("org_id").flatMap(OrganizationID.init),
            traceparent: try row.text("traceparent"))
    }
}
