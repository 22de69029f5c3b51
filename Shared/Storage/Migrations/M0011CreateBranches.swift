/// Debates that branch off others, and constraints that people set.
enum M0011CreateBranches {
    static let sql = """
        -- compatible
        -- Reason: forks and follow-ups share the history of another debate by reference; constraints are remarks that bind.
        -- Lock: ACCESS EXCLUSIVE on debates and debate_commands for a moment: columns without values, and checks on few rows.

        -- No foreign key: event 1 names the parent's event by its hash, and a debate outlives what it came from.
        ALTER TABLE debates
            ADD COLUMN parent_id    text COLLATE "C" CHECK (parent_id <> id),
            ADD COLUMN branch_point integer CHECK (branch_point >= 0),
            ADD CONSTRAINT debates_branch_whole CHECK ((parent_id IS NULL) = (branch_point IS NULL));
        CREATE INDEX debates_parent ON debates (parent_id, created_at) WHERE parent_id IS NOT NULL;

        ALTER TABLE debate_commands
            ADD COLUMN first_round integer CHECK (first_round >= 1),
            DROP CONSTRAINT debate_commands_kind_check,
            DROP CONSTRAINT debate_commands_content,
            ADD CONSTRAINT debate_commands_kind_check CHECK (kind IN ('pause', 'resume', 'message', 'constraint')),
            ADD CONSTRAINT debate_commands_content CHECK (
                (content IS NOT NULL) = (kind IN ('message', 'constraint'))
                AND (first_round IS NULL OR content IS NOT NULL));
        """
}
