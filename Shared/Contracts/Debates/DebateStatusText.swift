package import Domain

extension DebateStatus {
    /// The word that clients know; ours but for `queued`, which they call `pending`.
    package var clientText: String { self == .queued ? "pending" : rawValue }

    /// What a client's filter means, with the synonyms of contract §1.2; nil for a word nobody knows.
    package static func matching(_ filter: String) -> [DebateStatus]? { filters[filter.lowercased()] }

    /// Every word a filter may be.
    package static let filterWords = filters.keys.sorted()

    private static let filters: [String: [DebateStatus]] = [
        "active": [.queued, .running, .paused], "created": [.queued], "starting": [.queued], "pending": [.queued],
        "queued": [.queued], "running": [.running], "in_progress": [.running], "paused": [.paused],
        "completed": [.completed], "concluded": [.completed], "archived": [.completed], "finished": [.completed],
        "failed": [.failed], "cancelled": [.cancelled], "canceled": [.cancelled], "timeout": [.timeout],
    ]
}
