/// What ends of debates and appends need so that neither waits for a round trip, nor grows with what is stored.
enum M0019ShortenEnds {
    static let sql = """
        -- compatible
        -- Reason: the lock of the ratings was held over two round trips of a busy process, which bounded how many debates
        -- could end; an index of open calls made every outcome write to all indexes; and every search of conclusions read
        -- what waits to be put into its index.
        -- Lock: ACCESS EXCLUSIVE on agent_calls for a moment, to drop an index.

        -- Fails for whoever is not the run's holder, or believes in another log, so that the statements of an end can be sent
        -- behind it without waiting for its answer.
        CREATE FUNCTION hold_run(debate text, of_epoch bigint, seq bigint, hash bytea) RETURNS void LANGUAGE plpgsql AS $body$
        BEGIN
            PERFORM FROM debate_runs r
            WHERE r.debate_id = debate COLLATE "C" AND r.status = 'running' AND r.lease_epoch = of_epoch
              AND r.last_seq = seq AND r.last_hash = hash
            FOR NO KEY UPDATE;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'debate % is not held under epoch % at event %', debate, of_epoch, seq USING ERRCODE = 'AR001';
            END IF;
        END $body$;

        -- Shared/Domain/Ratings/EloRule.swift says the same, operation by operation, since the numbers must be the same to the
        -- last digit; a test compares them. Ratings and weights are in ten-thousandths.
        CREATE FUNCTION rate_match(
            of_debate text, at timestamptz, winning text, is_demo boolean, by_weight bigint, initial bigint, k_factor bigint,
            names text[], providers text[], models text[], vote_counts bigint[], side_results text[], errors bigint[],
            keeps boolean[]
        ) RETURNS bigint LANGUAGE plpgsql AS $body$
        DECLARE
            sides integer := cardinality(names);
            place bigint;
            -- By seat: the first seat of the same agent, its rating before, and by how much that agent's moves.
            agent integer[] := array_fill(0, ARRAY[sides]);
            before bigint[] := array_fill(0, ARRAY[sides]);
            change bigint[] := array_fill(0::bigint, ARRAY[sides]);
            step float8 := k_factor::float8 * (by_weight::float8 / 10000) / (sides - 1)::float8;
            score float8;
            exponent float8;
            part float8;
            whole float8;
            total float8;
            term float8;
            scaled float8;
            moved float8;
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtextextended('aragora ratings of ' || current_schema(), 0));
            SELECT coalesce(max(number), 0) + 1 INTO place FROM matches;
            FOR i IN 1..sides LOOP
                agent[i] := i;
                FOR j IN 1..i - 1 LOOP
                    IF providers[j] = providers[i] AND models[j] = models[i] THEN
                        agent[i] := j;
                        EXIT;
                    END IF;
                END LOOP;
                before[i] := coalesce((
                    SELECT (r.elo * 10000)::bigint FROM agent_ratings r
                    WHERE r.provider = providers[i] COLLATE "C" AND r.model = models[i] COLLATE "C"), initial * 10000);
            END LOOP;

            FOR i IN 1..sides LOOP
                FOR j IN i + 1..sides LOOP
                    CONTINUE WHEN agent[i] = agent[j];
                    score := CASE WHEN vote_counts[i] + vote_counts[j] = 0 THEN 0.5
                             ELSE vote_counts[i]::float8 / (vote_counts[i] + vote_counts[j])::float8 END;
                    exponent := (before[j]::float8 / 10000 - before[i]::float8 / 10000) / 400;
                    exponent := least(10::float8, greatest(-10::float8, exponent)) * 3.321928094887362::float8;
                    whole := floor(exponent);
                    part := (exponent - whole) * 0.6931471805599453::float8;
                    total := 1;
                    term := 1;
                    FOR n IN 1..20 LOOP
                        term := term * part / n::float8;
                        -- Terms only shrink: none of the rest would change it.
                        EXIT WHEN total + term = total;
                        total := total + term;
                    END LOOP;
                    total := total * CASE WHEN whole >= 0 THEN (1::bigint << whole::integer)::float8
                                     ELSE 1 / (1::bigint << (-whole)::integer)::float8 END;
                    scaled := step * (score - 1 / (1 + total)) * 10000;
                    -- Halves go away from zero.
                    moved := trunc(scaled);
                    IF abs(scaled - moved) >= 0.5 THEN moved := moved + sign(scaled); END IF;
                    change[agent[i]] := change[agent[i]] + moved::bigint;
                    change[agent[j]] := change[agent[j]] - moved::bigint;
                END LOOP;
            END LOOP;

            INSERT INTO matches (number, debate_id, rated_at, winner, demo, weight, initial, k_factor)
            VALUES (place, of_debate, at, winning, is_demo, by_weight / 10000.0, rate_match.initial, rate_match.k_factor);
            INSERT INTO match_agents (number, seat, name, provider, model, votes, result, squared_error, kept, elo_before,
                                      elo_after)
            SELECT place, s.seat, s.name, s.provider, s.model, s.votes, s.result, s.error / 10000.0, s.kept,
                   before[s.seat] / 10000.0, (before[s.seat] + change[agent[s.seat]]) / 10000.0
            FROM unnest(names, providers, models, vote_counts, side_results, errors, keeps) WITH ORDINALITY
                AS s (name, provider, model, votes, result, error, kept, seat);
            INSERT INTO agent_ratings AS r (provider, model, elo, matches, wins, losses, draws, squared_errors, forecasts, kept,
                                            comparable, last_match)
            SELECT s.provider, s.model, (min(before[s.seat]) + min(change[agent[s.seat]])) / 10000.0, 1,
                   count(*) FILTER (WHERE s.result = 'win'), count(*) FILTER (WHERE s.result = 'loss'),
                   count(*) FILTER (WHERE s.result = 'draw'), coalesce(sum(s.error), 0) / 10000.0, count(s.error),
                   count(*) FILTER (WHERE s.kept), count(s.kept), place
            FROM unnest(providers, models, side_results, errors, keeps) WITH ORDINALITY
                AS s (provider, model, result, error, kept, seat)
            GROUP BY s.provider, s.model
            ON CONFLICT (provider, model) DO UPDATE SET
                elo = excluded.elo, matches = r.matches + 1, wins = r.wins + excluded.wins,
                losses = r.losses + excluded.losses, draws = r.draws + excluded.draws,
                squared_errors = r.squared_errors + excluded.squared_errors,
                forecasts = r.forecasts + excluded.forecasts, kept = r.kept + excluded.kept,
                comparable = r.comparable + excluded.comparable, last_match = excluded.last_match;
            RETURN place;
        END $body$;

        -- A debate's calls are found by the key, open ones too. Without this index a settled call stays on its page (HOT), if
        -- there is room.
        DROP INDEX agent_calls_open;
        ALTER TABLE agent_calls SET (fillfactor = 50);

        -- Every create looks here for what is known: what waits outside the index is read whole each time (kilobytes).
        ALTER INDEX knowledge_items_asked SET (gin_pending_list_limit = 64);
        """
}
