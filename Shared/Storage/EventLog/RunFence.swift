import Domain
import PostgresClient

/// Where a run stands, as far as a fence asks.
struct RunFence: Sendable {
    let status: DebateStatus
    let epoch: Int64
    let tail: LogTail

    /// Locks the run's row for the rest of the transaction. First in the lock order: run, calls, the rest.
    static func locking(_ debate: DebateID) -> SQL {
        """
        SELECT status, lease_epoch, last_seq, last_hash FROM debate_runs WHERE debate_id = \(debate) FOR NO KEY UPDATE
        """
    }

    /// What ``holding(_:epoch:at:)`` fails with.
    static let refused = SQLState(rawValue: "AR001")

    /// The same lock for the holder of `epoch` whose log stands at `tail`; anybody else's transaction fails here, so that
    /// what follows may be sent with it.
    static func holding(_ debate: DebateID, epoch: Int64, at tail: LogTail) -> SQL {
        "SELECT hold_run(\(debate), \(epoch), \(tail.seq), \(tail.hash))"
    }

    /// One read, so one snapshot: where the run stands, and whether `tail` is in the log as ours.
    static func reading(_ debate: DebateID, looksFor tail: LogTail) -> SQL {
        """
        SELECT status, lease_epoch, last_seq, last_hash, EXISTS (
            SELECT FROM debate_events WHERE debate_id = \(debate) AND seq = \(tail.seq) AND hash = \(tail.hash)) AS ours
        FROM debate_runs WHERE debate_id = \(debate)
        """
    }

    init(_ row: Row) throws(PGError) {
        status = try row.status("status")
        epoch = try row.int64("lease_epoch")
        tail = LogTail(seq: try row.int64("last_seq"), hash: try row.bytes("last_hash"))
    }

    /// Why the holder of `epoch` may write no decision; nil when it may.
    func refusal(of epoch: Int64) -> FenceRefusal? {
        if status.isTerminal { return .terminal(status) }
        return self.epoch == epoch && status == .running ? nil : .lost(currentEpoch: self.epoch)
    }
}

/// A fence that said no.
enum FenceRefusal: Error {
    case lost(currentEpoch: Int64)
    case terminal(DebateStatus)

    var asLogError: EventLogError {
        switch self {
        case .lost(let epoch): .lost(currentEpoch: epoch)
        case .terminal(let status): .terminal(status)
        }
    }

    var asRunError: RunStoreError {
        switch self {
        case .lost(let epoch): .lost(currentEpoch: epoch)
        case .terminal(let status): .terminal(status)
        }
    }
}
