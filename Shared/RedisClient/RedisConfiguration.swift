package import Platform
import Sockets

/// Where Redis is, and how to speak to it.
package struct RedisConfiguration: Sendable {
    /// What a URL says.
    package struct Endpoint: Sendable {
        package var host: String
        package var port: UInt16
        /// The ACL user; nil means the default user.
        package var user: String?
        package var password: Secret<String>?
        package var database = 0
        package var usesTLS = false
        /// A PEM file of the authorities to trust with TLS; nil means the system's store.
        package var caFile: String?
        /// What stands there, one server or several.
        package var topology = RedisTopology.standalone
    }

    /// Where and as whom to connect.
    ///
    /// Copies of a configuration share it: ``adopt(_:)`` reaches all of them. Setting it parts this one from the others.
    package var endpoint: Endpoint {
        get { source.current }
        set { source = Reloadable(newValue) }
    }
    private var source: Reloadable<Endpoint>
    /// Shown in CLIENT LIST: letters, digits, `-`, `_` and `.`.
    package var clientName: String?
    /// Name, TCP, TLS, AUTH and SELECT together.
    package var connectTimeout = Duration.seconds(2)
    /// From sending a command to its reply. A connection whose oldest command waits longer counts as dead.
    package var commandTimeout = Duration.seconds(2)
    /// How often a quiet subscriber asks whether Redis is still there.
    package var pingInterval = Duration.seconds(5)
    /// Waits between connection attempts.
    package var backoff = Backoff(first: .milliseconds(50), cap: .seconds(2))

    package init(host: String, port: UInt16 = 6379) {
        source = Reloadable(Endpoint(host: host, port: port))
    }

    /// Uses another configuration's endpoint for every connection from now on; those that are open stay.
    package func adopt(_ fresh: RedisConfiguration) { source.replace(with: fresh.endpoint) }

    /// Reads `redis[s]://[user[:password]@]host[:port][/database][?ca=file]`; `redis://:password@host` has no user.
    ///
    /// User, password and file are percent-decoded; IPv6 addresses stand in brackets.
    /// - Throws: ``RedisError`` `.configuration`; its message holds nothing of the URL but the part's name.
    package init(url: String) throws(RedisError) {
        func invalid(_ part: String) -> RedisError { RedisError(.configuration, "Redis URL: \(part)") }
        guard let scheme = url.firstRange(of: "://").map({ url[..<$0.lowerBound].lowercased() }),
            scheme == "redis" || scheme == "rediss"
        else { throw invalid("expected redis:// or rediss://") }

        var rest = url[url.firstRange(of: "://")!.upperBound...]
        let query = rest.cutting(after: "?")
        let path = rest.cutting(after: "/") ?? ""
        // The last "@": a password that was not encoded may hold one.
        var credentials: Substring?
        if let at = rest.lastIndex(of: "@") {
            credentials = rest[..<at]
            rest = rest[rest.index(after: at)...]
        }
        guard let (host, port) = Self.hostAndPort(rest, defaultPort: 6379) else {
            throw invalid("expected host or host:port")
        }
        var endpoint = Endpoint(host: host, port: port)
        endpoint.usesTLS = scheme == "rediss"
        if let credentials, !endpoint.setCredentials(credentials) {
            throw invalid("user or password is not percent-encoded UTF-8")
        }
        if !path.isEmpty {
            guard let number = Int(path), (0...16383).contains(number) else {
                throw invalid("the path is a database number")
            }
            endpoint.database = number
        }
        for item in (query ?? "").split(separator: "&") where item.hasPrefix("ca=") {
            guard let file = item.dropFirst(3).percentDecoded else { throw invalid("ca is not percent-encoded UTF-8") }
            endpoint.caFile = file
        }
        self.init(host: host, port: port)
        self.endpoint = endpoint
    }

    /// Host and port, or those of the servers that are asked for it; for logs, never the credentials.
    package var address: String { endpoint.address }

    static func hostAndPort(_ text: Substring, defaultPort: UInt16) -> (String, UInt16)? {
        var host = text
        var port: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            let tail = text[text.index(after: end)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { return nil }
            port = tail.isEmpty ? nil : tail.dropFirst()
        } else {
            port = host.cutting(after: ":")
        }
        guard !host.isEmpty, !host.contains(where: \.isWhitespace) else { return nil }
        guard let port else { return (String(host), defaultPort) }
        guard let number = UInt16(port), number > 0 else { return nil }
        return (String(host), number)
    }
}

extension RedisConfiguration.Endpoint {
    package var address: String {
        switch topology {
        case .standalone: node.description
        case .sentinel(let group): "\(group.name) by \(Self.list(group.nodes))"
        case .cluster(let more): Self.list([node] + more)
        case .anyOf(let nodes): Self.list(nodes)
        }
    }

    private static func list(_ nodes: [RedisNode]) -> String { nodes.map(\.description).joined(separator: ",") }

    var tls: TLSConfiguration? { usesTLS ? TLSConfiguration(serverName: host, caFile: caFile) : nil }

    fileprivate mutating func setCredentials(_ text: Substring) -> Bool {
        var userPart = text
        if let passwordPart = userPart.cutting(after: ":") {
            guard let decoded = passwordPart.percentDecoded else { return false }
            password = decoded.isEmpty ? nil : Secret(decoded)
        }
        guard let decoded = userPart.percentDecoded else { return false }
        user = decoded.isEmpty ? nil : decoded
        return true
    }
}

extension Substring {
    /// Cuts off what follows the first `mark`, and returns it; nil and unchanged without one.
    fileprivate mutating func cutting(after mark: Character) -> Substring? {
        guard let index = firstIndex(of: mark) else { return nil }
        let tail = self[self.index(after: index)...]
        self = self[..<index]
        return tail
    }

    fileprivate var percentDecoded: String? {
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(Self.hexValue), let low = rest.popFirst().flatMap(Self.hexValue)
            else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
