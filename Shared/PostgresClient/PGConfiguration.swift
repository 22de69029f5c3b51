package import Platform

/// How to reach Postgres and how long to wait for it.
package struct PGConfiguration: Sendable {
    /// A URI (`postgresql://…`) or `key=value` pairs, as libpq reads them; TLS by `sslmode`, `sslrootcert`.
    ///
    /// Copies of a configuration share it: ``adopt(_:)`` reaches all of them. Setting it parts this one from the others.
    package var dsn: Secret<String> {
        get { source.current }
        set { source = Reloadable(newValue) }
    }
    private var source: Reloadable<Secret<String>>
    /// Connections of one pool at most. A service with several event loops has a pool on each.
    package var poolSize = 8
    /// For one connection attempt, name lookup and TLS included.
    package var connectTimeout: Duration = .seconds(5)
    /// The server ends a statement after this; our own deadline is ``deadlineGrace`` later.
    package var statementTimeout: Duration = .seconds(10)
    /// How long a caller waits for a free connection.
    package var acquireTimeout: Duration = .seconds(5)
    /// A connection that nobody has used for so long is closed, but for the last one. Looked at once a second.
    package var idleTimeout: Duration = .seconds(60)
    /// How long ``PGPool/close()`` waits for work under way.
    package var drainTimeout: Duration = .seconds(5)
    package var applicationName = "aragora"
    /// Set on every session, e.g. `search_path`, `idle_in_transaction_session_timeout`. Behind a transaction pooler
    /// they apply inside transactions only.
    package var sessionParameters: [String: String] = [:]
    /// False behind a transaction pooler: no named statements, parameters by `SET LOCAL` only, and one caller at a time on
    /// each connection.
    package var namedStatements = true
    /// TCP_USER_TIMEOUT: unacknowledged data this old ends the connection.
    package var tcpUserTimeout: Duration = .seconds(10)
    /// First probe after, and time between probes, of an idle TCP connection; three lost ones end it.
    package var keepaliveInterval: Duration = .seconds(10)

    /// The server's timeout comes first, because it keeps the connection.
    package static let deadlineGrace: Duration = .seconds(2)
    /// Statements in flight on one connection that is shared.
    package static let maxInFlight = 64
    /// Callers that may wait for a connection of one pool; one more is refused.
    package static let maxWaiting = 1024
    /// Prepared statements kept per connection; the least recently used one goes first.
    package static let maxPreparedStatements = 256
    /// Cells of one answer.
    package static let maxResultBytes = 256 * 1024 * 1024

    package init(dsn: String, poolSize: Int = 8) {
        source = Reloadable(Secret(dsn))
        self.poolSize = max(1, poolSize)
    }

    /// Uses another configuration's DSN for every connection from now on; those that are open stay.
    ///
    /// - Returns: false, changing nothing, when that is another database: half of a pool must not be elsewhere.
    package func adopt(_ fresh: PGConfiguration) -> Bool {
        guard let ours = PGHandle.parse(dsn: dsn.reveal()), let theirs = PGHandle.parse(dsn: fresh.dsn.reveal()),
            ours["dbname"] == theirs["dbname"]
        else { return false }
        source.replace(with: fresh.dsn)
        return true
    }

    /// Whether statements of several callers may be under way on one connection: not behind a transaction pooler.
    var mayOverlap: Bool { namedStatements }

    /// Callers that may share one connection.
    var maxSharing: Int { mayOverlap ? Self.maxInFlight : 1 }

    var defaultDeadline: Duration { statementTimeout + Self.deadlineGrace }

    /// What every session or transaction sets.
    var parameters: [(name: String, value: String)] {
        var all = sessionParameters
        all["statement_timeout"] = all["statement_timeout"] ?? String(statementTimeout.milliseconds)
        return all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
