import Domain
import FaultSupport
import PostgresClient
import TestSupport
import Testing

/// Who guards the guards: after a fault that the product must never make, the audit says so.
@Suite("The audit", .needsPostgres, .needsRedis)
struct AuditTests {
    struct Tampering: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let statements: [String]
        /// What one of the findings must say.
        let finding: String

        init(_ description: String, _ statements: String..., finds finding: String) {
            testDescription = description
            self.statements = statements
            self.finding = finding
        }
    }

    private static let extraCall = """
        INSERT INTO agent_calls (debate_id, call_key, attempt, state, epoch, agent, round, provider, model, settled_at)
        SELECT debate_id, call_key, attempt + 1,
        """

    static let tamperings = [
        Tampering(
            "an event that was changed", "UPDATE debate_events SET agent = 'nobody' WHERE seq = 4",
            finds: "does not cover it"),
        Tampering("an event that is gone", "DELETE FROM debate_events WHERE seq = 5", finds: "expected number 5"),
        Tampering(
            "a second end",
            """
            INSERT INTO debate_events SELECT debate_id, seq + 1, type, round, agent, at, epoch, data, salt, data_hash,
                prev_hash, hash, call_key, attempt FROM debate_events WHERE type = 'debate_end'
            """, finds: "not one debate_end"),
        Tampering(
            "a row that is behind its log", "UPDATE debate_runs SET last_seq = last_seq - 1", finds: "its row says"),
        Tampering(
            "a call left open",
            extraCall + " 'intent', 2, agent, round, provider, model, NULL FROM agent_calls WHERE round = 2",
            finds: "an open call"),
        Tampering(
            "an answered call that was asked again",
            extraCall + " 'unknown', 2, agent, round, provider, model, now() FROM agent_calls WHERE round = 2",
            finds: "asked again"),
        Tampering(
            "a call that one holder sent twice",
            extraCall + " 'unknown', 1, agent, round, provider, model, now() FROM agent_calls WHERE round = 2",
            finds: "sent twice by one holder"),
        Tampering(
            "a zombie's intent",
            "UPDATE debate_runs SET lease_epoch = 9",
            extraCall + " 'unknown', 2, agent, round, provider, model, now() FROM agent_calls WHERE round = 2",
            finds: "agent_calls of epoch 2 was written while epoch 9 held the debate"),
        Tampering(
            "a zombie's event",
            """
            INSERT INTO debate_events SELECT debate_id, seq + 1, 'warning', round, agent, at, 0, data, salt, data_hash,
                prev_hash, hash, call_key, attempt FROM debate_events WHERE type = 'debate_end'
            """, finds: "debate_events of epoch 0 was written while epoch 1 held the debate"),
        Tampering("a receipt that is gone", "DELETE FROM receipts", finds: "has no receipt"),
        Tampering(
            "a receipt that was changed",
            "UPDATE receipts SET document = convert_to(replace(convert_from(document, 'UTF8'), 'LOW', 'HIGH'), 'UTF8')",
            "UPDATE receipts SET document = convert_to(replace(convert_from(document, 'UTF8'), 'MEDIUM', 'LOW'), 'UTF8')",
            finds: "does not verify"),
        Tampering("another end", "UPDATE debate_runs SET status = 'cancelled'", finds: "ended as cancelled"),
    ]

    @Test("finds what must never happen", arguments: tamperings)
    func finds(_ tampering: Tampering) async throws {
        try await Stack.with("audit-\(tampering.finding)", .init(latencyMilliseconds: 0)) { stack in
            try await stack.start(.api(1), .worker(1))
            let debate = try await stack.create()
            try await stack.audit(debate, takeovers: 0)
            try await stack.kill(.worker(1))
            for table in ["debate_events", "debate_runs", "agent_calls", "receipts"] {
                _ = try await stack.pool.execute("ALTER TABLE \(raw: table) DISABLE TRIGGER USER")
            }
            for (table, trigger) in [
                ("agent_calls", "e2e_call"), ("agent_calls", "e2e_call_holder"), ("debate_events", "e2e_event_holder"),
            ] {
                _ = try await stack.pool.execute("ALTER TABLE \(raw: table) ENABLE TRIGGER \(raw: trigger)")
            }
            for statement in tampering.statements { _ = try await stack.pool.execute(SQL(text: statement)) }
            try await stack.expectProblem(saying: tampering.finding) { try await stack.audit(debate, takeovers: 0) }
        }
    }
}
