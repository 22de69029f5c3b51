import RedisClient

/// One entry of a Redis stream: its id, and its fields in order.
struct StreamEntry {
    let id: String
    let fields: [(name: String, value: [UInt8])]

    /// Reads `[id, [name, value, …]]`; nil for another form and for an entry that was deleted meanwhile.
    init?(_ reply: RedisReply) {
        guard let parts = reply.array, parts.count == 2, let id = parts[0].text, let flat = parts[1].array else {
            return nil
        }
        var fields: [(name: String, value: [UInt8])] = []
        for index in stride(from: 0, to: flat.count - 1, by: 2) {
            guard let name = flat[index].text, let value = flat[index + 1].bytes else { return nil }
            fields.append((name, value))
        }
        self.id = id
        self.fields = fields
    }

    func value(_ name: String) -> [UInt8]? { fields.first { $0.name == name }?.value }
}
