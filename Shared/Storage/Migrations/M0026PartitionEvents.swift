/// The table of events as one partition a month, and what makes and removes partitions.
enum M0026PartitionEvents {
    static let sql = """
        -- compatible
        -- Reason: the log grows for ever; a month of it can be dropped in a moment, and its indexes stay small.
        -- Lock: SHARE UPDATE EXCLUSIVE on debate_events while it is read once, which lets everybody read and write; then
        -- ACCESS EXCLUSIVE for a moment, asked for two seconds at a time. No row is written again.

        ALTER TABLE debate_events VALIDATE CONSTRAINT debate_events_first;

        -- What was made, and what of it is gone. [first_id, end_id)
        CREATE TABLE event_partitions (
            name       text COLLATE "C" PRIMARY KEY,
            first_id   text COLLATE "C" NOT NULL UNIQUE,
            end_id     text COLLATE "C" NOT NULL,
            ends_at    timestamptz(3) NOT NULL,
            -- Set when it was dropped, with how much was in it.
            removed_at timestamptz(3),
            debates    bigint,
            events     bigint,
            -- Up to which debate the answers of its calls were emptied after that; end_id when all are.
            emptied_to text COLLATE "C",
            CHECK (first_id < end_id), CHECK ((removed_at IS NULL) = (debates IS NULL)),
            CHECK ((debates IS NULL) = (events IS NULL))
        );
        -- Logs that lay in no month's partition, and are gone.
        CREATE TABLE removed_logs (
            debate_id  text COLLATE "C" PRIMARY KEY,
            removed_at timestamptz(3) NOT NULL DEFAULT now()
        );

        SELECT lock_patiently('debate_events');

        DROP TRIGGER debate_events_append_only ON debate_events;
        DROP TRIGGER debate_events_no_delete ON debate_events;
        DROP TRIGGER debate_events_no_truncate ON debate_events;
        ALTER TABLE debate_events RENAME TO debate_events_first;
        ALTER TABLE debate_events_first RENAME CONSTRAINT debate_events_pkey TO debate_events_first_pkey;
        ALTER INDEX debate_events_call RENAME TO debate_events_first_call;

        CREATE TABLE debate_events (
            LIKE debate_events_first INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION
        ) PARTITION BY RANGE (debate_id);
        ALTER TABLE debate_events DROP CONSTRAINT debate_events_first,
            ADD CONSTRAINT debate_events_pkey PRIMARY KEY (debate_id, seq);
        CREATE UNIQUE INDEX debate_events_call ON debate_events (debate_id, call_key) WHERE call_key IS NOT NULL;

        -- The rule was proven above, so that the table is not read again.
        DO $body$
        DECLARE
            bound text := substring(
                (SELECT pg_get_constraintdef(oid) FROM pg_constraint
                 WHERE conname = 'debate_events_first' AND conrelid = 'debate_events_first'::regclass) FROM 'dbt_[0-9a-z]{10}');
        BEGIN
            EXECUTE format('ALTER TABLE debate_events ATTACH PARTITION debate_events_first FOR VALUES FROM (MINVALUE) TO (%L)', bound);
            INSERT INTO event_partitions (name, first_id, end_id, ends_at)
            VALUES ('debate_events_first', '', bound, debate_id_time(bound));
        END $body$;
        ALTER TABLE debate_events_first DROP CONSTRAINT debate_events_first;
        -- For what no month is there for: nothing is refused because nobody made a partition.
        CREATE TABLE debate_events_rest PARTITION OF debate_events DEFAULT;

        CREATE TRIGGER debate_events_append_only BEFORE UPDATE ON debate_events FOR EACH ROW
            WHEN (octet_length(NEW.data) > 0 OR octet_length(NEW.salt) > 0
                  OR (NEW.debate_id, NEW.seq, NEW.type, NEW.round, NEW.agent, NEW.at, NEW.epoch, NEW.data_hash,
                      NEW.prev_hash, NEW.hash, NEW.call_key, NEW.attempt)
                     IS DISTINCT FROM
                     (OLD.debate_id, OLD.seq, OLD.type, OLD.round, OLD.agent, OLD.at, OLD.epoch, OLD.data_hash,
                      OLD.prev_hash, OLD.hash, OLD.call_key, OLD.attempt))
            EXECUTE FUNCTION refuse_event_change();
        CREATE TRIGGER debate_events_no_delete BEFORE DELETE ON debate_events FOR EACH ROW
            WHEN (current_setting('aragora.removed_debate', true) IS DISTINCT FROM OLD.debate_id)
            EXECUTE FUNCTION refuse_event_change();
        -- Those of statements are not handed down.
        CREATE TRIGGER debate_events_no_truncate BEFORE TRUNCATE ON debate_events FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_event_change();
        CREATE TRIGGER debate_events_no_truncate BEFORE TRUNCATE ON debate_events_first FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_event_change();
        CREATE TRIGGER debate_events_no_truncate BEFORE TRUNCATE ON debate_events_rest FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_event_change();

        -- Views name the table they were made on; these are the same ones, on the new table.
        CREATE OR REPLACE VIEW debate_messages AS
            SELECT debate_id, row_number() OVER (PARTITION BY debate_id ORDER BY seq) - 1 AS idx, seq, round,
                   coalesce(agent, body ->> 'agent', body ->> 'author') AS agent,
                   coalesce(body ->> 'role', CASE type WHEN 'user_message' THEN 'user' ELSE 'proposer' END) AS role,
                   CASE type WHEN 'agent_message' THEN 'propose' WHEN 'revision' THEN 'revise' ELSE 'intervention' END
                       AS phase,
                   body ->> 'content' AS content, at AS ts
            FROM debate_events,
                 LATERAL (SELECT CASE WHEN octet_length(data) > 0 THEN convert_from(data, 'UTF8')::jsonb END AS body) AS parsed
            WHERE type IN ('agent_message', 'revision', 'user_message');
        CREATE OR REPLACE VIEW critiques AS
            SELECT debate_id, seq, round, agent, body ->> 'target_agent' AS target_agent, body ->> 'content' AS content,
                   (body ->> 'score')::numeric AS severity, at AS ts
            FROM debate_events,
                 LATERAL (SELECT CASE WHEN octet_length(data) > 0 THEN convert_from(data, 'UTF8')::jsonb END AS body) AS parsed
            WHERE type = 'critique';
        CREATE OR REPLACE VIEW votes AS
            SELECT debate_id, seq, round, agent, body ->> 'choice' AS choice, body ->> 'reasoning' AS reasoning,
                   (body ->> 'confidence')::numeric AS confidence, (body ->> 'continue_debate')::boolean AS continue_debate,
                   at AS ts
            FROM debate_events,
                 LATERAL (SELECT CASE WHEN octet_length(data) > 0 THEN convert_from(data, 'UTF8')::jsonb END AS body) AS parsed
            WHERE type = 'vote';

        -- One maker and remover at a time; a hold waits for them, so that nothing is removed in the moment in which it is held.
        CREATE FUNCTION event_retention_lock() RETURNS bigint LANGUAGE sql STABLE AS $body$
            SELECT hashtextextended('aragora event retention of ' || current_schema(), 0)
        $body$;
        -- Makes the next month's partition, and moves into it what waits in the default one. Null when there is one for `until`.
        CREATE FUNCTION make_event_partition(until timestamptz) RETURNS text LANGUAGE plpgsql SET lock_timeout = '1s' AS $body$
        DECLARE
            first text; starts timestamptz; ends timestamptz; made text;
        BEGIN
            PERFORM pg_advisory_xact_lock(event_retention_lock());
            SELECT end_id, ends_at INTO STRICT first, starts FROM event_partitions ORDER BY first_id DESC LIMIT 1;
            IF starts > until THEN RETURN NULL; END IF;
            ends := month_of(starts + interval '1 day', 1);
            made := 'debate_events_' || to_char(starts AT TIME ZONE 'UTC', 'YYYY_MM');
            EXECUTE format('CREATE TABLE %I (LIKE debate_events INCLUDING ALL)', made);
            EXECUTE format('CREATE TRIGGER debate_events_no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT '
                'EXECUTE FUNCTION refuse_event_change()', made);
            LOCK TABLE debate_events_rest IN ACCESS EXCLUSIVE MODE;
            IF EXISTS (SELECT FROM debate_events_rest WHERE debate_id >= first AND debate_id < debate_id_floor(ends)) THEN
                ALTER TABLE debate_events_rest DISABLE TRIGGER debate_events_no_delete;
                EXECUTE format('WITH moved AS (DELETE FROM debate_events_rest WHERE debate_id >= %L AND debate_id < %L RETURNING *) '
                    'INSERT INTO %I SELECT * FROM moved', first, debate_id_floor(ends), made);
                ALTER TABLE debate_events_rest ENABLE TRIGGER debate_events_no_delete;
            END IF;
            EXECUTE format('ALTER TABLE debate_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                made, first, debate_id_floor(ends));
            INSERT INTO event_partitions (name, first_id, end_id, ends_at) VALUES (made, first, debate_id_floor(ends), ends);
            RETURN made;
        END $body$;
        SELECT make_event_partition('infinity');
        SELECT make_event_partition('infinity');

        CREATE FUNCTION await_event_retention() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            PERFORM pg_advisory_xact_lock_shared(event_retention_lock());
            RETURN NEW;
        END $body$;
        CREATE TRIGGER receipts_hold_waits BEFORE UPDATE OF legal_hold ON receipts FOR EACH ROW
            WHEN (NEW.legal_hold AND NOT OLD.legal_hold) EXECUTE FUNCTION await_event_retention();

        -- Why the logs of [first, end_) must stay; null when they may go.
        CREATE FUNCTION events_kept_for(first text, end_ text) RETURNS text LANGUAGE plpgsql STABLE AS $body$
        DECLARE
            because text;
        BEGIN
            SELECT debate_id INTO because FROM debate_runs
            WHERE status IN ('queued', 'running', 'paused') AND debate_id >= first AND debate_id < end_ LIMIT 1;
            IF FOUND THEN RETURN 'open: ' || because; END IF;
            SELECT debate_id INTO because FROM receipts
            WHERE legal_hold AND debate_id >= first AND debate_id < end_ LIMIT 1;
            IF FOUND THEN RETURN 'held: ' || because; END IF;
            SELECT r.debate_id INTO because FROM receipt_log_queue JOIN receipts r ON r.id = receipt_id
            WHERE r.debate_id >= first AND r.debate_id < end_ LIMIT 1;
            IF FOUND THEN RETURN 'not in the receipt log: ' || because; END IF;
            -- Whoever takes an open debate over reads those that it branched off.
            WITH RECURSIVE line AS (
                SELECT d.id, d.parent_id FROM debate_runs r JOIN debates d ON d.id = r.debate_id
                WHERE r.status IN ('queued', 'running', 'paused') AND d.parent_id IS NOT NULL
                UNION
                SELECT d.id, d.parent_id FROM line JOIN debates d ON d.id = line.parent_id WHERE d.parent_id IS NOT NULL
            )
            SELECT parent_id INTO because FROM line WHERE parent_id >= first AND parent_id < end_ LIMIT 1;
            IF FOUND THEN RETURN 'read by an open branch: ' || because; END IF;
            RETURN NULL;
        END $body$;

        -- Drops a partition, if it may go. Null when it is gone, else why not.
        CREATE FUNCTION remove_event_partition(gone text) RETURNS text LANGUAGE plpgsql SET lock_timeout = '1s' AS $body$
        DECLARE
            part event_partitions; reason text;
        BEGIN
            PERFORM pg_advisory_xact_lock(event_retention_lock());
            SELECT * INTO part FROM event_partitions WHERE name = gone AND removed_at IS NULL FOR UPDATE;
            IF NOT FOUND THEN RETURN NULL; END IF;
            IF part.ends_at > now() THEN RETURN 'not over'; END IF;
            reason := events_kept_for(part.first_id, part.end_id);
            IF reason IS NOT NULL THEN RETURN reason; END IF;
            EXECUTE format('DROP TABLE %I', gone);
            UPDATE event_partitions
            SET removed_at = now(), emptied_to = first_id, (debates, events) = (
                SELECT count(*), coalesce(sum(last_seq), 0) FROM debate_runs
                WHERE debate_id >= part.first_id AND debate_id < part.end_id)
            WHERE name = gone;
            RETURN NULL;
        END $body$;

        -- Empties the answers of calls whose debates' events were dropped, a bounded number of debates; zero when none is left.
        -- What a call cost stays.
        CREATE FUNCTION empty_removed_answers(maximum bigint) RETURNS bigint LANGUAGE plpgsql AS $body$
        DECLARE
            part event_partitions; batch text[];
        BEGIN
            SELECT * INTO part FROM event_partitions WHERE emptied_to < end_id ORDER BY first_id LIMIT 1 FOR UPDATE;
            IF NOT FOUND THEN RETURN 0; END IF;
            batch := ARRAY(SELECT debate_id FROM debate_runs WHERE debate_id >= part.emptied_to AND debate_id < part.end_id
                           ORDER BY debate_id LIMIT maximum);
            -- One that was made since, by a clock that is behind, has events.
            UPDATE agent_calls c SET content = '' WHERE c.debate_id = ANY (batch) AND c.content <> ''
                AND NOT EXISTS (SELECT FROM debate_events e WHERE e.debate_id = c.debate_id AND e.seq = 1);
            UPDATE event_partitions
            SET emptied_to = CASE WHEN cardinality(batch) < maximum THEN end_id ELSE batch[maximum] || '~' END
            WHERE name = part.name;
            RETURN greatest(cardinality(batch), 1);
        END $body$;

        -- Removes logs before an id from the default partition, a bounded number of debates; how many went.
        CREATE FUNCTION remove_stray_logs(end_ text, maximum bigint) RETURNS integer LANGUAGE plpgsql AS $body$
        DECLARE
            stray text; removed integer := 0;
        BEGIN
            PERFORM pg_advisory_xact_lock(event_retention_lock());
            FOR stray IN
                SELECT debate_id FROM debate_events_rest WHERE seq = 1 AND debate_id < end_ ORDER BY debate_id LIMIT maximum
            LOOP
                CONTINUE WHEN events_kept_for(stray, stray || '~') IS NOT NULL;
                PERFORM set_config('aragora.removed_debate', stray, true);
                DELETE FROM debate_events WHERE debate_id = stray;
                UPDATE agent_calls SET content = '' WHERE debate_id = stray AND content <> '';
                INSERT INTO removed_logs (debate_id) VALUES (stray) ON CONFLICT DO NOTHING;
                removed := removed + 1;
            END LOOP;
            PERFORM set_config('aragora.removed_debate', '', true);
            RETURN removed;
        END $body$;
        """
}
