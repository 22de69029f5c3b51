/// Decision receipts, and what is sent out when a debate ends.
enum M0006CreateReceipts {
    static let sql = """
        -- compatible
        -- Reason: a receipt is one signed document per debate; the columns beside it are what lists are filtered by.
        -- Lock: none, all tables are new.

        CREATE TABLE receipts (
            id         text COLLATE "C" PRIMARY KEY,
            debate_id  text COLLATE "C" NOT NULL REFERENCES debates (id),
            -- The bytes that were signed, canonical JSON.
            document   bytea NOT NULL CHECK (octet_length(document) > 0),
            verdict    text NOT NULL CHECK (verdict IN ('APPROVED', 'APPROVED_WITH_CONDITIONS', 'NEEDS_REVIEW')),
            risk_level text NOT NULL CHECK (risk_level IN ('LOW', 'MEDIUM', 'HIGH')),
            confidence numeric(6, 4) NOT NULL CHECK (confidence BETWEEN 0 AND 1),
            checksum   text NOT NULL CHECK (checksum ~ '^[0-9a-f]{64}$'),
            is_signed  boolean NOT NULL,
            org_id     text COLLATE "C",
            created_at timestamptz(3) NOT NULL,
            legal_hold boolean NOT NULL DEFAULT false,
            CONSTRAINT receipts_one_per_debate UNIQUE (debate_id)
        );
        CREATE INDEX receipts_created_at ON receipts (created_at DESC, id DESC);

        CREATE FUNCTION refuse_receipt_change() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            RAISE EXCEPTION 'receipt % is written once', OLD.id USING ERRCODE = 'integrity_constraint_violation';
        END $body$;
        CREATE TRIGGER receipts_written_once BEFORE UPDATE ON receipts FOR EACH ROW
            WHEN ((NEW.id, NEW.debate_id, NEW.document, NEW.verdict, NEW.confidence, NEW.checksum, NEW.is_signed)
                  IS DISTINCT FROM
                  (OLD.id, OLD.debate_id, OLD.document, OLD.verdict, OLD.confidence, OLD.checksum, OLD.is_signed))
            EXECUTE FUNCTION refuse_receipt_change();

        CREATE VIEW decision_receipts AS
            SELECT id AS receipt_id, debate_id, 'debate-' || debate_id AS gauntlet_id, checksum AS receipt_hash,
                   'sha256' AS hash_algorithm, verdict, risk_level, confidence AS confidence_score, is_signed,
                   convert_from(document, 'UTF8') AS document, created_at AS issued_at, legal_hold, org_id
            FROM receipts;

        -- What a webhook subscriber is to be told; written by the transaction that it tells of, sent by any worker later.
        CREATE TABLE webhook_outbox (
            id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            debate_id     text COLLATE "C" NOT NULL,
            event_type    text NOT NULL,
            target        text NOT NULL,
            body          bytea NOT NULL,
            attempts      integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
            next_attempt  timestamptz(3) NOT NULL DEFAULT now(),
            created_at    timestamptz(3) NOT NULL DEFAULT now(),
            delivered_at  timestamptz(3),
            failure       text
        );
        CREATE INDEX webhook_outbox_due ON webhook_outbox (next_attempt) WHERE delivered_at IS NULL;
        """
}
