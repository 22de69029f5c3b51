/// The prepared statements of one connection, least recently used out first.
struct StatementCache {
    struct Key: Hashable, Sendable {
        let text: String
        let types: [PGType]
    }

    private struct Entry {
        let name: [CChar]
        var lastUse: UInt64
        /// The server has said that it is prepared. Until then others send the statement unnamed: the preparation may
        /// be skipped because something before it in its group failed.
        var isConfirmed: Bool
    }

    /// How to send a statement.
    enum Plan: Sendable {
        case prepared(name: [CChar])
        case prepareFirst(name: [CChar])
        case unnamed
    }

    let capacity: Int
    private var entries: [Key: Entry] = [:]
    private var clock: UInt64 = 0
    private var created = 0

    init(capacity: Int) { self.capacity = capacity }

    /// Also marks the statement as used now. With `.prepareFirst`, ``confirm(_:)`` or ``forget(_:)`` follows.
    mutating func plan(_ key: Key) -> Plan {
        guard capacity > 0 else { return .unnamed }
        clock += 1
        guard let index = entries.index(forKey: key) else {
            created += 1
            let name = "s\(created)".utf8.map { CChar(bitPattern: $0) } + [0]
            entries[key] = Entry(name: name, lastUse: clock, isConfirmed: false)
            return .prepareFirst(name: name)
        }
        entries.values[index].lastUse = clock
        return entries.values[index].isConfirmed ? .prepared(name: entries.values[index].name) : .unnamed
    }

    mutating func confirm(_ key: Key) { entries[key]?.isConfirmed = true }

    /// Drops a statement that failed to prepare or went stale.
    mutating func forget(_ key: Key) { entries[key] = nil }

    /// The name of a statement to deallocate because there are too many; nil when there are not.
    mutating func evict() -> String? {
        guard entries.count > capacity else { return nil }
        guard let oldest = entries.filter({ $0.value.isConfirmed }).min(by: { $0.value.lastUse < $1.value.lastUse })
        else { return nil }
        entries[oldest.key] = nil
        return String(decoding: oldest.value.name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    var count: Int { entries.count }
}
