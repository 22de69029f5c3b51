import Crypto
import Domain
import Ledger
import Platform
import PostgresClient
import Storage

/// Erases debates one after the other, and what Redis has of them.
struct Eraser {
    /// One debate, and what became of it.
    struct Step {
        enum Scope: String { case debate, remarks }

        let debate: DebateID
        let scope: Scope
        let outcome: ErasureStore.Outcome
    }

    let store: ErasureStore
    let reader: PersonalDataReader
    /// Signs erased receipts.
    let keys: KeyRing?
    /// Nothing is changed; the steps say what would be.
    let isDryRun: Bool
    /// Facts that were taken away.
    private(set) var facts = 0
    /// Deletes the copy of a debate; nothing to do without Redis.
    let forget: (DebateID) async throws -> Void

    init(
        pool: PGPool, keys: KeyRing?, isDryRun: Bool, forget: @escaping (DebateID) async throws -> Void
    ) {
        store = ErasureStore(pool: pool)
        reader = PersonalDataReader(pool: pool)
        self.keys = keys
        self.isDryRun = isDryRun
        self.forget = forget
    }

    /// - Parameter tell: called after each debate.
    mutating func run(_ subject: DataSubject, tell: (Step) -> Void) async throws {
        var last: DebateID?
        var count = 0
        while case let page = try await reader.debates(of: subject, after: last), let end = page.last {
            for held in page { tell(try await step(held)) }
            count += page.count
            last = end.id
        }
        switch subject {
        case .debate(let id) where count == 0: tell(Step(debate: id, scope: .debate, outcome: .notFound))
        case .user(let name): try await eraseRemarks(of: name, tell)
        default: break
        }
        if !isDryRun { facts = try await store.eraseFacts(of: subject) }
    }

    private func step(_ held: HeldDebate) async throws -> Step {
        let outcome: ErasureStore.Outcome
        var shown: [DebateID] = []
        if held.isErased {
            outcome = .alreadyErased
        } else if !held.status.isTerminal {
            outcome = .notEnded(held.status)
        } else if held.isOnLegalHold {
            outcome = .onLegalHold
        } else if isDryRun {
            outcome = .erased(events: Int(held.events))
        } else {
            guard !held.isSigned || keys != nil else {
                throw CommandFailure(
                    .configuration,
                    "the receipt of \(held.id) is signed: without ARAGORA_RECEIPT_SIGNING_KEY the erased one could not be"
                )
            }
            // Before too: who dies after the commit, and asks again by a name that is gone, would leave the copy.
            try await forget(held.id)
            shown = try await reader.debatesShown(conclusionOf: held.id)
            outcome = try await store.erase(held.id) { [keys] receipt in
                try ReceiptIssuer.erase(
                    receipt, at: Timestamp(milliseconds: WallClock.nowMilliseconds()),
                    keys: receipt.isSigned ? keys : nil)
            }
            KillPoint.reach(.afterErasure)
            // Copies of debates that were shown what this one concluded have it too.
            for other in shown { try await forget(other) }
        }
        return try await forgotten(Step(debate: held.id, scope: .debate, outcome: outcome))
    }

    private func eraseRemarks(of user: String, _ tell: (Step) -> Void) async throws {
        var last: ForeignEvent?
        var done: DebateID?
        while case let page = try await reader.foreignEvents(of: user, after: last), let end = page.last {
            for found in page where found.debate != done {
                done = found.debate
                let outcome: ErasureStore.Outcome
                if isDryRun {
                    outcome = try await preview(found.debate)
                } else {
                    try await forget(found.debate)
                    outcome = try await store.eraseRemarks(of: user, in: found.debate)
                }
                tell(try await forgotten(Step(debate: found.debate, scope: .remarks, outcome: outcome)))
            }
            last = end
        }
    }

    private func preview(_ debate: DebateID) async throws -> ErasureStore.Outcome {
        guard let held = try await reader.debates(of: .debate(debate), after: nil).first else { return .notFound }
        if held.isOnLegalHold { return .onLegalHold }
        return held.status.isTerminal ? .erased(events: 1) : .notEnded(held.status)
    }

    /// After the commit, also of an earlier run: the copy must not outlive what it is a copy of.
    private func forgotten(_ step: Step) async throws -> Step {
        guard !isDryRun else { return step }
        switch step.outcome {
        case .erased, .alreadyErased: try await forget(step.debate)
        case .notFound, .notEnded, .onLegalHold: break
        }
        return step
    }
}
