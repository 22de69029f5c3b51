import Glibc

/// A named line of a write path at which a fault test may kill or freeze this process (ARCHITECTURE.md, "Kill points").
///
/// Compiled into debug builds only; in release ``reach(_:)`` is empty. Armed by `ARAGORA_KILL_POINT=<name>[:<nth>]`; the
/// signal is KILL, or STOP with `ARAGORA_KILL_POINT_SIGNAL=STOP`. An armed point fires once.
package enum KillPoint: String, CaseIterable, Sendable {
    /// The create transaction is committed; the client has no answer and no bell was rung.
    case afterCreateCommit = "after-create-commit"
    /// A claim is committed; nothing has been replayed or published.
    case afterClaim = "after-claim"
    /// The claim's first transaction (settling older intents) is committed.
    case afterClaimSettled = "after-claim-settled"
    /// The intents of a phase are committed; no request has left.
    case afterIntent = "after-intent"
    /// A model has answered; its outcome is only in memory.
    case afterAnswerBeforeOutcome = "after-answer-before-outcome"
    /// Events are committed; nothing has been published.
    case afterCommitBeforePublish = "after-commit-before-publish"
    /// An adopter is about to publish for the first time.
    case beforeFirstPublish = "before-first-publish"
    /// Inside the transaction that ends a debate, before its commit.
    case insideTheEnd = "inside-the-end"
    /// The end is committed; nothing has been published.
    case afterTheEnd = "after-the-end"
    /// A command was stored; the client has no answer.
    case afterCommandStored = "after-command-stored"
    /// A cancel is committed; no hint was sent and the client has no answer.
    case afterCancelCommit = "after-cancel-commit"
    /// A drain has released some debates but not all.
    case duringRelease = "during-release"
    /// The sequencer of the receipt log has read what waits and appended nothing.
    case beforeLogAppend = "before-log-append"
    /// Leaves are in the receipt log; no head covers them.
    case afterLogAppend = "after-log-append"
    /// A head is stored; its sequencer may know nothing of it.
    case afterLogHead = "after-log-head"
    /// A receiver has taken a message; it is not noted.
    case afterDelivery = "after-delivery"
    /// A backup's temporary file is complete but not renamed.
    case beforeBackupRename = "before-backup-rename"
    /// Inside the transaction that erases a debate, before its commit.
    case insideErasure = "inside-erasure"
    /// An erasure is committed; nobody was told.
    case afterErasure = "after-erasure"
    /// A key rotation is begun; no secret has been sealed anew.
    case afterRotationBegin = "after-rotation-begin"
    /// Inside the transaction that seals a batch of secrets anew, before its commit.
    case insideRotation = "inside-rotation"
    /// A batch of secrets is sealed anew; others are not.
    case afterRotationBatch = "after-rotation-batch"
    /// Every secret is sealed anew; the rotation is not closed.
    case beforeRotationEnd = "before-rotation-end"

    /// Dies or freezes here when this point is armed; otherwise costs one load.
    @inline(__always)
    package static func reach(_ point: KillPoint) {
        #if KILL_POINTS
        Armed.current?.reach(point)
        #endif
    }
}

#if KILL_POINTS
private final class Armed: Sendable {
    static let current = Armed()
    private let point: KillPoint
    private let signal: Int32
    private let remaining: Lock<Int>

    private init?() {
        guard let raw = getenv("ARAGORA_KILL_POINT").map({ String(cString: $0) }) else { return nil }
        let parts = raw.split(separator: ":", maxSplits: 1)
        guard let name = parts.first, let point = KillPoint(rawValue: String(name)) else { return nil }
        self.point = point
        remaining = Lock(parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
        let signalName = getenv("ARAGORA_KILL_POINT_SIGNAL").map { String(cString: $0) }
        signal = signalName == "STOP" ? SIGSTOP : SIGKILL
    }

    func reach(_ reached: KillPoint) {
        guard reached == point else { return }
        let fires = remaining.withLock { left in
            left -= 1
            return left == 0
        }
        // Sent to this very thread: a process-wide STOP may be taken by another one, and this would run on past the line.
        if fires { raise(signal) }
    }
}
#endif
