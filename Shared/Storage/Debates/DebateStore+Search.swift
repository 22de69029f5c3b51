package import Domain
import PostgresClient

/// A debate that was found.
package struct FoundDebate: Sendable, Hashable {
    package let summary: DebateSummary
    /// How well it fits; higher is better.
    package let rank: Ratio
    /// Where the words stand, each between `**`.
    package let snippet: String
}

extension DebateStore {
    /// What answers a search at most scores for, and how long it may take.
    private static let searchDeadline = Duration.seconds(5)
    /// What is scored and shown: question, context, title and answer.
    private static let searched =
        "concat_ws(E'\\n', d.title, d.topic, d.context, d.final_answer)"

    /// Debates with every word of the filter's text, the best first of the newest ``maxScored``: scoring reads each one whole.
    /// - Throws: ``StorageError``.
    package func search(_ filter: DebateFilter) async throws(StorageError) -> Page<FoundDebate> {
        let query: SQL = "to_tsquery('simple', \(SearchText.query(filter.text ?? "")))"
        let condition = filter.condition
        let limit = min(max(filter.limit, DebateFilter.limitRange.lowerBound), DebateFilter.limitRange.upperBound)
        return try await read("search") {
            // Not in the order of an index: for a word that few have, walking it reads every debate.
            let newest: SQL = """
                SELECT d.id FROM \(raw: DebateRows.tables) WHERE \(condition)
                ORDER BY d.created_at + interval '0 seconds' DESC, d.id DESC LIMIT \(Self.maxScored)
                """
            let answers = try await batch(
                filter,
                [
                    "SELECT count(*) AS total FROM (\(newest)) AS newest",
                    """
                    SELECT \(raw: DebateRows.summaryColumns),
                           (ts_rank(d.search || \(raw: SearchText.answers), \(query)) * 10000)::bigint AS rank,
                           ts_headline('simple', \(raw: Self.searched), \(query),
                               'StartSel=**, StopSel=**, MaxWords=30, MinWords=10, MaxFragments=2') AS snippet
                    FROM \(raw: DebateRows.tables) WHERE d.id IN (\(newest))
                    ORDER BY ts_rank(d.search || \(raw: SearchText.answers), \(query)) DESC, d.created_at DESC, d.id DESC
                    LIMIT \(limit) OFFSET \(max(0, filter.offset))
                    """,
                ], timeout: Self.searchDeadline)
            return Page(
                items: try answers[1].rows.map { row in
                    FoundDebate(
                        summary: try DebateRows.summary(row), rank: Ratio(tenThousandths: try row.int64("rank")),
                        snippet: try row.text("snippet"))
                }, total: try answers[0].rows.first?.int("total") ?? 0)
        }
    }
}
