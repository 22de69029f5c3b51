import Domain

/// Decides which attempts may be sent, from what is stored of their keys.
struct IntentPlan {
    /// Rows to be written.
    private(set) var fresh: [(intent: CallIntent, attempt: Int)] = []
    private var granted: [CallReference] = []
    private var answered: [CallRecord] = []
    private var exhausted: [CallKey] = []

    /// - Parameter known: every attempt of the keys, ascending, read under their locks.
    /// - Throws: ``RunStoreError`` `.broken` when an older holder's intent is still open, which `begin` rules out.
    init(_ intents: [CallIntent], known: [CallRecord], epoch: Int64) throws(RunStoreError) {
        let attempts = Dictionary(grouping: known, by: \.reference.key)
        for intent in intents { try decide(intent, attempts[intent.key] ?? [], epoch) }
    }

    /// - Parameter paid: what became of the reservation; with a refusal none of ``fresh`` was written.
    func result(after paid: PaidIntents? = nil) -> IntentResult {
        let refused = paid?.refusal == nil ? [] : Set(fresh.map(\.intent.key))
        return IntentResult(
            granted: granted.filter { !refused.contains($0.key) }, answered: answered, exhausted: exhausted,
            refusal: paid?.refusal, alerts: paid?.alerts ?? [])
    }

    private mutating func decide(_ intent: CallIntent, _ attempts: [CallRecord], _ epoch: Int64) throws(RunStoreError) {
        if let answer = attempts.first(where: { $0.state == .answered }) {
            answered.append(answer)
        } else if let open = attempts.last(where: { $0.state == .intent }) {
            // Ours, and the answer to its commit was lost.
            guard open.epoch == epoch else { throw .broken("\(intent.key): an intent of epoch \(open.epoch) is open") }
            granted.append(open.reference)
        } else {
            let attempt = (attempts.last?.reference.attempt ?? 0) + 1
            guard attempt <= PostgresRunStore.maxCallAttempts else { return exhausted.append(intent.key) }
            fresh.append((intent, attempt))
            granted.append(CallReference(key: intent.key, attempt: attempt))
        }
    }
}
