/// Debates asked for together, shown to others by a link, named, tagged, archived and deleted.
enum M0017CreateBatches {
    static let sql = """
        -- compatible
        -- Reason: what people do with debates besides running them. A deleted debate keeps its row: its log still proves
        -- itself, and its number in the receipt log stays taken.
        -- Lock: ACCESS EXCLUSIVE on debates for a moment: columns without values, and an index over what is there.

        ALTER TABLE debates
            ADD COLUMN title       text CHECK (char_length(title) BETWEEN 1 AND 500),
            ADD COLUMN tags        text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 20),
            ADD COLUMN archived_at timestamptz(3),
            ADD COLUMN deleted_at  timestamptz(3);
        CREATE INDEX debates_search_answers ON debates
            USING gin (to_tsvector('simple', coalesce(title, '') || ' ' || coalesce(final_answer, '')));

        CREATE TABLE batches (
            id         text COLLATE "C" PRIMARY KEY CHECK (id ~ '^bat_[0-9a-hjkmnp-tv-z]{26}$'),
            created_by text NOT NULL,
            org_id     text COLLATE "C",
            created_at timestamptz(3) NOT NULL
        );
        CREATE INDEX batches_created_at ON batches (created_at DESC, id DESC);

        CREATE TABLE batch_items (
            batch_id  text COLLATE "C" NOT NULL REFERENCES batches (id),
            idx       integer NOT NULL CHECK (idx >= 0),
            debate_id text COLLATE "C" NOT NULL REFERENCES debates (id),
            PRIMARY KEY (batch_id, idx)
        );
        CREATE INDEX batch_items_debate ON batch_items (debate_id);

        -- Only the token's hash is kept: who reads this table can open nothing.
        CREATE TABLE debate_shares (
            token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
            debate_id  text COLLATE "C" NOT NULL REFERENCES debates (id),
            created_by text NOT NULL,
            created_at timestamptz(3) NOT NULL DEFAULT now(),
            expires_at timestamptz(3) NOT NULL,
            revoked_at timestamptz(3),
            views      bigint NOT NULL DEFAULT 0
        );
        CREATE INDEX debate_shares_debate ON debate_shares (debate_id);
        """
}
