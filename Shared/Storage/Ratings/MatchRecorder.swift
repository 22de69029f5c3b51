import Domain
import PostgresClient

/// Rates a match in the transaction that ends its debate: last in the lock order (design §2.1), so that whoever waits
/// for it here holds nothing that the one before needs.
///
/// The rule is ``EloRule``'s, told once more in SQL (`rate_match`): read, computed and written in one statement, the lock is
/// held for no round trip. A test compares the two, and ``RatingRebuild`` computes with the other.
enum MatchRecorder {
    /// Held to the commit by whoever writes a match. One per schema, and so one per installation.
    static let lock: SQL = """
        SELECT pg_advisory_xact_lock(hashtextextended('aragora ratings of ' || current_schema(), 0))
        """

    /// Waits for the lock, gives the match the next number, and moves its agents' ratings.
    static func rate(_ match: RatedMatch, of debate: DebateID, at: Timestamp, rules: RatingRules) -> SQL {
        let sides = match.sides
        return """
            SELECT rate_match(
                \(debate), \(at), \(match.winner), \(match.isDemo), \(match.weight.tenThousandths), \(rules.initial),
                \(rules.kFactor), \(sides.map(\.name)), \(sides.map(\.agent.provider.rawValue)),
                \(sides.map(\.agent.model)), \(sides.map(\.votes)), \(sides.map(\.result.rawValue)),
                \(sides.map { $0.squaredError?.tenThousandths }), \(sides.map(\.kept))) AS number
            """
    }
}
