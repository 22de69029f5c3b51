/// What was asked, how it stands, and who asked already.
enum M0001CreateDebates {
    static let sql = """
        -- compatible
        -- Reason: the first tables. debates is wide and rarely updated; debate_runs is narrow and updated by every append.
        -- Lock: none, all tables are new.

        -- One row: the number of this log's life. A restore raises it, so that a cache of the life before can not answer
        -- for this one (design, "Publishing and watching").
        CREATE TABLE installation (
            only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            generation bigint NOT NULL DEFAULT 1 CHECK (generation >= 1),
            created_at timestamptz(3) NOT NULL DEFAULT now(),
            changed_at timestamptz(3) NOT NULL DEFAULT now()
        );
        INSERT INTO installation DEFAULT VALUES;

        CREATE TABLE debates (
            id                text COLLATE "C" PRIMARY KEY CHECK (id ~ '^dbt_[0-9a-hjkmnp-tv-z]{26}$'),
            slug              text COLLATE "C" NOT NULL,
            topic             text NOT NULL,
            context           text,
            -- Canonical JSON of the whole specification, never re-encoded.
            spec              bytea NOT NULL,
            agents            text[] NOT NULL,
            providers         text[] NOT NULL,
            rounds            integer NOT NULL CHECK (rounds >= 1),
            consensus         text NOT NULL,
            timeout_seconds   integer NOT NULL CHECK (timeout_seconds > 0),
            demo              boolean NOT NULL,
            metadata          jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
            created_by        text NOT NULL,
            org_id            text COLLATE "C",
            user_id           text COLLATE "C",
            created_at        timestamptz(3) NOT NULL,
            -- The projection, written once, by the transaction that ends the debate.
            final_answer      text,
            winner            text,
            consensus_reached boolean,
            confidence        numeric(6, 4),
            agreement         numeric(6, 4),
            rounds_used       integer,
            duration_seconds  numeric(14, 4),
            completed_at      timestamptz(3),
            end_reason        text,
            cost_micro_usd    bigint,
            search            tsvector GENERATED ALWAYS AS
                              (to_tsvector('simple', topic || ' ' || coalesce(context, ''))) STORED,
            CONSTRAINT debates_slug_key UNIQUE (slug),
            CONSTRAINT debates_projection_whole CHECK (
                (completed_at IS NULL) = (consensus_reached IS NULL)
                AND (completed_at IS NULL) = (confidence IS NULL)
                AND (completed_at IS NULL) = (rounds_used IS NULL)
                AND (completed_at IS NULL) = (duration_seconds IS NULL)
                AND (completed_at IS NULL) = (cost_micro_usd IS NULL)
                AND (completed_at IS NOT NULL OR final_answer IS NULL)
            )
        );
        CREATE INDEX debates_created_at ON debates (created_at DESC, id DESC);
        CREATE INDEX debates_search ON debates USING gin (search);
        CREATE INDEX debates_agents ON debates USING gin (agents);
        CREATE INDEX debates_providers ON debates USING gin (providers);

        -- Appends change no indexed column, so that they stay on their page (HOT); fillfactor leaves the room.
        CREATE TABLE debate_runs (
            debate_id        text COLLATE "C" PRIMARY KEY REFERENCES debates (id),
            org_id           text COLLATE "C",
            status           text NOT NULL DEFAULT 'queued' CHECK (
                                 status IN ('queued', 'running', 'paused', 'completed', 'failed', 'cancelled', 'timeout')),
            priority         integer NOT NULL DEFAULT 0,
            engine_version   integer NOT NULL CHECK (engine_version >= 1),
            last_seq         bigint NOT NULL CHECK (last_seq >= 1),
            last_hash        bytea NOT NULL CHECK (octet_length(last_hash) = 32),
            lease_owner      text COLLATE "C",
            lease_epoch      bigint NOT NULL DEFAULT 0 CHECK (lease_epoch >= 0),
            -- Adoptions since the last event that consumed an outcome.
            attempts         integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
            -- Commands up to this number are events; the next command gets that number.
            consumed_seq     bigint NOT NULL DEFAULT 0 CHECK (consumed_seq >= 0),
            next_command     bigint NOT NULL DEFAULT 1,
            deadline         timestamptz(3) NOT NULL,
            created_at       timestamptz(3) NOT NULL,
            queued_at        timestamptz(3) NOT NULL,
            last_progress_at timestamptz(3) NOT NULL,
            CONSTRAINT debate_runs_owner_iff_running CHECK ((lease_owner IS NOT NULL) = (status = 'running')),
            CONSTRAINT debate_runs_consumed_exists CHECK (consumed_seq < next_command)
        ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
        CREATE INDEX debate_runs_queued ON debate_runs (priority DESC, created_at, debate_id) WHERE status = 'queued';
        CREATE INDEX debate_runs_owned ON debate_runs (lease_owner) WHERE lease_owner IS NOT NULL;
        CREATE INDEX debate_runs_open ON debate_runs (debate_id) WHERE status IN ('queued', 'running', 'paused');

        CREATE FUNCTION refuse_run_change() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            RAISE EXCEPTION 'debate % is %: its end is written once, and epoch and log only grow',
                OLD.debate_id, OLD.status USING ERRCODE = 'integrity_constraint_violation';
        END $body$;
        CREATE TRIGGER debate_runs_only_forward BEFORE UPDATE ON debate_runs FOR EACH ROW
            WHEN (OLD.status IN ('completed', 'failed', 'cancelled', 'timeout')
                  OR NEW.lease_epoch < OLD.lease_epoch OR NEW.last_seq < OLD.last_seq
                  OR NEW.consumed_seq < OLD.consumed_seq OR NEW.next_command < OLD.next_command)
            EXECUTE FUNCTION refuse_run_change();

        -- The answer that a retried create gets. Kept for a day.
        CREATE TABLE idempotency_keys (
            principal    text NOT NULL,
            key          text NOT NULL,
            request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
            debate_id    text COLLATE "C" NOT NULL,
            status       integer NOT NULL CHECK (status BETWEEN 200 AND 299),
            body         bytea NOT NULL,
            created_at   timestamptz(3) NOT NULL DEFAULT now(),
            PRIMARY KEY (principal, key)
        );
        CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
        """
}
