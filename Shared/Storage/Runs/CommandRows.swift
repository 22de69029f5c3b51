import Domain
import PostgresClient

/// Commands as rows of `debate_commands`.
enum CommandRows {
    /// Commands read at once.
    static let maxCommands = 100

    static func after(_ debate: DebateID, _ number: Int64) -> SQL {
        """
        SELECT number, kind, content, first_round, author FROM debate_commands
        WHERE debate_id = \(debate) AND number > \(number) ORDER BY number LIMIT \(maxCommands)
        """
    }

    /// Those no event was made of yet.
    static func waiting(_ debate: DebateID) -> SQL {
        """
        SELECT c.number, c.kind, c.content, c.first_round, c.author FROM debate_runs r JOIN debate_commands c USING (debate_id)
        WHERE r.debate_id = \(debate) AND c.number > r.consumed_seq ORDER BY c.number LIMIT \(maxCommands)
        """
    }

    /// Those that events were made of.
    static func consumed(_ debate: DebateID) -> SQL {
        """
        SELECT c.number, c.kind, c.content, c.first_round, c.author FROM debate_runs r JOIN debate_commands c USING (debate_id)
        WHERE r.debate_id = \(debate) AND c.number <= r.consumed_seq ORDER BY c.number
        """
    }

    static func decode(_ rows: [Row]) throws(PGError) -> [DebateCommand] {
        var commands: [DebateCommand] = []
        for row in rows {
            commands.append(
                DebateCommand(number: try row.int64("number"), kind: try kind(row), author: try row.text("author")))
        }
        return commands
    }

    /// The stored name, content and round of a kind.
    static func columns(_ kind: DebateCommand.Kind) -> (name: String, content: String?, firstRound: Int?) {
        switch kind {
        case .pause: ("pause", nil, nil)
        case .resume: ("resume", nil, nil)
        case .remark(let remark): (remark.kind.rawValue, remark.content, remark.firstRound)
        }
    }

    private static func kind(_ row: Row) throws(PGError) -> DebateCommand.Kind {
        switch try row.text("kind") {
        case "pause": return .pause
        case "resume": return .resume
        case let name:
            guard let kind = Remark.Kind(rawValue: name) else { throw PGError(.decoding, "unknown command \(name)") }
            return .remark(
                Remark(try row.text("content"), kind: kind, firstRound: try row.optionalInt("first_round")))
        }
    }
}
