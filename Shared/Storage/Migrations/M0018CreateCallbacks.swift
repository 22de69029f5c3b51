/// Who asked for a debate and wants to hear of its end.
enum M0018CreateCallbacks {
    static let sql = """
        -- compatible
        -- Reason: a debate may name an address of its own that is told of its end, and Slack and Teams are answered so.
        -- Lock: ACCESS EXCLUSIVE on webhook_outbox for a moment. An older process leaves such rows alone, but for their
        -- next_attempt.

        CREATE TABLE debate_callbacks (
            debate_id  text COLLATE "C" NOT NULL REFERENCES debates (id) ON DELETE CASCADE,
            channel    text COLLATE "C" NOT NULL CHECK (channel IN ('webhook', 'slack', 'teams')),
            org_id     text COLLATE "C" NOT NULL,
            -- What people are shown of where it goes.
            target     text NOT NULL CHECK (octet_length(target) <= 2048),
            -- Sealed with the encryption key, for this row: secret and headers, or channel and thread.
            address    bytea NOT NULL,
            created_at timestamptz(3) NOT NULL DEFAULT now(),
            PRIMARY KEY (debate_id, channel)
        );

        ALTER TABLE webhook_outbox
            ALTER COLUMN endpoint_id DROP NOT NULL,
            ADD COLUMN callback text COLLATE "C" CHECK (callback IN ('webhook', 'slack', 'teams')),
            -- Of a reply that belongs to no debate; sealed, for this message.
            ADD COLUMN address bytea,
            ADD CONSTRAINT webhook_outbox_to_one CHECK (num_nonnulls(endpoint_id, callback) = 1) NOT VALID;
        CREATE INDEX webhook_outbox_callback ON webhook_outbox (debate_id, callback, id) WHERE callback IS NOT NULL;
        """
}
