/// Which encryption keys there were, and how far stored secrets are sealed under the present one.
enum M0021CreateKeyRotation {
    static let sql = """
        -- compatible
        -- Reason: rotation of the encryption key: one leader, resumable, and a trace of who began it.
        -- Lock: ACCESS EXCLUSIVE on users for a moment: a column without a default.

        -- By the version that a sealed secret carries; says nothing about the key.
        CREATE TABLE encryption_keys (
            version      text COLLATE "C" PRIMARY KEY CHECK (version ~ '^[0-9a-f]{8}$'),
            -- The newest is what secrets are to be sealed under: a process that still has an older one must not undo it.
            activated_at timestamptz(6) NOT NULL DEFAULT clock_timestamp()
        );

        CREATE TABLE key_rotations (
            id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            key_version  text COLLATE "C" NOT NULL REFERENCES encryption_keys (version),
            state        text NOT NULL CHECK (state IN ('in_progress', 'completed', 'failed')),
            requested_by text NOT NULL,
            -- Who works on it, and until when nobody else may.
            holder       text COLLATE "C" NOT NULL,
            lease_until  timestamptz(3) NOT NULL,
            started_at   timestamptz(3) NOT NULL DEFAULT now(),
            updated_at   timestamptz(3) NOT NULL DEFAULT now(),
            ended_at     timestamptz(3),
            resealed     bigint NOT NULL DEFAULT 0,
            unreadable   bigint NOT NULL DEFAULT 0,
            reason       text,
            CONSTRAINT key_rotations_ended CHECK ((state = 'in_progress') = (ended_at IS NULL))
        );
        CREATE UNIQUE INDEX key_rotations_one_at_a_time ON key_rotations ((true)) WHERE state = 'in_progress';

        -- When the codes that are left were made: under which key is not to be seen from them.
        ALTER TABLE users ADD COLUMN mfa_backup_codes_at timestamptz(3);
        """
}
