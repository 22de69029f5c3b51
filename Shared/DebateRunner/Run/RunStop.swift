import Domain

/// Why a run ended before its debate did.
enum RunStop: Error {
    /// Another holder has the debate.
    case lost(currentEpoch: Int64)
    /// The debate was ended by somebody else.
    case terminal(DebateStatus)
    /// This process's lease is gone.
    case runnerExpired
    /// A state that must never happen: a bug. The debate is left to the watchdog.
    case broken(String)
    /// Postgres did not answer; a new claim finds out what happened.
    case unavailable(String)

    init(_ error: EventLogError) {
        self =
            switch error {
            case .lost(let epoch): .lost(currentEpoch: epoch)
            case .terminal(let status): .terminal(status)
            case .broken(let message): .broken(message)
            case .unavailable(let message): .unavailable(message)
            }
    }

    init(_ error: RunStoreError) {
        self =
            switch error {
            case .lost(let epoch): .lost(currentEpoch: epoch)
            case .terminal(let status): .terminal(status)
            case .runnerExpired: .runnerExpired
            case .broken(let message): .broken(message)
            case .unavailable(let message): .unavailable(message)
            }
    }
}

/// How a run ended.
enum RunEnd {
    case ended(DebateStatus)
    /// Let go, to be claimed again: `queued` or `paused`.
    case released(DebateStatus)
    case stopped(RunStop)
}
