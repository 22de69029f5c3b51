import Domain
import Providers

/// What is known of every attempt of a debate's calls: what a claim found, and what happened since.
struct CallHistory {
    private var answers: [CallKey: CallRecord] = [:]
    private var failures: [CallKey: [(attempt: Int, kind: CallFailure.Kind)]] = [:]
    private var lastAttempt: [CallKey: Int] = [:]

    init(_ records: [CallRecord] = []) { for record in records { note(record) } }

    mutating func note(_ record: CallRecord) {
        let (key, attempt) = (record.reference.key, record.reference.attempt)
        lastAttempt[key] = max(lastAttempt[key] ?? 0, attempt)
        switch record.state {
        case .answered:
            // The lowest answered attempt is the content (design §2.1).
            if attempt < answers[key]?.reference.attempt ?? .max { answers[key] = record }
        case .failed, .refused:
            // A cancelled call says nothing about its agent.
            if let kind = record.failure, kind != .cancelled { note(failure: kind, of: record.reference) }
        case .intent, .unknown:
            break
        }
    }

    mutating func note(failure kind: CallFailure.Kind, of reference: CallReference) {
        lastAttempt[reference.key] = max(lastAttempt[reference.key] ?? 0, reference.attempt)
        failures[reference.key, default: []].append((reference.attempt, kind))
    }

    /// The answer that a key has already, and that must not be paid for again.
    func answer(to key: CallKey) -> (reference: CallReference, answer: Answer)? {
        answers[key].flatMap { record in record.answer.map { (record.reference, $0) } }
    }

    /// Whether any attempt of the key is known, whatever became of it.
    func knows(_ key: CallKey) -> Bool { lastAttempt[key] != nil }

    /// - Parameter attempt: only later ones count: those of the provider that stands in.
    func failureCount(of key: CallKey, after attempt: Int = 0) -> Int {
        failures[key]?.count { $0.attempt > attempt } ?? 0
    }

    /// Why a key that failed under an earlier holder is not tried again; nil when it may be.
    func finalFailure(
        of key: CallKey, after attempt: Int = 0, policy: RetryPolicy
    ) -> (attempt: Int, kind: CallFailure.Kind)? {
        let all = failures[key, default: []].filter { $0.attempt > attempt }
        guard let last = all.max(by: { $0.attempt < $1.attempt }) else { return nil }
        let limit = attempt > 0 ? policy.maxFallbackFailures : policy.maxFailures
        let isFinal = !CallFailure(last.kind).isRetryable || all.count >= limit
        return isFinal ? last : nil
    }

    /// The newest attempt that is known of, at least 1: what an event about a key that was given up names.
    func newestAttempt(of key: CallKey) -> Int { max(1, lastAttempt[key] ?? 1) }
}
