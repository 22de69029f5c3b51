package import Domain

extension DebateStatus {
    /// The word that clients know; ours but for `queued`, which they call `pending`.
    package var clientText: String { self == .queued ? "pending" : rawValue }

    /// What a client's filter means, with the synonyms of contract §1.2; nil for a word nobody knows.
    package static func matching(_ filter: String) -> [DebateStatus]? {
        switch filter.lowercased() {
        case "active": [.queued, .running, .paused]
        case "created", "starting", "pending", "queued": [.queued]
        case "running", "in_progress": [.running]
        case "paused": [.paused]
        case "completed", "concluded", "archived", "finished": [.completed]
        case "failed": [.failed]
        case "cancelled", "canceled": [.cancelled]
        case "timeout": [.timeout]
        default: nil
        }
    }
}
