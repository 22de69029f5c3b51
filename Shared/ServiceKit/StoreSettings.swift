import Messaging
package import Platform
package import PostgresClient
package import RedisClient

/// How to reach Postgres and Redis: read by every executable that has stores.
package struct StoreSettings: Sendable {
    package private(set) var postgres: PGConfiguration
    /// Whether a transaction pooler stands before Postgres: consecutive statements may run in different sessions.
    package let isPooled: Bool
    package let redis: RedisConfiguration?
    package let redisPrefix: String
    /// Whether a process must have reached Redis once before it counts as started.
    package let needsRedisAtStart: Bool

    /// - Parameters:
    ///   - applicationName: shown in `pg_stat_activity` and `CLIENT LIST`.
    ///   - loops: pools; the configured connections are divided among them.
    ///   - plansOnce: Postgres plans each prepared statement for any values, once a connection. For processes whose
    ///     statements all go by a key: planning an append anew each time costs as much as running it.
    package init(reading reader: inout SettingsReader, applicationName: String, loops: Int, plansOnce: Bool = false) {
        let dsn = Self.dsn(reading: &reader)
        let total = reader.int(
            "ARAGORA_DB_POOL_SIZE", default: 20, in: 1...1000,
            help: "Postgres connections of this process, divided among its event loops; each loop has at least one.")
        isPooled = Self.readPooler(&reader)
        let timeout = reader.seconds(
            "ARAGORA_DB_COMMAND_TIMEOUT", default: 10, in: 1...600, help: "Longest one statement may take.")
        var configuration = PGConfiguration(dsn: dsn.reveal())
        configuration.poolSize = max(1, total / max(1, loops))
        configuration.applicationName = applicationName
        configuration.statementTimeout = timeout
        configuration.namedStatements = !isPooled
        // Every statement of ours is short. On a large database that was never analyzed, as after a restore, compiling
        // one takes a second.
        if !isPooled { configuration.sessionParameters["jit"] = "off" }
        if plansOnce && !isPooled { configuration.sessionParameters["plan_cache_mode"] = "force_generic_plan" }
        postgres = configuration
        redisPrefix = Self.redisPrefix(reading: &reader)
        redis = Self.redis(reading: &reader, applicationName: applicationName)
        needsRedisAtStart = Self.readSharing(&reader, hasRedis: redis != nil)
    }

    /// For a process that needs fewer connections than it may have: each one costs the server's processors their caches.
    package func using(connections: Int) -> StoreSettings {
        var settings = self
        settings.postgres.poolSize = min(postgres.poolSize, max(1, connections))
        return settings
    }

    /// The database of this installation.
    package static func dsn(reading reader: inout SettingsReader) -> Secret<String> {
        let name = "ARAGORA_POSTGRES_DSN"
        let dsn = reader.requiredSecret(
            name, aliases: ["DATABASE_URL"], help: "Where debates are: a Postgres URL or key=value string.")
        checkPassword(of: dsn, name, &reader)
        return dsn
    }

    /// The same database, not through a transaction pooler: for walks and backups.
    package static func directDSN(reading reader: inout SettingsReader) -> Secret<String> {
        if let direct = readDirect(&reader) { return direct }
        let dsn = dsn(reading: &reader)
        if readPooler(&reader) { reportIndirect(&reader) }
        return dsn
    }

    /// How a service that has stores reaches Postgres without a transaction pooler, for migrations.
    /// - Parameter isNeeded: whether a pooler without a way around it is a problem.
    package func direct(reading reader: inout SettingsReader, isNeeded: Bool) -> PGConfiguration {
        guard let direct = Self.readDirect(&reader) else {
            if isPooled && isNeeded { Self.reportIndirect(&reader) }
            return postgres
        }
        var configuration = postgres
        configuration.dsn = direct
        configuration.namedStatements = true
        return configuration
    }

    private static func readPooler(_ reader: inout SettingsReader) -> Bool {
        reader.oneOf(
            "ARAGORA_DB_POOLER", ["none", "transaction"], default: "none",
            help: "`transaction` behind a transaction pooler: no named statements and no presence lock."
        ) == "transaction"
    }

    private static func readDirect(_ reader: inout SettingsReader) -> Secret<String>? {
        let name = "ARAGORA_POSTGRES_DIRECT_DSN"
        let direct = reader.secret(
            name,
            help:
                "The same database, reached without a transaction pooler: for migrations, walks and backups. "
                + "By default `ARAGORA_POSTGRES_DSN`.")
        if let direct { checkPassword(of: direct, name, &reader) }
        return direct
    }

    private static func reportIndirect(_ reader: inout SettingsReader) {
        reader.report(
            "ARAGORA_POSTGRES_DIRECT_DSN: required behind a transaction pooler, which keeps no lock and no snapshot")
    }

    private static func checkPassword(of dsn: Secret<String>, _ name: String, _ reader: inout SettingsReader) {
        // A DSN that can not be read is told of by whoever connects with it.
        let environment = try? PGConfiguration(dsn: dsn.reveal()).programEnvironment()
        reader.refusePlaceholder(environment?["PGPASSWORD"], name)
    }

    /// What the documents call multi-instance: then, and in production, a Redis that can not be reached at the start is a
    /// mistake in a setting rather than a fault of the day.
    private static func readSharing(_ reader: inout SettingsReader, hasRedis: Bool) -> Bool {
        let names = ["ARAGORA_MULTI_INSTANCE", "ARAGORA_REQUIRE_DISTRIBUTED"]
        let isShared = names.map { name in
            reader.bool(
                name, default: false,
                help: "Whether several processes share the work: then Redis must be set, and be there at the start.")
        }
        _ = reader.bool(
            "ARAGORA_REQUIRE_DATABASE", default: true, help: "Accepted, and always so: nothing runs without Postgres.")
        guard hasRedis else {
            for (name, isSet) in zip(names, isShared) where isSet {
                reader.refuse(SettingFault(.redisRequired, name, "is true, and no Redis is set"))
            }
            return false
        }
        return reader.isStrict || isShared.contains(true)
    }

    /// What this installation's names in Redis begin with.
    package static func redisPrefix(reading reader: inout SettingsReader) -> String {
        reader.string(
            "ARAGORA_REDIS_PREFIX", default: Keyspace.defaultPrefix,
            help: "What every key and channel begins with; the same in all processes of an installation.")
    }

    /// The Redis of this installation; nil when none is set.
    package static func redis(reading reader: inout SettingsReader, applicationName: String) -> RedisConfiguration? {
        let url = reader.secret(
            "ARAGORA_REDIS_URL", aliases: ["REDIS_URL"],
            help: "`redis://` or `rediss://`. Without it Postgres is polled, and rate limits are counted per process.")
        let topology = RedisTopologySettings(reading: &reader)
        guard let url else {
            topology.reportWithoutURL(&reader)
            return nil
        }
        do throws(RedisError) {
            var configuration = try RedisConfiguration(url: url.reveal())
            configuration.clientName = applicationName
            if let kind = topology.topology(&reader) { configuration.endpoint.topology = kind }
            if configuration.endpoint.topology.isCluster && configuration.endpoint.database != 0 {
                reader.report("ARAGORA_REDIS_URL: a cluster has no database but 0")
            }
            reader.refusePlaceholder(configuration.endpoint.password, "ARAGORA_REDIS_URL")
            return configuration
        } catch {
            reader.report("ARAGORA_REDIS_URL: \(error)")
            return nil
        }
    }

    /// Connects by another reading's addresses and passwords from now on; connections that are open stay.
    ///
    /// - Returns: what waits for a restart, and why.
    package func adopt(_ fresh: StoreSettings) -> [String] {
        var waiting = Self.adopt(fresh.postgres, by: postgres)
        switch (redis, fresh.redis) {
        case (let redis?, let other?): redis.adopt(other)
        case (nil, nil): break
        default: waiting.append("ARAGORA_REDIS_URL: whether there is a Redis is settled at start")
        }
        return waiting
    }

    /// The same for a Postgres that was read by ``directDSN(reading:)``.
    package static func adopt(_ fresh: PGConfiguration, by postgres: PGConfiguration) -> [String] {
        postgres.adopt(fresh)
            ? [] : ["ARAGORA_POSTGRES_DSN or ARAGORA_POSTGRES_DIRECT_DSN: can not be read, or names another database"]
    }
}
