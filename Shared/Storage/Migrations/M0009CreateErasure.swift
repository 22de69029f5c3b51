/// Taking away what people and models said, without breaking what proves the rest.
enum M0009CreateErasure {
    static let sql = """
        -- compatible
        -- Reason: privacy. Texts go; chains, receipts' places in them, and money stay true.
        -- Lock: ACCESS EXCLUSIVE on debates and agent_calls for a moment: a column without values, and a trigger.

        ALTER TABLE debates ADD COLUMN erased_at timestamptz(3);

        -- A receipt is written once, but for the transaction that erases its debate, which says which:
        -- SET LOCAL aragora.erased_debate = 'dbt_…'. What it decided stays; its texts go, and it is sealed anew.
        CREATE OR REPLACE FUNCTION refuse_receipt_change() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            IF current_setting('aragora.erased_debate', true) IS NOT DISTINCT FROM OLD.debate_id
               AND (NEW.id, NEW.debate_id, NEW.verdict, NEW.confidence)
                   IS NOT DISTINCT FROM (OLD.id, OLD.debate_id, OLD.verdict, OLD.confidence) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'receipt % is written once', OLD.id USING ERRCODE = 'integrity_constraint_violation';
        END $body$;

        -- An answer that comes when its debate was erased is counted, and not kept.
        CREATE FUNCTION forget_late_answer() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            IF EXISTS (SELECT FROM debates WHERE id = NEW.debate_id AND erased_at IS NOT NULL) THEN
                NEW.content := '';
            END IF;
            RETURN NEW;
        END $body$;
        CREATE TRIGGER agent_calls_forget_late BEFORE UPDATE OF content ON agent_calls FOR EACH ROW
            WHEN (OLD.state = 'unknown' AND NEW.content <> '')
            EXECUTE FUNCTION forget_late_answer();
        """
}
