import Platform
import RedisClient

/// What stands behind ARAGORA_REDIS_URL: one server, a primary that sentinels name, or a cluster.
struct RedisTopologySettings {
    private enum Mode: String { case standalone, sentinel, cluster }

    private static let modeName = "ARAGORA_REDIS_MODE"
    private static let sentinelsName = "ARAGORA_REDIS_SENTINELS"
    private static let nodesName = "ARAGORA_REDIS_CLUSTER_NODES"
    private static let passwordName = "ARAGORA_REDIS_SENTINEL_PASSWORD"

    private let mode: Mode
    private let sentinels: String
    private let name: String
    private let password: Secret<String>?
    private let nodes: String

    init(reading reader: inout SettingsReader) {
        let word = reader.oneOf(
            Self.modeName, ["standalone", "sentinel", "cluster"], default: "standalone",
            help: "What Redis is: one server, a primary that sentinels name, or a cluster.")
        mode = Mode(rawValue: word) ?? .standalone
        sentinels = reader.string(
            Self.sentinelsName, default: "",
            help:
                "With `sentinel`: the sentinels, `host:port,host:port` (port 26379). User, password, database and TLS of "
                + "the primary come from `ARAGORA_REDIS_URL`, its host does not.")
        name = reader.string(
            "ARAGORA_REDIS_SENTINEL_MASTER", default: SentinelGroup.defaultName,
            help: "What the sentinels call the primary.")
        password = reader.secret(Self.passwordName, help: "Of the sentinels themselves, if they ask for one.")
        nodes = reader.string(
            Self.nodesName, default: "",
            help:
                "With `cluster`: nodes besides the one of `ARAGORA_REDIS_URL` that may be asked for the others, "
                + "`host:port,host:port` (port 6379).")
    }

    /// What was read; nil after a problem, which is reported.
    func topology(_ reader: inout SettingsReader) -> RedisTopology? {
        refuse(sentinels, Self.sentinelsName, .sentinel, &reader)
        refuse(nodes, Self.nodesName, .cluster, &reader)
        switch mode {
        case .standalone: return .standalone
        case .cluster:
            return list(nodes, Self.nodesName, 6379, &reader).map { .cluster(more: $0) }
        case .sentinel:
            guard let all = list(sentinels, Self.sentinelsName, SentinelGroup.defaultPort, &reader) else { return nil }
            guard !all.isEmpty else {
                reader.report("\(Self.sentinelsName): required by \(Self.modeName)=sentinel")
                return nil
            }
            reader.refusePlaceholder(password, Self.passwordName)
            return .sentinel(SentinelGroup(nodes: all, name: name, password: password))
        }
    }

    func reportWithoutURL(_ reader: inout SettingsReader) {
        guard mode != .standalone else { return }
        reader.report("\(Self.modeName): \(mode.rawValue), and no ARAGORA_REDIS_URL says with which password and TLS")
    }

    /// A list that nobody reads is a mode that somebody forgot.
    private func refuse(_ text: String, _ name: String, _ needed: Mode, _ reader: inout SettingsReader) {
        guard !text.isEmpty, mode != needed else { return }
        reader.report("\(name): needs \(Self.modeName)=\(needed.rawValue)")
    }

    private func list(_ text: String, _ name: String, _ port: UInt16, _ reader: inout SettingsReader) -> [RedisNode]? {
        do throws(RedisError) { return try RedisNode.list(text, defaultPort: port) } catch {
            reader.report("\(name): \(error.message)")
            return nil
        }
    }
}
