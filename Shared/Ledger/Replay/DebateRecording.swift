package import Domain

/// Everything that is recorded of a debate: its log, and what its machine did not decide itself.
package struct DebateRecording: Sendable {
    package let debate: DebateID
    /// The whole log, ascending.
    package let events: [SealedEvent]
    /// Every attempt of every call, with what became of it.
    package let calls: [CallRecord]
    /// What people asked of its holder, ascending; of a debate that nobody held, the log alone has it.
    package let commands: [DebateCommand]
    /// As it is stored; nil when there is none.
    package let receipt: [UInt8]?

    package init(
        debate: DebateID, events: [SealedEvent], calls: [CallRecord], commands: [DebateCommand], receipt: [UInt8]?
    ) {
        self.debate = debate
        self.events = events
        self.calls = calls
        self.commands = commands
        self.receipt = receipt
    }
}
