package import Messaging
import Platform
package import Storage

/// The Redis names of the log we read now.
///
/// They carry the log's generation, which is in Postgres and is read again on every Postgres connection: a restore or a
/// failover must not be answered from a Redis that knew the log before it (design §2.6).
package final class KeyspaceSource: Sendable {
    private struct State {
        var current: Keyspace?
        var observers: [@Sendable (Keyspace) -> Void] = []
    }

    private let prefix: String
    private let state = Lock(State())

    package init(prefix: String) { self.prefix = prefix }

    /// Nil until Postgres has answered once.
    package var current: Keyspace? { state.withLock { $0.current } }

    /// Is told of the first keyspace and of each change, on whichever loop learns it.
    package func observe(_ observer: @escaping @Sendable (Keyspace) -> Void) {
        let known = state.withLock { state in
            state.observers.append(observer)
            return state.current
        }
        if let known { observer(known) }
    }

    /// The same as Storage reads it.
    package func learned(_ installation: Installation) {
        learned(
            generation: installation.generation,
            lineage: installation.lineage)
    }

    /// What a new Postgres connection says; nothing happens when it is what we knew.
    package func learned(generation: Int64, lineage: String) {
        let keyspace = Keyspace(prefix: prefix, generation: generation, lineage: lineage)
        let observers = state.withLock { state -> [@Sendable (Keyspace) -> Void] in
            guard state.current != keyspace else { return [] }
            state.current = keyspace
            return state.observers
        }
        for observer in observers { observer(keyspace) }
    }
}
