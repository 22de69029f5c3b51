package import Domain

/// Every name we use in Redis, keys and channels alike.
///
/// What is a copy of the log carries the log's generation, so that a Redis that outlived a restore answers nobody. The
/// braces keep what belongs to one debate in one slot of a cluster. Nothing that matters has a TTL: under
/// `volatile-lru` only copies, rates and breakers can be evicted.
package struct Keyspace: Sendable, Equatable {
    package static let defaultPrefix = "aragora:v1"

    package let prefix: String
    /// `g<n>`, or `g<n>-<lineage>`.
    private let generation: String

    /// - Parameters:
    ///   - prefix: `ARAGORA_REDIS_PREFIX`.
    ///   - generation: `installation.generation`.
    ///   - lineage: tells apart the databases a failover may bring: Postgres's system identifier and timeline.
    package init(prefix: String = Keyspace.defaultPrefix, generation: Int64, lineage: String = "") {
        self.prefix = prefix
        self.generation = lineage.isEmpty ? "g\(generation)" : "g\(generation)-\(lineage)"
    }

    // Streams that never expire.
    /// The doorbell of waiting debates.
    package var jobs: String { "\(prefix):jobs:debate" }
    package var jobsGroup: String { "debate-workers" }
    /// What could not be read or was given up; for people.
    package var deadJobs: String { "\(prefix):jobs:debate:dead" }

    // Copies of the log.
    /// The replay stream of a debate; its ids are `<seq>-0`.
    package func events(_ debate: DebateID) -> String { "\(prefix):\(generation):events:{\(debate)}" }
    /// The live channel of a debate.
    package func live(_ debate: DebateID) -> String { liveStart + "\(debate)}" }

    /// The debate whose live channel this is, in this keyspace.
    package func debate(ofLiveChannel channel: String) -> DebateID? {
        guard channel.hasPrefix(liveStart), channel.hasSuffix("}") else { return nil }
        return DebateID(String(channel.dropFirst(liveStart.count).dropLast()))
    }

    /// The channel of ``ControlHint``s to all runners.
    package var control: String { "\(prefix):control" }

    // Losing these is harmless.
    /// The bucket of one subject; `scope` is from a closed set.
    package func rate(scope: String, subject: String) -> String { "\(prefix):rate:\(scope):\(subject)" }
    /// That a signed request was seen; `scope` is from a closed set.
    package func seen(scope: String, digest: String) -> String { "\(prefix):seen:\(scope):\(digest)" }
    /// The shared state of a provider's circuit breaker.
    package func breaker(provider: String) -> String { "\(prefix):breaker:{\(provider)}" }
    /// The calls to a provider that are in flight, over all processes.
    package func provider(_ name: String) -> String { "\(prefix):provider:{\(name)}" }

    /// What the processes of an installation say about themselves, by process; of no generation, because whoever can not
    /// reach Postgres does not know it. The braces keep the two in one slot.
    package static func replicas(prefix: String) -> String { "\(prefix):{replicas}" }
    /// When each of them said it last.
    package static func replicasSeen(prefix: String) -> String { "\(prefix):{replicas}:seen" }

    // For those who look at a whole keyspace.
    /// A glob that every copy of a log matches, of whatever generation.
    package var copiesPattern: String {
        let escaped = prefix.reduce(into: "") { result, character in
            if "*?[]\\".contains(character) { result.append("\\") }
            result.append(character)
        }
        return "\(escaped):g*:events:*"
    }

    /// The debate whose replay stream this is, in this keyspace.
    package func debate(ofEventsKey key: String) -> DebateID? {
        let start = "\(prefix):\(generation):events:{"
        guard key.hasPrefix(start), key.hasSuffix("}") else { return nil }
        return DebateID(String(key.dropFirst(start.count).dropLast()))
    }

    /// The generation of a copy's key, when it is not this keyspace's own.
    package func foreignGeneration(ofKey key: String) -> String? {
        guard key.hasPrefix("\(prefix):g") else { return nil }
        let tag = key.dropFirst(prefix.count + 1).prefix { $0 != ":" }
        return tag == generation ? nil : String(tag)
    }

    private var liveStart: String { "\(prefix):\(generation):live:{" }
}
