package import Domain
import Platform
package import PostgresClient
package import Sockets

/// Watches every write from inside Postgres, where the order of commits is known; clocks only guess it.
///
/// It notes and never refuses, so that the product behaves as without it.
package enum StackWitness {
    package static func install(_ configuration: PGConfiguration, on loop: EventLoop) async throws {
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
    package static func findings(_ pool: PGPool) async throws -> [String] {
        try await pool.query("SELECT finding FROM e2e_findings ORDER BY finding").map { try $0.text("finding") }
    }

    /// A change of who holds a debate, in the order in which Postgres made them.
    package struct Claim: Sendable {
        package let debate: DebateID
        package let epoch: Int64
        /// Nil when it was given up, or ended.
        package let owner: String?
        package let status: DebateStatus
        /// The name of the session that wrote it.
        package let writer: String
        /// Microseconds since 1970, by Postgres's clock, just before the commit.
        package let at: Int64

        package init(
            debate: DebateID, epoch: Int64, owner: String?, status: DebateStatus, writer: String, at: Int64
        ) {
            self.debate = debate
            self.epoch = epoch
            self.owner = owner
            self.status = status
            self.writer = writer
            self.at = at
        }
    }

    /// Every change of a holder so far.
    package static func claims(_ pool: PGPool) async throws -> [Claim] {
        try await pool.query(
            """
            SELECT debate_id, epoch, owner, status, writer, (extract(epoch FROM at) * 1000000)::bigint AS micros
            FROM e2e_claims ORDER BY number
            """
        ).compactMap { row in
            guard let debate = DebateID(try row.text("debate_id")),
                let status = DebateStatus(rawValue: try row.text("status"))
            else { return nil }
            return Claim(
                debate: debate, epoch: try row.int64("epoch"), owner: try row.optionalText("owner"), status: status,
                writer: try row.text("writer"), at: try row.int64("micros"))
        }
    }

    private static let statements: [SQL] =
        [
            """
            CREATE TABLE e2e_claims (
                number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, debate_id text NOT NULL, epoch bigint NOT NULL,
                owner text, status text NOT NULL, writer text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())
            """,
            """
            CREATE FUNCTION e2e_claim() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO e2e_claims (debate_id, epoch, owner, status, writer)
                VALUES (NEW.debate_id, NEW.lease_epoch, NEW.lease_owner, NEW.status, current_setting('application_name'));
                RETURN NULL;
            END $$
            """,
            """
            CREATE TRIGGER e2e_claim AFTER UPDATE OF lease_owner, lease_epoch ON debate_runs FOR EACH ROW
            WHEN (OLD.lease_owner IS DISTINCT FROM NEW.lease_owner OR OLD.lease_epoch <> NEW.lease_epoch)
            EXECUTE FUNCTION e2e_claim()
            """,
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
            // Of a partition the table that it is part of.
            """
            CREATE FUNCTION e2e_table(written oid) RETURNS text LANGUAGE sql STABLE AS $$
                SELECT coalesce((SELECT inhparent FROM pg_inherits WHERE inhrelid = written), written)::regclass::text
            $$
            """,
            // At the commit, because an end may write its events before it raises the epoch.
            """
            CREATE FUNCTION e2e_holder() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO e2e_findings
                SELECT format('%s of epoch %s was written while epoch %s held the debate', e2e_table(TG_RELID), NEW.epoch, r.lease_epoch)
                FROM debate_runs r WHERE r.debate_id = NEW.debate_id AND r.lease_epoch <> NEW.epoch;
                RETURN NULL;
            END $$
            """,
            // Who writes is known by the name of its session. What holds a debate wrote the claim of its epoch.
            """
            CREATE FUNCTION e2e_writer() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO e2e_findings
                SELECT format('%s of %s was written by %s while %s held it', e2e_table(TG_RELID), NEW.debate_id,
                              current_setting('application_name'), c.writer)
                FROM debate_runs r, LATERAL (
                    SELECT writer FROM e2e_claims c WHERE c.debate_id = r.debate_id AND c.epoch = r.lease_epoch
                    ORDER BY number DESC LIMIT 1) c
                WHERE r.debate_id = NEW.debate_id AND c.writer <> current_setting('application_name');
                RETURN NULL;
            END $$
            """,
            "CREATE INDEX ON e2e_claims (debate_id, epoch)",
            "CREATE TRIGGER e2e_call BEFORE INSERT ON agent_calls FOR EACH ROW EXECUTE FUNCTION e2e_call()",
            """
            CREATE CONSTRAINT TRIGGER e2e_call_holder AFTER INSERT ON agent_calls
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION e2e_holder()
            """,
            """
            CREATE CONSTRAINT TRIGGER e2e_event_holder AFTER INSERT ON debate_events
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION e2e_holder()
            """,
            """
            CREATE CONSTRAINT TRIGGER e2e_status_writer AFTER UPDATE OF status, last_seq ON debate_runs
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION e2e_writer()
            """,
        ]
        + ["debate_events", "agent_calls", "receipts"].map { table in
            """
            CREATE CONSTRAINT TRIGGER e2e_writer AFTER INSERT ON \(raw: table)
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION e2e_writer()
            """
        }
}
