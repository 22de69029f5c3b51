extension RedisCommand {
    /// The slot that the command goes to in a cluster; nil when it has no key, so that any node may answer.
    ///
    /// By its first key or sharded channel: all keys of one command are in one slot, or Redis refuses it.
    var slot: Int? {
        guard let index = keyIndex, let key = argument(index) else { return nil }
        return ClusterSlot.of(key)
    }

    var name: String { argument(0).map { String(decoding: $0, as: UTF8.self).uppercased() } ?? "" }

    /// Where the first key stands among the words of the commands that we send.
    private var keyIndex: Int? {
        switch name {
        case "PING", "SCAN", "SCRIPT", "INFO", "CONFIG", "CLIENT", "CLUSTER", "PUBLISH", "SUBSCRIBE", "UNSUBSCRIBE",
            "HELLO", "TIME", "DBSIZE", "FLUSHALL", "ROLE", "ACL":
            return nil
        case "XGROUP", "XINFO", "OBJECT", "MEMORY": return 2
        case "EVAL", "EVALSHA": return argument(2).map(Array.init) == [UInt8(ascii: "0")] ? nil : 3
        case "XREADGROUP", "XREAD":
            var index = 1
            while let word = argument(index) {
                index += 1
                if word.elementsEqual("STREAMS".utf8) { return index }
            }
            return nil
        default: return 1
        }
    }

    /// One word of the encoded command.
    private func argument(_ index: Int) -> ArraySlice<UInt8>? {
        var rest = encoded[...]
        func line() -> Int? {
            guard let end = rest.firstIndex(of: 0x0D) else { return nil }
            let number = Int(String(decoding: rest[rest.index(after: rest.startIndex)..<end], as: UTF8.self))
            rest = rest[(end + 2)...]
            return number
        }
        guard let count = line(), index < count else { return nil }
        for position in 0...index {
            guard let length = line() else { return nil }
            if position == index { return rest.prefix(length) }
            rest = rest.dropFirst(length + 2)
        }
        return nil
    }
}
