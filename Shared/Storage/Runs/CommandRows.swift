import Domain
import PostgresClient

/// Commands as rows of `debate_commands`.
enum CommandRows {
    /// Commands read at once.
    static let maxCommands = 100

    static func after(_ debate: DebateID, _ number: Int64) -> SQL {
        """
        SELECT number, kind, content, author FROM debate_commands
        WHERE debate_id = \(debate) AND number > \(number) ORDER BY number LIMIT \(maxCommands)
        """
    }

    /// Those no event was made of yet.
    static func waiting(_ debate: DebateID) -> SQL {
        """
        SELECT c.number, c.kind, c.content, c.author FROM debate_runs r JOIN debate_commands c USING (debate_id)
        WHERE r.debate_id = \(debate) AND c.number > r.consumed_seq ORDER BY c.number LIMIT \(maxCommands)
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

    /// The stored name and content of a kind.
    static func columns(_ kind: DebateCommand.Kind) -> (name: String, content: String?) {
        switch kind {
        case .pause: ("pause", nil)
        case .resume: ("resume", nil)
        case .message(let content): ("message", content)
        }
    }

    private static func kind(_ row: Row) throws(PGError) -> DebateCommand.Kind {
        switch try row.text("kind") {
        case "pause": .pause
        case "resume": .resume
        case "message": .message(try row.text("content"))
        case let other: throw PGError(.decoding, "unknown command \(other)")
        }
    }
}
