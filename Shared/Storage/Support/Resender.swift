package import Platform
import PostgresClient
import Sockets

/// How often and how long an unanswered write is sent again.
package struct ResendPolicy: Sendable {
    /// Sends of the same bytes, the first included.
    package var tries = 8
    /// From the first send; no new one starts after it.
    package var deadline: Duration = .seconds(10)
    package var backoff = Backoff(first: .milliseconds(20), cap: .seconds(1))

    package init() {}
}

/// Sends the same work again when its answer was lost or it conflicted with another transaction.
///
/// Only for work that finds out by itself that an earlier send took effect (design, "Ambiguous commit").
struct Resender: Sendable {
    let pool: PGPool
    let policy: ResendPolicy

    /// - Parameter work: gets the number of the try, from 1.
    /// - Throws: the last ``PGError`` of `work` when tries or time are used up, and at once what can not be tried again.
    func run<Value: Sendable>(_ work: (_ attempt: Int) async throws -> Value) async throws -> Value {
        let end = BootInstant.now().advanced(by: policy.deadline)
        var backoff = policy.backoff
        var attempt = 1
        while true {
            do {
                return try await work(attempt)
            } catch let error as PGError where error.mayBeSentAgain {
                let wait = backoff.next()
                guard attempt < policy.tries, BootInstant.now().advanced(by: wait) < end else { throw error }
                try await pool.loop.sleep(for: wait)
                attempt += 1
            }
        }
    }
}

extension PGError {
    /// The answer is unknown, or the same work may succeed. A caller that was cancelled does not go on.
    var mayBeSentAgain: Bool { code != .cancelled && (isAmbiguousCommit || isRetryable || sqlState == .queryCanceled) }
}
