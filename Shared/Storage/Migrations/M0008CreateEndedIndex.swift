/// Finds the debates that ended lately.
enum M0008CreateEndedIndex {
    static let sql = """
        -- compatible
        -- Reason: metrics look at the debates of the last hour every few seconds, however many there are.
        -- Lock: ends of debates wait while the index is built, about a second for a million debates.

        CREATE INDEX debates_completed_at ON debates (completed_at DESC) WHERE completed_at IS NOT NULL;
        """
}
