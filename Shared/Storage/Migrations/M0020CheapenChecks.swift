/// The same rules for the rows that every append writes, in a form that Postgres reads once a connection.
enum M0020CheapenChecks {
    static let sql = """
        -- compatible
        -- Reason: a CHECK and the WHEN of a trigger are stored as text and parsed by every statement that writes the table,
        -- which was a fifth of an append. The rules of a domain are kept parsed.
        -- Lock: ACCESS EXCLUSIVE on debate_events, agent_calls and debate_runs for a moment. Nothing is read or written again:
        -- a domain without rules is the same type, and its rules are added after it is in place. What is stored has passed
        -- the same rules before, hence NOT VALID.

        CREATE DOMAIN sha256_hash AS bytea;
        CREATE DOMAIN natural_bigint AS bigint;
        CREATE DOMAIN natural_integer AS integer;
        CREATE DOMAIN positive_bigint AS bigint;
        CREATE DOMAIN positive_integer AS integer;
        CREATE DOMAIN call_state AS text;

        DROP TRIGGER debate_events_append_only ON debate_events;
        ALTER TABLE debate_events
            DROP CONSTRAINT debate_events_epoch_check, ALTER COLUMN epoch TYPE natural_bigint,
            DROP CONSTRAINT debate_events_data_hash_check, ALTER COLUMN data_hash TYPE sha256_hash,
            DROP CONSTRAINT debate_events_prev_hash_check, ALTER COLUMN prev_hash TYPE sha256_hash,
            DROP CONSTRAINT debate_events_hash_check, ALTER COLUMN hash TYPE sha256_hash,
            DROP CONSTRAINT debate_events_attempt_check, ALTER COLUMN attempt TYPE positive_integer;
        CREATE TRIGGER debate_events_append_only BEFORE UPDATE ON debate_events FOR EACH ROW
            WHEN (octet_length(NEW.data) > 0 OR octet_length(NEW.salt) > 0
                  OR (NEW.debate_id, NEW.seq, NEW.type, NEW.round, NEW.agent, NEW.at, NEW.epoch, NEW.data_hash,
                      NEW.prev_hash, NEW.hash, NEW.call_key, NEW.attempt)
                     IS DISTINCT FROM
                     (OLD.debate_id, OLD.seq, OLD.type, OLD.round, OLD.agent, OLD.at, OLD.epoch, OLD.data_hash,
                      OLD.prev_hash, OLD.hash, OLD.call_key, OLD.attempt))
            EXECUTE FUNCTION refuse_event_change();

        DROP TRIGGER debate_runs_only_forward ON debate_runs;
        ALTER TABLE debate_runs
            DROP CONSTRAINT debate_runs_engine_version_check, ALTER COLUMN engine_version TYPE positive_integer,
            DROP CONSTRAINT debate_runs_last_seq_check, ALTER COLUMN last_seq TYPE positive_bigint,
            DROP CONSTRAINT debate_runs_last_hash_check, ALTER COLUMN last_hash TYPE sha256_hash,
            DROP CONSTRAINT debate_runs_lease_epoch_check, ALTER COLUMN lease_epoch TYPE natural_bigint,
            DROP CONSTRAINT debate_runs_attempts_check, ALTER COLUMN attempts TYPE natural_integer,
            DROP CONSTRAINT debate_runs_consumed_seq_check, ALTER COLUMN consumed_seq TYPE natural_bigint;
        CREATE TRIGGER debate_runs_only_forward BEFORE UPDATE ON debate_runs FOR EACH ROW
            WHEN (OLD.status IN ('completed', 'failed', 'cancelled', 'timeout')
                  OR NEW.lease_epoch < OLD.lease_epoch OR NEW.last_seq < OLD.last_seq
                  OR NEW.consumed_seq < OLD.consumed_seq OR NEW.next_command < OLD.next_command)
            EXECUTE FUNCTION refuse_run_change();

        -- Of three conditions that were read for every outcome, two short ones are left: both are false in the plain case, when an
        -- intent comes to its end and no money moves.
        DROP TRIGGER agent_calls_forget_late ON agent_calls;
        DROP TRIGGER agent_calls_only_forward ON agent_calls;
        DROP TRIGGER agent_calls_settled ON agent_calls;
        ALTER TABLE agent_calls
            DROP CONSTRAINT agent_calls_state_check, ALTER COLUMN state TYPE call_state,
            DROP CONSTRAINT agent_calls_epoch_check, ALTER COLUMN epoch TYPE positive_bigint,
            DROP CONSTRAINT agent_calls_round_check, ALTER COLUMN round TYPE natural_integer,
            DROP CONSTRAINT agent_calls_input_tokens_check, ALTER COLUMN input_tokens TYPE natural_bigint,
            DROP CONSTRAINT agent_calls_output_tokens_check, ALTER COLUMN output_tokens TYPE natural_bigint,
            DROP CONSTRAINT agent_calls_cost_micro_usd_check, ALTER COLUMN cost_micro_usd TYPE natural_bigint,
            DROP CONSTRAINT agent_calls_latency_ms_check, ALTER COLUMN latency_ms TYPE natural_bigint,
            DROP CONSTRAINT agent_calls_reserved_micro_usd_check, ALTER COLUMN reserved_micro_usd TYPE natural_bigint,
            DROP CONSTRAINT agent_calls_answer_whole, DROP CONSTRAINT agent_calls_failure_whole,
            DROP CONSTRAINT agent_calls_settled_whole,
            ADD CONSTRAINT agent_calls_whole CHECK (
                num_nonnulls(content, answer_provider, answer_model, truncated) = CASE state WHEN 'answered' THEN 4 ELSE 0 END
                AND (failure IS NOT NULL) = (state IN ('failed', 'refused'))
                AND (settled_at IS NULL) = (state = 'intent')) NOT VALID;

        CREATE FUNCTION move_call() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            IF NOT (OLD.state = 'intent' AND NEW.state <> 'intent'
                    OR OLD.state = 'unknown' AND NEW.state IN ('answered', 'failed', 'refused')) THEN
                RAISE EXCEPTION 'call % of % does not go from % to %', OLD.call_key, OLD.debate_id, OLD.state, NEW.state
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            -- An answer that comes when its debate was erased is counted, and not kept.
            IF OLD.state = 'unknown' AND NEW.content <> '' AND EXISTS (
                SELECT FROM debates WHERE id = NEW.debate_id AND erased_at IS NOT NULL) THEN
                NEW.content := '';
            END IF;
            RETURN NEW;
        END $body$;
        CREATE TRIGGER agent_calls_moved BEFORE UPDATE OF state ON agent_calls FOR EACH ROW
            WHEN (OLD.state <> 'intent' OR NEW.state = 'intent')
            EXECUTE FUNCTION move_call();
        CREATE TRIGGER agent_calls_settled BEFORE UPDATE OF state ON agent_calls FOR EACH ROW
            WHEN (greatest(OLD.reserved_micro_usd, OLD.cost_micro_usd, NEW.cost_micro_usd) > 0)
            EXECUTE FUNCTION settle_call();

        ALTER DOMAIN sha256_hash ADD CHECK (octet_length(VALUE) = 32) NOT VALID;
        ALTER DOMAIN natural_bigint ADD CHECK (VALUE >= 0) NOT VALID;
        ALTER DOMAIN natural_integer ADD CHECK (VALUE >= 0) NOT VALID;
        ALTER DOMAIN positive_bigint ADD CHECK (VALUE >= 1) NOT VALID;
        ALTER DOMAIN positive_integer ADD CHECK (VALUE >= 1) NOT VALID;
        ALTER DOMAIN call_state ADD CHECK (VALUE IN ('intent', 'answered', 'failed', 'refused', 'unknown')) NOT VALID;
        """
}
