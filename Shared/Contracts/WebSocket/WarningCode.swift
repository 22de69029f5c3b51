/// Why a `warning` is sent: something the client should know that does not end its stream (contract §3.2: the official
/// clients stop at `error`).
package enum WarningCode: String, Sendable, CaseIterable {
    case invalidJSON = "INVALID_JSON"
    case invalidMessage = "INVALID_MESSAGE"
    case unknownType = "UNKNOWN_TYPE"
    case notSubscribed = "NOT_SUBSCRIBED"
    /// The log is another than the client knows (a restore): what it has is void, and the replay starts at 1.
    case logReset = "LOG_RESET"
    case rateLimited = "RATE_LIMITED"
    case tooManySubscriptions = "TOO_MANY_SUBSCRIPTIONS"
    case shuttingDown = "SERVER_SHUTDOWN"
    case degraded = "DEGRADED"
}
