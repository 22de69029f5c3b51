import Domain
package import PostgresClient

/// Who holds which debate, in Postgres. Claims are not sent again after a lost answer: the next renewal finds them.
package struct PostgresRunStore: RunStore {
    /// Attempts of one call, over all runners; past it that agent has failed.
    package static let maxCallAttempts = 5
    /// Debates of one claim or adoption.
    package static let maxBatch = 100

    let pool: PGPool
    let resender: Resender
    /// Adoptions without progress before a debate is given up (`WORKER_MAX_ATTEMPTS`).
    let maxAttempts: Int

    package init(pool: PGPool, maxAttempts: Int, resend: ResendPolicy = ResendPolicy()) {
        self.pool = pool
        self.maxAttempts = maxAttempts
        resender = Resender(pool: pool, policy: resend)
    }

    static func error(_ error: any Error, _ what: String) -> RunStoreError {
        switch error {
        case let error as RunStoreError: error
        case let error as FenceRefusal: error.asRunError
        case let error as PGError where error.meansBug: .broken("\(what): \(error)")
        default: .unavailable("\(what): \(error)")
        }
    }

    /// Locks the run and makes sure that `epoch` may still decide.
    static func fence(_ debate: DebateID, epoch: Int64, _ rows: [Row]) throws -> RunFence {
        guard let row = rows.first else { throw RunStoreError.broken("\(debate) has no run") }
        let fence = try RunFence(row)
        if let refusal = fence.refusal(of: epoch) { throw refusal }
        return fence
    }
}
