/// Where people want to be told what happened, and what was sent there.
enum M0016CreateWebhooks {
    static let sql = """
        -- compatible
        -- Reason: webhook endpoints; the outbox, which nobody wrote so far, says which endpoint a row is for.
        -- Lock: ACCESS EXCLUSIVE on webhook_outbox for a moment; it is empty.

        CREATE TABLE webhook_endpoints (
            id         text COLLATE "C" PRIMARY KEY CHECK (id ~ '^whk_[0-9a-hjkmnp-tv-z]{26}$'),
            org_id     text COLLATE "C" NOT NULL,
            url        text NOT NULL CHECK (octet_length(url) <= 2048),
            events     text[] NOT NULL CHECK (cardinality(events) BETWEEN 1 AND 20),
            about      text,
            -- Sealed with the encryption key, each for this row.
            secret     bytea NOT NULL,
            headers    bytea NOT NULL,
            is_active  boolean NOT NULL DEFAULT true,
            created_by text NOT NULL,
            created_at timestamptz(3) NOT NULL,
            updated_at timestamptz(3) NOT NULL
        );
        CREATE INDEX webhook_endpoints_listed ON webhook_endpoints (org_id, created_at DESC, id DESC);

        ALTER TABLE webhook_outbox
            ADD COLUMN org_id text COLLATE "C" NOT NULL DEFAULT 'org_default',
            ADD COLUMN endpoint_id text COLLATE "C" NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
            -- The same for every attempt: receivers know a repetition by it.
            ADD COLUMN message_id text COLLATE "C" NOT NULL UNIQUE,
            ADD COLUMN last_status integer,
            -- When it was given up.
            ADD COLUMN dead_at timestamptz(3);
        DROP INDEX webhook_outbox_due;
        CREATE INDEX webhook_outbox_due ON webhook_outbox (next_attempt) WHERE delivered_at IS NULL AND dead_at IS NULL;
        CREATE INDEX webhook_outbox_dead ON webhook_outbox (org_id, id DESC) WHERE dead_at IS NOT NULL;
        CREATE INDEX webhook_outbox_endpoint ON webhook_outbox (endpoint_id, id DESC);
        """
}
