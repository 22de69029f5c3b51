package import Domain

/// Why a debate can not be rebuilt from what was recorded of it: the first reason, and where.
package struct ReplayFault: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        /// An event was rebuilt, and is not the recorded one. `detail` shows both, as text that is not to be trusted.
        case different(Part, detail: String)
        /// The log and what leads to it do not go together: the engine does nothing of the kind here.
        case notDue
        /// The event can not be read, or its engine is not known here.
        case unreadable(String)
        /// Rebuilt, but out of order: a number, an epoch or a time.
        case misplaced(ChainFault.Reason)
        /// No outcome of this attempt was recorded.
        case missingOutcome(CallReference)
        /// The log has what a person said, and nothing was recorded of their saying it.
        case missingCommand
        /// The log names a receipt, and none was recorded.
        case missingReceipt
        /// Its data was erased, and with it what others follow from.
        case erased
        /// There is no event at all.
        case empty
    }

    /// What of an event differs.
    package enum Part: String, Sendable, CaseIterable {
        case number, type, round, agent, call, data, salt
        case dataHash = "data hash"
        case previousHash = "previous hash"
        case hash
    }

    /// The event's number; that of the one that should be there when there is none.
    package let seq: Int64
    /// As it was recorded.
    package let type: String
    package let reason: Reason

    package init(seq: Int64, type: String, reason: Reason) {
        self.seq = seq
        self.type = type
        self.reason = reason
    }

    /// Whether nothing is known to be wrong: what would be needed to tell was not recorded, or is gone.
    package var isIncomplete: Bool {
        switch reason {
        case .missingOutcome, .missingCommand, .missingReceipt, .erased, .empty: true
        case .different, .notDue, .unreadable, .misplaced: false
        }
    }

    package var description: String {
        let place = "event \(seq) (\(type))"
        return switch reason {
        case .different(let part, let detail): "\(place): its \(part.rawValue) is not what was rebuilt: \(detail)"
        case .notDue: "\(place): nothing of the kind is due there"
        case .unreadable(let why): "\(place): \(why)"
        case .misplaced(let fault): ChainFault(seq: seq, reason: fault).description
        case .missingOutcome(let call): "\(place): no outcome of \(call.key), attempt \(call.attempt), was recorded"
        case .missingCommand: "\(place): no command that leads to it was recorded"
        case .missingReceipt: "\(place): the receipt was not recorded"
        case .erased: "\(place): its data was erased"
        case .empty: "there are no events"
        }
    }
}
