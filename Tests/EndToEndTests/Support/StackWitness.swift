import Platform
import PostgresClient
import Sockets

/// Watches every write from inside Postgres, where the order of commits is known; clocks only guess it.
///
/// It notes and never refuses, so that the product behaves as without it.
enum StackWitness {
    static func install(_ configuration: PGConfiguration, on loop: EventLoop) async throws {
        let connection = try await PGConnection.open(configuration, loop: loop, log: .disabled)
        do {
            for statement in statements { _ = try await connection.execute(statement) }
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
    }

    /// What was seen that must not be.
    static func findings(_ pool: PGPool) async throws -> [String] {
        try await pool.query("SELECT finding FROM e2e_findings ORDER BY finding").map { try $0.text("finding") }
    }

    private static let statements: [SQL] = [
        "CREATE TABLE e2e_findings (finding text NOT NULL)",
        // The writer of an intent holds the locks of the key's older attempts: what is answered is visible here.
        """
        CREATE FUNCTION e2e_call() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO e2e_findings
            SELECT format('%s %s was answered by attempt %s and asked again', NEW.call_key, NEW.attempt, c.attempt)
            FROM agent_calls c
            WHERE c.debate_id = NEW.debate_id AND c.call_key = NEW.call_key AND c.state = 'answered';
            RETURN NEW;
        END $$
        """,
        // At the commit, because an end may write its events before it raises the epoch.
        """
        CREATE FUNCTION e2e_holder() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO e2e_findings
            SELECT format('%s of epoch %s was written while epoch %s held the debate', TG_TABLE_NAME, NEW.epoch, r.lease_epoch)
            FROM debate_runs r WHERE r.debate_id = NEW.debate_id AND r.lease_epoch <> NEW.epoch;
            RETURN NULL;
        END $$
        """,
        "CREATE TRIGGER e2e_call BEFORE INSERT ON agent_calls FOR EACH ROW EXECUTE FUNCTION e2e_call()",
        """
        CREATE CONSTRAINT TRIGGER e2e_call_holder AFTER INSERT ON agent_calls
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION e2e_holder()
        """,
        """
        CREATE CONSTRAINT TRIGGER e2e_event_holder AFTER INSERT ON debate_events
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION e2e_holder()
        """,
    ]
}
