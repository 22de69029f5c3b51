import PostgresClient

/// Takes what events say out of the log: the only statement that changes any.
enum EmptiedEvents {
    /// Empties the events that match, and writes their debates' rows anew, unchanged: by the row's version (see
    /// ``DebateRows/version``) whoever keeps what a log said knows that it says less now. One row: how many there were.
    ///
    /// - Parameters:
    ///   - tables: besides `debate_events e`.
    ///   - condition: on all of them.
    static func statement(with tables: SQL = "", _ condition: SQL) -> SQL {
        """
        WITH emptied AS (
            UPDATE debate_events e SET data = '', salt = '' \(tables)
            WHERE \(condition) AND octet_length(e.data) > 0 RETURNING e.debate_id
        ), told AS (
            UPDATE debates d SET erased_at = d.erased_at WHERE d.id IN (SELECT debate_id FROM emptied)
        ) SELECT count(*) AS n FROM emptied
        """
    }
}
