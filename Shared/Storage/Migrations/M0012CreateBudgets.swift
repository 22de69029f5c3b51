/// What may be spent, what was, and every movement in between.
enum M0012CreateBudgets {
    static let sql = """
        -- compatible
        -- Reason: money flows down: a budget's period grants a debate chunks, the debate reserves the worst cost of a call
        -- with its intent and settles with its outcome. The rules are functions and triggers, so that no statement that
        -- moves a call or ends a debate can leave the books behind; each runs under the row locks of run, calls, account,
        -- period, in this order. All amounts are millionths of a US dollar.
        -- Lock: agent_calls and debate_runs exclusively, for the moment that a column and triggers take.

        ALTER TABLE agent_calls ADD COLUMN reserved_micro_usd bigint NOT NULL DEFAULT 0 CHECK (reserved_micro_usd >= 0);

        CREATE TABLE budgets (
            id              text COLLATE "C" PRIMARY KEY CHECK (id ~ '^bdg_[0-9a-hjkmnp-tv-z]{26}$'),
            org_id          text COLLATE "C" NOT NULL,
            name            text NOT NULL,
            limit_micro_usd bigint NOT NULL CHECK (limit_micro_usd > 0),
            period          text NOT NULL CHECK (
                                period IN ('daily', 'weekly', 'monthly', 'quarterly', 'yearly', 'total')),
            -- Percent of the limit.
            alert_threshold integer NOT NULL CHECK (alert_threshold BETWEEN 1 AND 100),
            enabled         boolean NOT NULL DEFAULT true,
            created_by      text NOT NULL,
            created_at      timestamptz(3) NOT NULL DEFAULT now(),
            updated_at      timestamptz(3) NOT NULL DEFAULT now(),
            -- A period that began before it is over, whatever the calendar says.
            reset_at        timestamptz(3),
            deleted_at      timestamptz(3)
        );
        CREATE INDEX budgets_of_organization ON budgets (org_id, id) WHERE deleted_at IS NULL;

        -- A row since somebody spent in it.
        CREATE TABLE budget_periods (
            budget_id           text COLLATE "C" NOT NULL REFERENCES budgets (id),
            starts_at           timestamptz(3) NOT NULL,
            -- Of debates that are over, with the corrections that came later.
            spent_micro_usd     bigint NOT NULL DEFAULT 0 CHECK (spent_micro_usd >= 0),
            -- Granted to debates that are not over, what they have spent of it included.
            allocated_micro_usd bigint NOT NULL DEFAULT 0 CHECK (allocated_micro_usd >= 0),
            alerted_at          timestamptz(3),
            PRIMARY KEY (budget_id, starts_at)
        ) WITH (fillfactor = 50);

        -- What a debate has reserved and spent; a row since its first call that costs something.
        CREATE TABLE debate_accounts (
            debate_id          text COLLATE "C" PRIMARY KEY REFERENCES debates (id),
            -- The debate's own; null without one.
            limit_micro_usd    bigint CHECK (limit_micro_usd > 0),
            reserved_micro_usd bigint NOT NULL DEFAULT 0 CHECK (reserved_micro_usd >= 0),
            spent_micro_usd    bigint NOT NULL DEFAULT 0 CHECK (spent_micro_usd >= 0),
            closed_at          timestamptz(3)
        ) WITH (fillfactor = 50);

        -- Which periods a debate draws from: fixed by its first call that costs something, whoever goes on with it. Reserved
        -- and spent are the account's.
        CREATE TABLE budget_allocations (
            debate_id         text COLLATE "C" NOT NULL REFERENCES debate_accounts (debate_id),
            budget_id         text COLLATE "C" NOT NULL,
            starts_at         timestamptz(3) NOT NULL,
            -- 0 once the debate is over.
            granted_micro_usd bigint NOT NULL DEFAULT 0 CHECK (granted_micro_usd >= 0),
            PRIMARY KEY (debate_id, budget_id),
            FOREIGN KEY (budget_id, starts_at) REFERENCES budget_periods (budget_id, starts_at)
        ) WITH (fillfactor = 70);
        CREATE INDEX budget_allocations_open ON budget_allocations (budget_id, starts_at) WHERE granted_micro_usd > 0;

        -- Once for each period, when the threshold is crossed.
        CREATE TABLE budget_alerts (
            id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            budget_id       text COLLATE "C" NOT NULL,
            starts_at       timestamptz(3) NOT NULL,
            -- Whose call crossed it.
            debate_id       text COLLATE "C" NOT NULL,
            threshold       integer NOT NULL,
            spent_micro_usd bigint NOT NULL,
            limit_micro_usd bigint NOT NULL,
            raised_at       timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
            acknowledged_at timestamptz(3),
            acknowledged_by text,
            UNIQUE (budget_id, starts_at)
        );
        CREATE INDEX budget_alerts_of_debate ON budget_alerts (debate_id);

        -- Every movement. Numbered under the lock of the row it moves, so that ascending ids are the order of events for each
        -- account and each period. `amount` is what becomes or ceases to be committed, `spent` what becomes spent.
        CREATE TABLE budget_entries (
            id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at               timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
            kind             text NOT NULL CHECK (kind IN (
                                 'limit', 'open', 'grant', 'overrun', 'reserve', 'settle', 'unknown', 'correct', 'refuse',
                                 'return', 'close')),
            debate_id        text COLLATE "C",
            budget_id        text COLLATE "C",
            starts_at        timestamptz(3),
            call_key         text COLLATE "C",
            attempt          integer,
            -- Null for no limit.
            amount_micro_usd bigint,
            spent_micro_usd  bigint NOT NULL DEFAULT 0
        );
        CREATE INDEX budget_entries_of_budget ON budget_entries (budget_id, id) WHERE budget_id IS NOT NULL;
        CREATE INDEX budget_entries_of_debate ON budget_entries (debate_id, id) WHERE debate_id IS NOT NULL;

        CREATE FUNCTION refuse_entry_change() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            RAISE EXCEPTION 'budget_entries is append only' USING ERRCODE = 'integrity_constraint_violation';
        END $body$;
        CREATE TRIGGER budget_entries_append_only BEFORE UPDATE OR DELETE ON budget_entries FOR EACH ROW
            EXECUTE FUNCTION refuse_entry_change();
        CREATE TRIGGER budget_entries_no_truncate BEFORE TRUNCATE ON budget_entries FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_entry_change();

        -- Shared/Domain/Budgets/BudgetPeriod.swift says the same; a test compares them.
        CREATE FUNCTION budget_period_start(period text, at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $body$
            SELECT CASE period
                WHEN 'daily' THEN date_trunc('day', at, 'UTC')
                WHEN 'weekly' THEN date_trunc('week', at, 'UTC')
                WHEN 'monthly' THEN date_trunc('month', at, 'UTC')
                WHEN 'quarterly' THEN date_trunc('quarter', at, 'UTC')
                WHEN 'yearly' THEN date_trunc('year', at, 'UTC')
                ELSE to_timestamp(0)
            END
        $body$;

        -- What a period had when its limit changed is part of the books; whoever grants from it waits.
        CREATE FUNCTION note_budget_limit() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            PERFORM FROM budget_periods p WHERE p.budget_id = NEW.id ORDER BY p.starts_at FOR NO KEY UPDATE;
            INSERT INTO budget_entries (kind, budget_id, amount_micro_usd) VALUES (
                'limit', NEW.id,
                CASE WHEN NEW.enabled AND NEW.deleted_at IS NULL THEN NEW.limit_micro_usd END);
            RETURN NULL;
        END $body$;
        CREATE TRIGGER budgets_limit_noted AFTER INSERT OR UPDATE OF limit_micro_usd, enabled, deleted_at ON budgets
            FOR EACH ROW EXECUTE FUNCTION note_budget_limit();

        -- Spent in a period until now: by debates that are over, and by those that are not.
        CREATE FUNCTION budget_spent(budget text, starts timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $body$
            SELECT coalesce((SELECT p.spent_micro_usd FROM budget_periods p
                             WHERE p.budget_id = budget COLLATE "C" AND p.starts_at = starts), 0)
                 + coalesce((SELECT sum(d.spent_micro_usd) FROM budget_allocations a JOIN debate_accounts d USING (debate_id)
                             WHERE a.budget_id = budget COLLATE "C" AND a.starts_at = starts AND a.granted_micro_usd > 0), 0)
                   ::bigint
        $body$;

        CREATE FUNCTION raise_budget_alerts(debate text) RETURNS void LANGUAGE plpgsql AS $body$
        DECLARE
            crossed record;
        BEGIN
            FOR crossed IN
                SELECT a.budget_id, a.starts_at, b.alert_threshold, b.limit_micro_usd,
                       budget_spent(a.budget_id, a.starts_at) AS spent
                FROM budget_allocations a JOIN budget_periods p USING (budget_id, starts_at) JOIN budgets b ON b.id = a.budget_id
                WHERE a.debate_id = debate COLLATE "C" AND p.alerted_at IS NULL AND b.enabled AND b.deleted_at IS NULL
                ORDER BY a.budget_id
            LOOP
                CONTINUE WHEN crossed.spent * 100.0 < crossed.limit_micro_usd::numeric * crossed.alert_threshold;
                UPDATE budget_periods p SET alerted_at = clock_timestamp()
                WHERE p.budget_id = crossed.budget_id AND p.starts_at = crossed.starts_at AND p.alerted_at IS NULL;
                CONTINUE WHEN NOT FOUND;
                INSERT INTO budget_alerts (budget_id, starts_at, debate_id, threshold, spent_micro_usd, limit_micro_usd)
                VALUES (crossed.budget_id, crossed.starts_at, debate, crossed.alert_threshold, crossed.spent,
                        crossed.limit_micro_usd);
            END LOOP;
        END $body$;

        -- A call moves forward, and its money with it: in the same statement, whoever moves it and whatever the epoch.
        -- `unknown` costs its reservation until more is known; what is learned after the end goes to the periods.
        CREATE FUNCTION settle_call() RETURNS trigger LANGUAGE plpgsql AS $body$
        DECLARE
            released bigint := CASE OLD.state WHEN 'intent' THEN OLD.reserved_micro_usd ELSE 0 END;
            change bigint;
            account debate_accounts;
            allocation record;
        BEGIN
            IF NEW.state = 'unknown' THEN NEW.cost_micro_usd := OLD.reserved_micro_usd; END IF;
            change := NEW.cost_micro_usd - CASE OLD.state WHEN 'unknown' THEN OLD.cost_micro_usd ELSE 0 END;
            UPDATE debate_accounts d
            SET reserved_micro_usd = d.reserved_micro_usd - released, spent_micro_usd = d.spent_micro_usd + change
            WHERE d.debate_id = NEW.debate_id RETURNING * INTO account;
            IF NOT FOUND THEN RETURN NEW; END IF;

            INSERT INTO budget_entries (kind, debate_id, call_key, attempt, amount_micro_usd, spent_micro_usd)
            VALUES (CASE WHEN OLD.state = 'unknown' THEN 'correct' WHEN NEW.state = 'unknown' THEN 'unknown' ELSE 'settle' END,
                    NEW.debate_id, NEW.call_key, NEW.attempt, released, change);
            FOR allocation IN
                SELECT a.budget_id, a.starts_at, a.granted_micro_usd FROM budget_allocations a
                WHERE a.debate_id = NEW.debate_id ORDER BY a.budget_id
            LOOP
                IF account.closed_at IS NOT NULL THEN
                    UPDATE budget_periods p SET spent_micro_usd = p.spent_micro_usd + change
                    WHERE p.budget_id = allocation.budget_id AND p.starts_at = allocation.starts_at;
                    INSERT INTO budget_entries (kind, debate_id, budget_id, starts_at, call_key, attempt, amount_micro_usd,
                                                spent_micro_usd)
                    VALUES ('correct', NEW.debate_id, allocation.budget_id, allocation.starts_at, NEW.call_key, NEW.attempt,
                            0, change);
                ELSIF allocation.granted_micro_usd < account.spent_micro_usd + account.reserved_micro_usd THEN
                    -- It cost more than the worst that was thought of. That is a fact, and the period bears it.
                    PERFORM grant_budget('overrun', NEW.debate_id, allocation.budget_id, allocation.starts_at,
                        account.spent_micro_usd + account.reserved_micro_usd - allocation.granted_micro_usd);
                END IF;
            END LOOP;
            IF change > 0 AND account.closed_at IS NULL THEN PERFORM raise_budget_alerts(NEW.debate_id); END IF;
            RETURN NEW;
        END $body$;
        CREATE TRIGGER agent_calls_settled BEFORE UPDATE OF state ON agent_calls FOR EACH ROW
            WHEN (OLD.state IS DISTINCT FROM NEW.state
                  AND (OLD.reserved_micro_usd > 0 OR OLD.cost_micro_usd > 0 OR NEW.cost_micro_usd > 0))
            EXECUTE FUNCTION settle_call();

        CREATE FUNCTION grant_budget(kind text, debate text, budget text, starts timestamptz, amount bigint) RETURNS void
        LANGUAGE plpgsql AS $body$
        BEGIN
            UPDATE budget_periods p SET allocated_micro_usd = p.allocated_micro_usd + amount
            WHERE p.budget_id = budget COLLATE "C" AND p.starts_at = starts;
            UPDATE budget_allocations a SET granted_micro_usd = a.granted_micro_usd + amount
            WHERE a.debate_id = debate COLLATE "C" AND a.budget_id = budget COLLATE "C";
            INSERT INTO budget_entries (kind, debate_id, budget_id, starts_at, amount_micro_usd)
            VALUES (kind, debate, budget, starts, amount);
        END $body$;

        -- The periods are those of the moment, and stay the debate's.
        CREATE FUNCTION open_debate_account(debate text, own_limit bigint) RETURNS void LANGUAGE plpgsql AS $body$
        DECLARE
            budget record;
            starts timestamptz(3);
        BEGIN
            INSERT INTO debate_accounts (debate_id, limit_micro_usd) VALUES (debate, own_limit) ON CONFLICT DO NOTHING;
            IF NOT FOUND THEN RETURN; END IF;
            INSERT INTO budget_entries (kind, debate_id, amount_micro_usd) VALUES ('open', debate, own_limit);
            FOR budget IN
                SELECT b.id, b.period, b.reset_at FROM debate_runs r JOIN budgets b ON b.org_id = coalesce(r.org_id, 'org_default')
                WHERE r.debate_id = debate COLLATE "C" AND b.enabled AND b.deleted_at IS NULL ORDER BY b.id
            LOOP
                starts := greatest(budget_period_start(budget.period, clock_timestamp()), budget.reset_at);
                INSERT INTO budget_periods (budget_id, starts_at) VALUES (budget.id, starts) ON CONFLICT DO NOTHING;
                INSERT INTO budget_allocations (debate_id, budget_id, starts_at) VALUES (debate, budget.id, starts);
            END LOOP;
        END $body$;

        -- Writes the intents of a phase and reserves their worst cost, or writes nothing and says who can not pay. The caller
        -- holds the run's lock and its epoch; `is_ours` is false when it turned out that it does not.
        --
        -- Rows: a key for each intent that was written; or one with the refusal ('debate', or a budget's id); and the alerts
        -- that this debate has raised, ever.
        CREATE FUNCTION write_paid_intents(
            is_ours boolean, debate text, of_epoch bigint, own_limit bigint, keys text[], attempts bigint[], agents text[],
            providers text[], models text[], rounds bigint[], worst bigint[]
        ) RETURNS TABLE (written text, refused_by text, alert bigint, alert_budget text, alert_name text, alert_threshold bigint,
                         alert_spent bigint, alert_limit bigint)
        LANGUAGE plpgsql AS $body$
        DECLARE
            total bigint;
            account debate_accounts;
            allocation record;
            missing bigint;
            remainder bigint;
            is_check boolean;
        BEGIN
            IF NOT is_ours THEN RETURN; END IF;
            SELECT coalesce(sum(i.amount), 0) INTO total FROM unnest(keys, attempts, worst) AS i (key, attempt, amount)
            WHERE NOT EXISTS (SELECT FROM agent_calls c WHERE c.debate_id = debate COLLATE "C"
                              AND c.call_key = i.key COLLATE "C" AND c.attempt = i.attempt);
            IF total > 0 THEN
                PERFORM open_debate_account(debate, own_limit);
                SELECT * INTO account FROM debate_accounts d WHERE d.debate_id = debate COLLATE "C" FOR NO KEY UPDATE;
                IF account.limit_micro_usd - account.spent_micro_usd - account.reserved_micro_usd < total THEN
                    INSERT INTO budget_entries (kind, debate_id, amount_micro_usd) VALUES ('refuse', debate, total);
                    refused_by := 'debate';
                    RETURN NEXT;
                    RETURN;
                END IF;
                -- All must be able to pay before any does.
                FOREACH is_check IN ARRAY ARRAY[true, false] LOOP
                    FOR allocation IN
                        SELECT a.budget_id, a.starts_at, a.granted_micro_usd FROM budget_allocations a
                        WHERE a.debate_id = debate COLLATE "C" ORDER BY a.budget_id
                    LOOP
                        missing := total - (allocation.granted_micro_usd - account.spent_micro_usd - account.reserved_micro_usd);
                        CONTINUE WHEN missing <= 0;
                        PERFORM FROM budget_periods p WHERE p.budget_id = allocation.budget_id
                            AND p.starts_at = allocation.starts_at FOR NO KEY UPDATE;
                        -- Null where the budget no longer limits anything.
                        SELECT b.limit_micro_usd - p.spent_micro_usd - p.allocated_micro_usd INTO remainder
                        FROM budget_periods p LEFT JOIN budgets b ON b.id = p.budget_id AND b.enabled AND b.deleted_at IS NULL
                        WHERE p.budget_id = allocation.budget_id AND p.starts_at = allocation.starts_at;
                        IF NOT is_check THEN
                            -- Shared/Domain/Budgets/BudgetChunk.swift says the same; a test compares them.
                            PERFORM grant_budget('grant', debate, allocation.budget_id, allocation.starts_at,
                                missing + least(missing * 3, coalesce((remainder - missing) / 16, 0)));
                        ELSIF remainder < missing THEN
                            INSERT INTO budget_entries (kind, debate_id, budget_id, starts_at, amount_micro_usd)
                            VALUES ('refuse', debate, allocation.budget_id, allocation.starts_at, total);
                            refused_by := allocation.budget_id;
                            RETURN NEXT;
                            RETURN;
                        END IF;
                    END LOOP;
                END LOOP;
                UPDATE debate_accounts d SET reserved_micro_usd = d.reserved_micro_usd + total
                WHERE d.debate_id = debate COLLATE "C";
            END IF;
            RETURN QUERY
                WITH intent AS (
                    INSERT INTO agent_calls AS c (debate_id, epoch, attempt, call_key, agent, provider, model, round,
                                                  reserved_micro_usd)
                    SELECT debate, of_epoch, i.attempt, i.key, i.agent, i.provider, i.model, i.round, i.amount
                    FROM unnest(keys, attempts, agents, providers, models, rounds, worst)
                        AS i (key, attempt, agent, provider, model, round, amount)
                    ON CONFLICT DO NOTHING
                    RETURNING c.call_key, c.attempt, c.reserved_micro_usd
                ), entry AS (
                    INSERT INTO budget_entries (kind, debate_id, call_key, attempt, amount_micro_usd)
                    SELECT 'reserve', debate, n.call_key, n.attempt, n.reserved_micro_usd FROM intent n
                    WHERE n.reserved_micro_usd > 0
                )
                SELECT n.call_key, NULL::text, NULL::bigint, NULL::text, NULL::text, NULL::bigint, NULL::bigint, NULL::bigint
                FROM intent n;
            RETURN QUERY
                SELECT NULL::text, NULL::text, l.id, l.budget_id, b.name, l.threshold::bigint, l.spent_micro_usd,
                       l.limit_micro_usd
                FROM budget_alerts l JOIN budgets b ON b.id = l.budget_id
                WHERE l.debate_id = debate COLLATE "C" ORDER BY l.id;
        END $body$;

        -- A debate that stops being run returns what it has not spent; one that is over returns everything, and its periods
        -- bear what it spent. Whoever ends it has settled its calls before.
        CREATE FUNCTION return_allocations() RETURNS trigger LANGUAGE plpgsql AS $body$
        DECLARE
            is_over boolean := NEW.status <> 'paused';
            account debate_accounts;
            allocation record;
            remainder bigint;
        BEGIN
            SELECT * INTO account FROM debate_accounts d WHERE d.debate_id = NEW.debate_id FOR NO KEY UPDATE;
            IF NOT FOUND THEN RETURN NULL; END IF;
            IF is_over AND account.reserved_micro_usd <> 0 THEN
                RAISE EXCEPTION 'debate % ends with % reserved', NEW.debate_id, account.reserved_micro_usd
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            FOR allocation IN
                SELECT a.budget_id, a.starts_at, a.granted_micro_usd FROM budget_allocations a
                WHERE a.debate_id = NEW.debate_id ORDER BY a.budget_id
            LOOP
                remainder := allocation.granted_micro_usd - account.spent_micro_usd - account.reserved_micro_usd;
                IF is_over THEN
                    UPDATE budget_periods p
                    SET allocated_micro_usd = p.allocated_micro_usd - allocation.granted_micro_usd,
                        spent_micro_usd = p.spent_micro_usd + account.spent_micro_usd
                    WHERE p.budget_id = allocation.budget_id AND p.starts_at = allocation.starts_at;
                    UPDATE budget_allocations a SET granted_micro_usd = 0
                    WHERE a.debate_id = NEW.debate_id AND a.budget_id = allocation.budget_id;
                    INSERT INTO budget_entries (kind, debate_id, budget_id, starts_at, amount_micro_usd, spent_micro_usd)
                    VALUES ('return', NEW.debate_id, allocation.budget_id, allocation.starts_at, allocation.granted_micro_usd,
                            account.spent_micro_usd);
                ELSIF remainder > 0 THEN
                    UPDATE budget_periods p SET allocated_micro_usd = p.allocated_micro_usd - remainder
                    WHERE p.budget_id = allocation.budget_id AND p.starts_at = allocation.starts_at;
                    UPDATE budget_allocations a SET granted_micro_usd = a.granted_micro_usd - remainder
                    WHERE a.debate_id = NEW.debate_id AND a.budget_id = allocation.budget_id;
                    INSERT INTO budget_entries (kind, debate_id, budget_id, starts_at, amount_micro_usd)
                    VALUES ('return', NEW.debate_id, allocation.budget_id, allocation.starts_at, remainder);
                END IF;
            END LOOP;
            IF is_over THEN
                UPDATE debate_accounts d SET closed_at = clock_timestamp() WHERE d.debate_id = NEW.debate_id;
                INSERT INTO budget_entries (kind, debate_id, amount_micro_usd) VALUES ('close', NEW.debate_id, 0);
            END IF;
            RETURN NULL;
        END $body$;
        CREATE TRIGGER debate_runs_return_allocations AFTER UPDATE OF status ON debate_runs FOR EACH ROW
            WHEN (OLD.status IS DISTINCT FROM NEW.status
                  AND NEW.status IN ('paused', 'completed', 'failed', 'cancelled', 'timeout'))
            EXECUTE FUNCTION return_allocations();
        """
}
