/// What is known: conclusions of debates, and what people wrote down; and which debate was shown which of them.
enum M0015CreateKnowledge {
    static let sql = """
        -- compatible
        -- Reason: conclusions that a later debate on a similar question is shown, found by words.
        -- Lock: none, all tables are new.

        CREATE TABLE knowledge_items (
            id         text COLLATE "C" PRIMARY KEY CHECK (id ~ '^kno_[0-9a-hjkmnp-tv-z]{26}$'),
            org_id     text COLLATE "C" NOT NULL,
            kind       text NOT NULL CHECK (kind IN ('conclusion', 'fact')),
            -- Of a conclusion; a fact has none.
            debate_id  text COLLATE "C" REFERENCES debates (id),
            receipt_id text COLLATE "C",
            -- What was asked; empty for a fact.
            question   text NOT NULL CHECK (char_length(question) <= 10000),
            content    text NOT NULL CHECK (char_length(content) BETWEEN 1 AND 10000),
            confidence numeric(6, 4) NOT NULL CHECK (confidence BETWEEN 0 AND 1),
            agreement  numeric(6, 4) CHECK (agreement BETWEEN 0 AND 1),
            -- By demonstration agents: never shown to a panel of real ones.
            demo       boolean NOT NULL DEFAULT false,
            topics     text[] NOT NULL DEFAULT '{}',
            metadata   jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
            -- Who wrote a fact down, or asked for the debate.
            created_by text NOT NULL,
            created_at timestamptz(3) NOT NULL,
            -- The words of the question: what similar ones are found by.
            asked      tsvector GENERATED ALWAYS AS (to_tsvector('english', question)) STORED,
            search     tsvector GENERATED ALWAYS AS (
                setweight(to_tsvector('english', question), 'A') || setweight(to_tsvector('english', content), 'B')
            ) STORED,
            CONSTRAINT knowledge_items_source CHECK ((debate_id IS NOT NULL) = (kind = 'conclusion'))
        );
        CREATE UNIQUE INDEX knowledge_items_debate ON knowledge_items (debate_id) WHERE debate_id IS NOT NULL;
        CREATE INDEX knowledge_items_listed ON knowledge_items (org_id, created_at DESC, id DESC);
        CREATE INDEX knowledge_items_asked ON knowledge_items USING gin (asked);
        CREATE INDEX knowledge_items_search ON knowledge_items USING gin (search);

        -- Which events show which conclusion: they are erased with the debate that it came from. The item may be gone.
        CREATE TABLE knowledge_recalls (
            item_id   text COLLATE "C" NOT NULL,
            debate_id text COLLATE "C" NOT NULL,
            seq       bigint NOT NULL,
            PRIMARY KEY (item_id, debate_id)
        );
        CREATE INDEX knowledge_recalls_debate ON knowledge_recalls (debate_id);

        -- Called by the transaction that ends a debate. What goes wrong here is undone here and reported, and the debate
        -- ends all the same. Returns what went wrong, or null.
        CREATE FUNCTION remember_conclusion(
            item text, debate text, receipt text, question text, content text, confidence numeric, agreement numeric,
            demo boolean, at timestamptz
        ) RETURNS text LANGUAGE plpgsql AS $body$
        BEGIN
            INSERT INTO knowledge_items (id, org_id, kind, debate_id, receipt_id, question, content, confidence, agreement,
                                         demo, created_by, created_at)
            SELECT item, coalesce(d.org_id, 'org_default'), 'conclusion', d.id, receipt, remember_conclusion.question,
                   left(remember_conclusion.content, 10000), remember_conclusion.confidence,
                   remember_conclusion.agreement, remember_conclusion.demo, d.created_by, at
            FROM debates d WHERE d.id = debate
            ON CONFLICT DO NOTHING;
            RETURN NULL;
        EXCEPTION WHEN OTHERS THEN
            RETURN SQLSTATE || ' ' || SQLERRM;
        END $body$;

        -- What was concluded before this table was there.
        SELECT remember_conclusion('kno_' || substr(d.id, 5), d.id, r.id, d.topic, d.final_answer, d.confidence,
                                   d.agreement, d.demo, d.completed_at)
        FROM debates d LEFT JOIN receipts r ON r.debate_id = d.id JOIN debate_runs run ON run.debate_id = d.id
        WHERE run.status = 'completed' AND d.consensus_reached AND d.confidence >= 0.7 AND d.final_answer <> ''
          AND d.erased_at IS NULL;
        """
}
