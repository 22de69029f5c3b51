/// Says of the events there are that they lie before a month to come, so that the table can become a partition.
enum M0025BoundFirstEvents {
    static let sql = """
        -- compatible
        -- Reason: the table of events is to be partitioned by month. A partition's bounds must be proven, and the proof reads the
        -- whole table: the rule is added here, unproven, and proven in the next step, which nobody has to wait for.
        -- Lock: ACCESS EXCLUSIVE on debate_events for a moment. It is asked for two seconds at a time, so that nobody waits
        -- longer behind it, and again while somebody reads, as pg_dump does.

        -- The lowest id of a moment: an id begins with 48 bits of milliseconds.
        CREATE FUNCTION debate_id_floor(moment timestamptz) RETURNS text LANGUAGE sql STABLE AS $body$
            SELECT 'dbt_' || string_agg(
                substr('0123456789abcdefghjkmnpqrstvwxyz', (ms >> (45 - 5 * place) & 31)::integer + 1, 1), '' ORDER BY place)
            FROM (SELECT floor(extract(epoch FROM moment) * 1000)::bigint AS ms) AS clock, generate_series(0, 9) AS place
        $body$;
        CREATE FUNCTION debate_id_time(id text) RETURNS timestamptz LANGUAGE sql STABLE AS $body$
            SELECT to_timestamp(sum(
                (strpos('0123456789abcdefghjkmnpqrstvwxyz', substr(id, 5 + place, 1)) - 1)::bigint << (45 - 5 * place))
                / 1000.0)
            FROM generate_series(0, 9) AS place
        $body$;
        -- Months are those of UTC, whoever asks.
        CREATE FUNCTION month_of(moment timestamptz, later integer) RETURNS timestamptz LANGUAGE sql STABLE AS $body$
            SELECT (date_trunc('month', moment AT TIME ZONE 'UTC') + later * interval '1 month') AT TIME ZONE 'UTC'
        $body$;
        CREATE FUNCTION lock_patiently(locked text) RETURNS void LANGUAGE plpgsql AS $body$
        DECLARE
            before text := current_setting('lock_timeout');
        BEGIN
            PERFORM set_config('lock_timeout', '2s', true);
            FOR attempt IN 1 .. 300 LOOP
                BEGIN
                    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', locked);
                    PERFORM set_config('lock_timeout', before, true);
                    RETURN;
                EXCEPTION WHEN lock_not_available THEN
                    IF attempt = 300 THEN RAISE; END IF;
                    PERFORM pg_sleep(1);
                END;
            END LOOP;
        END $body$;

        -- The bound is at least a fortnight away, and beyond every id there is: a clock may have been wrong once.
        DO $body$
        BEGIN
            PERFORM lock_patiently('debate_events');
            EXECUTE format('ALTER TABLE debate_events ADD CONSTRAINT debate_events_first CHECK (debate_id < %L) NOT VALID',
                debate_id_floor(month_of(greatest(
                    now() + interval '14 days',
                    (SELECT debate_id_time(debate_id) FROM debate_events ORDER BY debate_id DESC LIMIT 1)), 1)));
        END $body$;
        """
}
