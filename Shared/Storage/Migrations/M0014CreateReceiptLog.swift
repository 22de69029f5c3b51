/// The append-only log of receipts, and what is needed to share, keep and delete them.
enum M0014CreateReceiptLog {
    static let sql = """
        -- compatible
        -- Reason: receipts that nobody can quietly change, add or take away: a Merkle tree with signed heads.
        -- Lock: ACCESS EXCLUSIVE on receipts for a moment: columns without values, and triggers.

        ALTER TABLE receipts
            ADD COLUMN redacted_checksum text CHECK (redacted_checksum ~ '^[0-9a-f]{64}$'),
            ADD COLUMN hold_reason text;

        DROP TRIGGER receipts_written_once ON receipts;
        CREATE TRIGGER receipts_written_once BEFORE UPDATE ON receipts FOR EACH ROW
            WHEN ((NEW.id, NEW.debate_id, NEW.document, NEW.verdict, NEW.confidence, NEW.checksum, NEW.is_signed,
                   NEW.redacted_checksum)
                  IS DISTINCT FROM
                  (OLD.id, OLD.debate_id, OLD.document, OLD.verdict, OLD.confidence, OLD.checksum, OLD.is_signed,
                   OLD.redacted_checksum))
            EXECUTE FUNCTION refuse_receipt_change();

        CREATE FUNCTION refuse_held_receipt() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            RAISE EXCEPTION 'receipt % is on legal hold', OLD.id USING ERRCODE = 'integrity_constraint_violation';
        END $body$;
        CREATE TRIGGER receipts_held BEFORE DELETE ON receipts FOR EACH ROW WHEN (OLD.legal_hold)
            EXECUTE FUNCTION refuse_held_receipt();

        -- What the retention deleted: a debate whose receipt is missing is no fault then.
        CREATE TABLE expired_receipts (
            receipt_id text COLLATE "C" PRIMARY KEY,
            debate_id  text COLLATE "C" NOT NULL UNIQUE,
            deleted_at timestamptz(3) NOT NULL DEFAULT now()
        );

        -- Receipts that are not in the log yet. Filled by the transaction that issues a receipt, whoever that is.
        CREATE TABLE receipt_log_queue (
            receipt_id        text COLLATE "C" PRIMARY KEY,
            checksum          text NOT NULL,
            redacted_checksum text,
            queued_at         timestamptz(3) NOT NULL DEFAULT clock_timestamp()
        );
        CREATE INDEX receipt_log_queue_order ON receipt_log_queue (queued_at, receipt_id);
        CREATE FUNCTION queue_receipt() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            INSERT INTO receipt_log_queue (receipt_id, checksum, redacted_checksum)
            VALUES (NEW.id, NEW.checksum, NEW.redacted_checksum);
            RETURN NULL;
        END $body$;
        CREATE TRIGGER receipts_queued AFTER INSERT ON receipts FOR EACH ROW EXECUTE FUNCTION queue_receipt();
        -- Of an erased receipt of the first version, the log has what it was.
        INSERT INTO receipt_log_queue (receipt_id, checksum, queued_at)
            SELECT id, coalesce(convert_from(document, 'UTF8')::jsonb ->> 'original_checksum', checksum), created_at
            FROM receipts;

        -- The leaves: number, and the bytes that are hashed. No receipt is needed to show them.
        CREATE TABLE receipt_log (
            leaf_index bigint PRIMARY KEY CHECK (leaf_index >= 0),
            receipt_id text COLLATE "C" NOT NULL,
            leaf       bytea NOT NULL,
            logged_at  timestamptz(3) NOT NULL DEFAULT now(),
            CONSTRAINT receipt_log_once UNIQUE (receipt_id)
        );

        -- The complete parts of the tree, from the leaves' hashes (level 0) up: what proofs are read from.
        CREATE TABLE receipt_log_nodes (
            level smallint NOT NULL CHECK (level BETWEEN 0 AND 62),
            index bigint NOT NULL CHECK (index >= 0),
            hash  bytea NOT NULL CHECK (octet_length(hash) = 32),
            PRIMARY KEY (level, index)
        );

        -- Where the tree stands, and who may let it grow: one row, the fence of every append.
        CREATE TABLE receipt_log_state (
            is_only         boolean PRIMARY KEY DEFAULT true CHECK (is_only),
            -- Names this log in its origin, also after a restore.
            log_id          text NOT NULL DEFAULT gen_random_uuid()::text,
            sequencer       text,
            epoch           bigint NOT NULL DEFAULT 0,
            expires_at      timestamptz(3) NOT NULL DEFAULT now(),
            tree_size       bigint NOT NULL DEFAULT 0 CHECK (tree_size >= 0),
            -- The hashes of the complete parts side by side, 32 bytes each, the largest part first.
            frontier        bytea NOT NULL DEFAULT '' CHECK (octet_length(frontier) % 32 = 0),
            newest_checksum text
        ) WITH (fillfactor = 50);
        INSERT INTO receipt_log_state DEFAULT VALUES;

        -- Signed heads: stored before anybody sees them, one for each size and life of the log.
        CREATE TABLE receipt_log_heads (
            generation bigint NOT NULL,
            tree_size  bigint NOT NULL CHECK (tree_size >= 0),
            signed_at  timestamptz(3) NOT NULL,
            document   bytea NOT NULL,
            PRIMARY KEY (generation, tree_size)
        );

        CREATE FUNCTION refuse_receipt_log_change() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            RAISE EXCEPTION 'the receipt log is append only' USING ERRCODE = 'integrity_constraint_violation';
        END $body$;
        CREATE TRIGGER receipt_log_append_only BEFORE UPDATE OR DELETE ON receipt_log FOR EACH ROW
            EXECUTE FUNCTION refuse_receipt_log_change();
        CREATE TRIGGER receipt_log_nodes_append_only BEFORE UPDATE OR DELETE ON receipt_log_nodes FOR EACH ROW
            EXECUTE FUNCTION refuse_receipt_log_change();
        CREATE TRIGGER receipt_log_heads_append_only BEFORE UPDATE OR DELETE ON receipt_log_heads FOR EACH ROW
            EXECUTE FUNCTION refuse_receipt_log_change();

        -- Links by which anybody may read one receipt for a while. The token is never stored, only its hash.
        CREATE TABLE receipt_shares (
            token_hash   bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
            receipt_id   text COLLATE "C" NOT NULL REFERENCES receipts (id) ON DELETE CASCADE,
            redacted     boolean NOT NULL,
            created_by   text NOT NULL,
            created_at   timestamptz(3) NOT NULL DEFAULT now(),
            expires_at   timestamptz(3) NOT NULL,
            max_accesses integer NOT NULL CHECK (max_accesses >= 1),
            accesses     integer NOT NULL DEFAULT 0
        );
        CREATE INDEX receipt_shares_receipt ON receipt_shares (receipt_id);
        """
}
