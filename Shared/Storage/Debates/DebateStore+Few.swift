import Domain
import PostgresClient

/// Lists of debates that few have something to do with, or none.
///
/// A list is in the order of time and has a limit. Of a participant or tag that Postgres knows nothing of, it expects that
/// half a percent of all debates have it, and looks through the newest until the limit is reached: through every debate
/// when nobody has it, more than a second for a million. So the indexes are asked first, for a number of debates.
extension DebateStore {
    /// Found by the indexes alone up to this many.
    static let maxFew = 1000
    /// Of what has more entries in an index, about so many of them are read: enough to know that they are not few.
    private static let sampled = 4 * maxFew

    /// Nothing but the index is left to the planner.
    static let planning: [SQL] =
        ["enable_seqscan", "enable_indexscan", "enable_indexonlyscan"].map { name in
            "SELECT set_config(\(name), 'off', true)"
        } + ["SELECT set_config('gin_fuzzy_search_limit', \(String(sampled)), true)"]

    /// Every debate with the filter's participant, or every one with its tag, of any organization.
    /// - Returns: nil when the filter names neither, or there are more than ``maxFew``.
    func few(_ filter: DebateFilter) async throws -> [String]? {
        let conditions = filter.memberships
        guard !conditions.isEmpty else { return nil }
        let answers = try await pool.batch(Self.planning + conditions.map(Self.probe)).dropFirst(Self.planning.count)
        let found = try answers.map { try $0.rows.map { try $0.text("id") } }
        return found.filter { $0.count <= Self.maxFew }.min { $0.count < $1.count }
    }

    static func probe(_ condition: SQL) -> SQL {
        "SELECT d.id FROM debates d WHERE \(condition) LIMIT \(maxFew + 1)"
    }
}

extension DebateFilter {
    /// What an index of the debates' arrays finds.
    var memberships: [SQL] {
        [
            agent.map { "(d.agents @> \([$0]) OR d.providers @> \([$0]))" },
            tag.map { "d.tags @> \([$0])" },
        ].compactMap { $0 }
    }

    /// The condition, of these debates alone.
    func condition(among few: [String]?) -> SQL {
        guard let few else { return condition }
        return "d.id = ANY (\(few) COLLATE \"C\") AND \(condition)"
    }
}
