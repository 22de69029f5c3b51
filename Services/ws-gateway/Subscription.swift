import Contracts
import Domain
import HTTP

/// One viewer of one debate. Belongs to its hub and is touched on the hub's loop only.
final class Subscription {
    enum Mode { case replaying, live }

    let debate: DebateID
    /// The two hold each other until the hub removes the client.
    let client: ClientSession
    /// Whether what is there comes in as few messages as may be.
    let wantsSnapshot: Bool
    var cursor: FeedCursor
    var mode = Mode.replaying
    var isEnded = false
    /// Whether the client was told that the subscription stands.
    var isConfirmed = false
    /// Subscribes that came before it was; each gets an answer of its own.
    var confirmationsOwed = 0
    /// The replay in progress; the hub awaits nothing of it, ending the subscription cancels it.
    var replay: Task<Void, Never>?

    init(debate: DebateID, client: ClientSession, from seq: Int64, wantsSnapshot: Bool) {
        self.debate = debate
        self.client = client
        self.wantsSnapshot = wantsSnapshot
        cursor = FeedCursor(nextSeq: seq, lastHash: nil)
    }

    /// What the client read is not this log: it gets all of it, and is told.
    func beginAnew() {
        cursor = FeedCursor(nextSeq: 1, lastHash: nil)
        client.send(
            .warning(.logReset, message: "the log is not the one you read; it follows from 1", debateID: debate))
    }

    var isLive: Bool { mode == .live && !isEnded }

    /// The first answer, and one for each subscribe that came while the log was being asked.
    func confirm(_ found: FeedTail) {
        isConfirmed = true
        for _ in 0...confirmationsOwed { tell(found) }
    }

    /// Where the debate stands.
    func tell(_ found: FeedTail) {
        client.send(.subscribed(debate, latestSeq: found.tail.seq, status: found.status.clientText))
    }

    /// The last event that was handed to the socket; where a client resumes.
    var lastSeq: Int64 { cursor.nextSeq - 1 }
}
