/// The keys that somebody publishes, kept for a while: when they are good without asking again, and when to ask again
/// although they are.
struct PublishedKeyCache {
    /// How long documents are taken without asking again, and how much longer when their owner does not answer.
    static let freshMilliseconds: Int64 = 3_600_000
    static let staleMilliseconds: Int64 = 86_400_000
    /// Unknown key ids ask for a fresh set at most this often.
    static let refetchMilliseconds: Int64 = 30_000

    private var kept: (keys: [IDToken.Key], at: Int64)?
    private var refetchedAt: Int64?
    private var isDoubted = false

    func fresh(_ now: Int64) -> [IDToken.Key]? {
        isDoubted ? nil : kept.flatMap { now - $0.at < Self.freshMilliseconds ? $0.keys : nil }
    }

    /// For when their owner does not answer.
    func stale(_ now: Int64) -> [IDToken.Key]? { kept.flatMap { now - $0.at < Self.staleMilliseconds ? $0.keys : nil } }

    mutating func keep(_ keys: [IDToken.Key], at now: Int64) {
        kept = (keys, now)
        isDoubted = false
    }

    /// After a key id that is not known: anybody can send one, so that what was kept stays good while nobody answers.
    /// - Returns: whether the set is to be asked for again.
    mutating func mayRefetch(_ now: Int64) -> Bool {
        if let refetchedAt, now - refetchedAt < Self.refetchMilliseconds { return false }
        refetchedAt = now
        isDoubted = true
        return true
    }
}
