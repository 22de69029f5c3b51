/// What the backup service has made and proved.
enum M0007CreateBackups {
    static let sql = """
        -- compatible
        -- Reason: operators and metrics ask for the last good backup without reading the disk.
        -- Lock: none, all tables are new.

        CREATE TABLE backups (
            id              text COLLATE "C" PRIMARY KEY,
            status          text NOT NULL CHECK (
                                status IN ('pending', 'in_progress', 'completed', 'verified', 'failed', 'expired')),
            file            text NOT NULL,
            size_bytes      bigint CHECK (size_bytes >= 0),
            checksum        text,
            -- Per table, counted in the snapshot that was dumped.
            row_counts      jsonb NOT NULL DEFAULT '{}',
            generation      bigint NOT NULL,
            restore_tested  boolean NOT NULL DEFAULT false,
            failure         text,
            started_at      timestamptz(3) NOT NULL DEFAULT now(),
            finished_at     timestamptz(3),
            verified_at     timestamptz(3)
        );
        CREATE INDEX backups_started_at ON backups (started_at DESC);
        """
}
