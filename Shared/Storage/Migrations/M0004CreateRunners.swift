/// The processes that run debates.
enum M0004CreateRunners {
    static let sql = """
        -- compatible
        -- Reason: leases belong to processes; a row per start of a process, renewed every second.
        -- Lock: none, all tables are new.

        CREATE TABLE runners (
            id                  text COLLATE "C" PRIMARY KEY,
            kind                text NOT NULL CHECK (kind IN ('worker', 'embedded')),
            started_at          timestamptz(3) NOT NULL DEFAULT now(),
            renewed_at          timestamptz(3) NOT NULL DEFAULT now(),
            expires_at          timestamptz(3) NOT NULL,
            -- The advisory lock that its renewing session holds; null behind a transaction pooler.
            presence_key        bigint UNIQUE,
            capacity            integer NOT NULL CHECK (capacity >= 0),
            -- A server that started later has forgotten every advisory lock.
            postgres_started_at timestamptz NOT NULL
        ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
        """
}
