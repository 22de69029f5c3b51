/// Finds the debates that have a tag.
enum M0024CreateTagIndex {
    static let sql = """
        -- compatible
        -- Reason: a list of the debates with a tag that few have, or none, read every debate.
        -- Lock: creates and ends of debates wait while the index is built, about a second for a million debates.

        -- Every such list reads what waits outside the index (kilobytes).
        CREATE INDEX debates_tags ON debates USING gin (tags) WITH (gin_pending_list_limit = 64);
        """
}
