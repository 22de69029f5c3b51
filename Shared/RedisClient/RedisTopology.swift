package import Platform

/// Where one server is.
package struct RedisNode: Sendable, Hashable, CustomStringConvertible {
    package let host: String
    package let port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// `host:port`; IPv6 addresses stand in brackets.
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Reads `host[:port],host[:port]`, without blanks between hosts that matter.
    /// - Throws: ``RedisError`` `.configuration`, naming the entry.
    package static func list(_ text: String, defaultPort: UInt16) throws(RedisError) -> [RedisNode] {
        var nodes: [RedisNode] = []
        for part in text.split(separator: ",") {
            let entry = Substring(part.drop { $0 == " " })
            let end = entry.lastIndex { $0 != " " }
            guard let end, let (host, port) = RedisConfiguration.hostAndPort(entry[...end], defaultPort: defaultPort)
            else { throw RedisError(.configuration, "expected host or host:port, not \"\(part)\"") }
            nodes.append(RedisNode(host: host, port: port))
        }
        return nodes
    }
}

/// How many servers there are behind one address, and how to find the one to speak to.
package enum RedisTopology: Sendable {
    /// The endpoint's own server.
    case standalone
    /// The primary that sentinels name; the endpoint gives user, password, database and TLS.
    case sentinel(SentinelGroup)
    /// A cluster: the endpoint and these are asked for the others.
    case cluster(more: [RedisNode])
    /// Whichever of these answers.
    case anyOf([RedisNode])

    package var isCluster: Bool { if case .cluster = self { true } else { false } }
}

/// Sentinels that watch one primary.
package struct SentinelGroup: Sendable {
    package static let defaultPort: UInt16 = 26379
    package static let defaultName = "mymaster"
    /// One sentinel is given no longer, so that a hanging one does not use up the time for the others.
    static let askTimeout = Duration.milliseconds(500)

    package let nodes: [RedisNode]
    /// What the sentinels call the primary.
    package let name: String
    /// Of the sentinels themselves; they have no user and no database.
    package let password: Secret<String>?

    package init(nodes: [RedisNode], name: String = SentinelGroup.defaultName, password: Secret<String>? = nil) {
        self.nodes = nodes
        self.name = name
        self.password = password
    }
}

extension RedisConfiguration.Endpoint {
    var node: RedisNode { RedisNode(host: host, port: port) }

    /// The same credentials and TLS at one server.
    func at(_ node: RedisNode) -> RedisConfiguration.Endpoint {
        var copy = self
        (copy.host, copy.port, copy.topology) = (node.host, node.port, .standalone)
        return copy
    }

    /// How the sentinels of the group are spoken to: TLS like Redis itself, a password of their own.
    func sentinels(_ group: SentinelGroup) -> RedisConfiguration.Endpoint {
        var copy = self
        copy.topology = .anyOf(group.nodes)
        (copy.user, copy.password, copy.database) = (nil, group.password, 0)
        return copy
    }
}
