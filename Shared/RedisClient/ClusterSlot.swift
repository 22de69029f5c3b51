/// The slot of a key: Redis Cluster specification, "Key distribution model" and "Hash tags".
enum ClusterSlot {
    static let count = 16384

    /// CRC16 (XMODEM) of what stands between the first `{` and the next `}`, or of the whole key.
    static func of(_ key: some Collection<UInt8>) -> Int {
        let bytes = Array(key)
        if let open = bytes.firstIndex(of: UInt8(ascii: "{")),
            let close = bytes[(open + 1)...].firstIndex(of: UInt8(ascii: "}")), close > open + 1
        {
            return Int(crc16(bytes[(open + 1)..<close])) % count
        }
        return Int(crc16(bytes[...])) % count
    }

    static func crc16(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        bytes.reduce(0) { crc, byte in (crc << 8) ^ table[Int(UInt8(crc >> 8) ^ byte)] }
    }

    private static let table: [UInt16] = (0..<256).map { index in
        (0..<8).reduce(UInt16(index) << 8) { value, _ in value & 0x8000 != 0 ? (value << 1) ^ 0x1021 : value << 1 }
    }
}

/// Which node of a cluster has which slot.
struct SlotMap: Sendable {
    private(set) var primaries: [RedisNode] = []
    private var owners = [UInt16](repeating: SlotMap.nobody, count: ClusterSlot.count)
    private static let nobody = UInt16.max

    /// Reads the answer to `CLUSTER SLOTS`: `[[first, last, [host, port, …], replica …] …]`.
    /// - Parameter asked: who answered; an address that is left out is its own.
    init(_ reply: RedisReply, asked: RedisNode) throws(RedisError) {
        if case .error(let text) = reply { throw RedisError(reply: text) }
        guard let ranges = reply.array else { throw RedisError(.unexpectedReply, "CLUSTER SLOTS") }
        for range in ranges {
            guard let parts = range.array, parts.count >= 3, let first = parts[0].integer, let last = parts[1].integer,
                let place = parts[2].array, place.count >= 2, let port = place[1].integer.flatMap(UInt16.init),
                (0...last).contains(first), last < ClusterSlot.count
            else { throw RedisError(.unexpectedReply, "CLUSTER SLOTS") }
            let host = place[0].text.flatMap { $0.isEmpty || $0 == "?" ? nil : $0 } ?? asked.host
            let index = index(of: RedisNode(host: host, port: port))
            for slot in Int(first)...Int(last) { owners[slot] = index }
        }
        guard !primaries.isEmpty else { throw RedisError(.unavailable, "no node of the cluster has a slot") }
    }

    func owner(of slot: Int) -> RedisNode? {
        owners[slot] == Self.nobody ? nil : primaries[Int(owners[slot])]
    }

    /// Takes note of one slot's new owner.
    mutating func move(_ slot: Int, to node: RedisNode) {
        guard owners.indices.contains(slot) else { return }
        owners[slot] = index(of: node)
    }

    private mutating func index(of node: RedisNode) -> UInt16 {
        if let known = primaries.firstIndex(of: node) { return UInt16(known) }
        primaries.append(node)
        return UInt16(primaries.count - 1)
    }
}

/// What a node of a cluster answers instead of a result.
enum Redirection: Equatable {
    /// Another node has the slot.
    case moved(slot: Int, RedisNode)
    /// Another node may have this one key: the slot is being moved there.
    case ask(RedisNode)
    /// Some keys of the command are here and some there; in a moment they are together.
    case tryAgain

    init?(_ text: String, from node: RedisNode) {
        let words = text.split(separator: " ")
        switch words.first {
        case "TRYAGAIN": self = .tryAgain
        case "MOVED", "ASK":
            guard words.count >= 3, let slot = Int(words[1]), let colon = words[2].lastIndex(of: ":"),
                let port = UInt16(words[2][words[2].index(after: colon)...])
            else { return nil }
            let host = words[2][..<colon]
            let target = RedisNode(host: host.isEmpty || host == "?" ? node.host : String(host), port: port)
            self = words[0] == "MOVED" ? .moved(slot: slot, target) : .ask(target)
        default: return nil
        }
    }
}
