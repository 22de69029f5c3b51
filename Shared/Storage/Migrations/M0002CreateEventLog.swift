/// The log of every debate, and what people asked of running ones.
enum M0002CreateEventLog {
    static let sql = """
        -- compatible
        -- Reason: the log is the truth; everything else is derived from it.
        -- Lock: none, all tables are new.

        -- No foreign key to debate_runs: the only writer inserts from the row it has just locked, and a check per event
        -- would write a second lock on the busiest row of the system. The collation lets the table be partitioned by range.
        CREATE TABLE debate_events (
            debate_id text COLLATE "C" NOT NULL,
            seq       bigint NOT NULL CHECK (seq >= 1),
            type      text NOT NULL,
            round     integer NOT NULL CHECK (round >= 0),
            agent     text,
            at        timestamptz(3) NOT NULL,
            epoch     bigint NOT NULL CHECK (epoch >= 0),
            -- Canonical JSON and 16 bytes of salt; both empty when erased.
            data      bytea NOT NULL CHECK (octet_length(data) <= 262144),
            salt      bytea NOT NULL,
            data_hash bytea NOT NULL CHECK (octet_length(data_hash) = 32),
            prev_hash bytea NOT NULL CHECK (octet_length(prev_hash) = 32),
            hash      bytea NOT NULL CHECK (octet_length(hash) = 32),
            -- The call whose outcome this event consumes.
            call_key  text COLLATE "C",
            attempt   integer CHECK (attempt >= 1),
            PRIMARY KEY (debate_id, seq),
            CONSTRAINT debate_events_call_whole CHECK ((call_key IS NULL) = (attempt IS NULL)),
            CONSTRAINT debate_events_erased_whole CHECK (
                octet_length(salt) = 16 AND octet_length(data) > 0 OR octet_length(salt) = 0 AND octet_length(data) = 0)
        );
        -- An outcome is consumed once, whatever happens.
        CREATE UNIQUE INDEX debate_events_call ON debate_events (debate_id, call_key) WHERE call_key IS NOT NULL;

        CREATE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            RAISE EXCEPTION 'debate_events is append only' USING ERRCODE = 'integrity_constraint_violation';
        END $body$;
        -- Erasing takes data and salt together and leaves the hashes, so that the chain and its proofs stay valid.
        CREATE TRIGGER debate_events_append_only BEFORE UPDATE ON debate_events FOR EACH ROW
            WHEN (octet_length(NEW.data) > 0 OR octet_length(NEW.salt) > 0
                  OR (NEW.debate_id, NEW.seq, NEW.type, NEW.round, NEW.agent, NEW.at, NEW.epoch, NEW.data_hash,
                      NEW.prev_hash, NEW.hash, NEW.call_key, NEW.attempt)
                     IS DISTINCT FROM
                     (OLD.debate_id, OLD.seq, OLD.type, OLD.round, OLD.agent, OLD.at, OLD.epoch, OLD.data_hash,
                      OLD.prev_hash, OLD.hash, OLD.call_key, OLD.attempt))
            EXECUTE FUNCTION refuse_event_change();
        -- A whole debate may go when its transaction says which: SET LOCAL aragora.removed_debate = 'dbt_…'.
        CREATE TRIGGER debate_events_no_delete BEFORE DELETE ON debate_events FOR EACH ROW
            WHEN (current_setting('aragora.removed_debate', true) IS DISTINCT FROM OLD.debate_id)
            EXECUTE FUNCTION refuse_event_change();
        CREATE TRIGGER debate_events_no_truncate BEFORE TRUNCATE ON debate_events FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_event_change();

        -- Numbered per debate under the run's lock. Consumed up to debate_runs.consumed_seq.
        CREATE TABLE debate_commands (
            debate_id   text COLLATE "C" NOT NULL,
            number      bigint NOT NULL CHECK (number >= 1),
            kind        text NOT NULL CHECK (kind IN ('pause', 'resume', 'message')),
            content     text,
            author      text NOT NULL,
            created_at  timestamptz(3) NOT NULL DEFAULT now(),
            -- Set when the debate ended before the command was looked at.
            rejected_at timestamptz(3),
            PRIMARY KEY (debate_id, number),
            CONSTRAINT debate_commands_content CHECK ((content IS NOT NULL) = (kind = 'message'))
        );
        """
}
