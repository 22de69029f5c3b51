/// Why an event can not follow the ones before it. Logs come from a database, so this is input, not a programming error.
package struct MachineError: Error, Hashable, Sendable {
    package enum Code: String, Sendable {
        /// The first event is not `debate_start`.
        case notStarted
        /// A second `debate_start`.
        case alreadyStarted
        /// The log was begun with engine rules that this program does not have.
        case unsupportedEngine
        /// Nothing, or nothing but the end, may follow.
        case ended
        /// The outcome of a call that is not due: wrong round, phase, agent, target or key, or consumed before.
        case unknownCall
        /// A step that is not the next one.
        case outOfTurn
    }

    package let code: Code
    /// For our log.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
