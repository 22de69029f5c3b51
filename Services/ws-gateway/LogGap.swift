import Domain

/// The log lacks an event below its own tail: never expected, and never skipped over.
struct LogGap: Error, CustomStringConvertible {
    let debate: DebateID
    let seq: Int64
    var description: String { "the log of \(debate) has no event \(seq)" }
}

/// The log is not there any more: its retention has passed.
struct LogRemoved: Error {}
