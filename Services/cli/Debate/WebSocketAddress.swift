/// A `ws://` or `wss://` address, in the parts that connecting takes.
struct WebSocketAddress: Sendable, Equatable {
    let host: String
    let port: UInt16
    let path: String
    let usesTLS: Bool

    init(host: String, port: UInt16, path: String, usesTLS: Bool) {
        self.host = host
        self.port = port
        self.path = path
        self.usesTLS = usesTLS
    }

    /// - Returns: nil unless the text is such an address without user, query or fragment.
    init?(_ text: String) {
        let usesTLS = text.hasPrefix("wss://")
        guard usesTLS || text.hasPrefix("ws://") else { return nil }
        let rest = text.dropFirst(usesTLS ? 6 : 5)
        let authority = rest.prefix { $0 != "/" }
        let path = rest.dropFirst(authority.count)
        guard text.unicodeScalars.allSatisfy({ $0.isASCII && $0.value > 0x20 }),
            !text.contains(where: { "@?#".contains($0) })
        else { return nil }
        guard let (host, port) = Self.split(authority, default: usesTLS ? 443 : 80) else { return nil }
        self.init(host: host, port: port, path: path.isEmpty ? "/ws" : String(path), usesTLS: usesTLS)
    }

    /// For the `Host` field.
    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    private static func split(_ authority: Substring, default port: UInt16) -> (String, UInt16)? {
        var host = authority
        var digits = Substring()
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let tail = authority[authority.index(after: end)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { return nil }
            digits = tail.dropFirst()
        } else if let colon = authority.lastIndex(of: ":") {
            host = authority[..<colon]
            digits = authority[authority.index(after: colon)...]
        }
        guard !host.isEmpty else { return nil }
        if digits.isEmpty { return (String(host), port) }
        guard let number = UInt16(digits), number > 0 else { return nil }
        return (String(host), number)
    }
}
