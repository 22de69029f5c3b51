/// The ledger of model calls: facts about money.
enum M0003CreateAgentCalls {
    static let sql = """
        -- compatible
        -- Reason: an answered call is never paid twice; its attempts are rows whose state moves only forward.
        -- Lock: none, all tables are new.

        CREATE TABLE agent_calls (
            debate_id          text COLLATE "C" NOT NULL,
            call_key           text COLLATE "C" NOT NULL,
            attempt            integer NOT NULL CHECK (attempt >= 1),
            state              text NOT NULL DEFAULT 'intent' CHECK (
                                   state IN ('intent', 'answered', 'failed', 'refused', 'unknown')),
            epoch              bigint NOT NULL CHECK (epoch >= 1),
            agent              text NOT NULL,
            round              integer NOT NULL CHECK (round >= 0),
            -- Asked for.
            provider           text NOT NULL,
            model              text NOT NULL,
            -- Who answered, which may differ.
            answer_provider    text,
            answer_model       text,
            content            text,
            truncated          boolean,
            failure            text,
            input_tokens       bigint NOT NULL DEFAULT 0 CHECK (input_tokens >= 0),
            output_tokens      bigint NOT NULL DEFAULT 0 CHECK (output_tokens >= 0),
            cost_micro_usd     bigint NOT NULL DEFAULT 0 CHECK (cost_micro_usd >= 0),
            latency_ms         bigint CHECK (latency_ms >= 0),
            -- The log has a call_abandoned event for it.
            abandonment_logged boolean NOT NULL DEFAULT false,
            created_at         timestamptz(3) NOT NULL DEFAULT now(),
            settled_at         timestamptz(3),
            PRIMARY KEY (debate_id, call_key, attempt),
            CONSTRAINT agent_calls_answer_whole CHECK (
                (state = 'answered') = (content IS NOT NULL)
                AND (state = 'answered') = (answer_provider IS NOT NULL)
                AND (state = 'answered') = (answer_model IS NOT NULL)
                AND (state = 'answered') = (truncated IS NOT NULL)),
            CONSTRAINT agent_calls_failure_whole CHECK ((state IN ('failed', 'refused')) = (failure IS NOT NULL)),
            CONSTRAINT agent_calls_settled_whole CHECK ((state = 'intent') = (settled_at IS NULL))
        ) WITH (fillfactor = 80);
        CREATE INDEX agent_calls_open ON agent_calls (debate_id) WHERE state = 'intent';

        CREATE FUNCTION refuse_call_change() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            RAISE EXCEPTION 'call % of % does not go from % to %', OLD.call_key, OLD.debate_id, OLD.state, NEW.state
                USING ERRCODE = 'integrity_constraint_violation';
        END $body$;
        CREATE TRIGGER agent_calls_only_forward BEFORE UPDATE OF state ON agent_calls FOR EACH ROW
            WHEN (NOT (OLD.state = 'intent' AND NEW.state <> 'intent'
                       OR OLD.state = 'unknown' AND NEW.state IN ('answered', 'failed', 'refused')))
            EXECUTE FUNCTION refuse_call_change();
        """
}
