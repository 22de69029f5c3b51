/// How the one who asked for a debate is told of it: a closed set.
package enum CallbackChannel: String, Sendable, CaseIterable {
    /// An address that was named when it was asked for.
    case webhook
    case slack
    case teams
}
