import Messaging
package import Platform
package import PostgresClient
package import RedisClient

/// How to reach Postgres and Redis: read by every executable that has stores.
package struct StoreSettings: Sendable {
    package let postgres: PGConfiguration
    package let redis: RedisConfiguration?
    package let redisPrefix: String

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
        let pooler = reader.oneOf(
            "ARAGORA_DB_POOLER", ["none", "transaction"], default: "none",
            help: "`transaction` behind a transaction pooler: no named statements and no presence lock.")
        let timeout = reader.seconds(
            "ARAGORA_DB_COMMAND_TIMEOUT", default: 10, in: 1...600, help: "Longest one statement may take.")
        var configuration = PGConfiguration(dsn: dsn.reveal())
        configuration.poolSize = max(1, total / max(1, loops))
        configuration.applicationName = applicationName
        configuration.statementTimeout = timeout
        configuration.namedStatements = pooler == "none"
        if plansOnce && pooler == "none" { configuration.sessionParameters["plan_cache_mode"] = "force_generic_plan" }
        postgres = configuration
        redisPrefix = reader.string(
            "ARAGORA_REDIS_PREFIX", default: Keyspace.defaultPrefix,
            help: "What every key and channel begins with; the same in all processes of an installation.")
        redis = Self.readRedis(&reader, applicationName: applicationName)
    }

    /// The database of this installation.
    package static func dsn(reading reader: inout SettingsReader) -> Secret<String> {
        reader.requiredSecret(
            "ARAGORA_POSTGRES_DSN", aliases: ["DATABASE_URL"],
            help: "Where debates are: a Postgres URL or key=value string.")
    }

    /// The same, not through a transaction pooler: for migrations, walks and backups.
    package static func directDSN(reading reader: inout SettingsReader) -> Secret<String> {
        let direct = reader.secret(
            "ARAGORA_POSTGRES_DIRECT_DSN",
            help: "The same database, reached without a transaction pooler; by default `ARAGORA_POSTGRES_DSN`.")
        guard let direct else { return dsn(reading: &reader) }
        return direct
    }

    private static func readRedis(_ reader: inout SettingsReader, applicationName: String) -> RedisConfiguration? {
        let url = reader.secret(
            "ARAGORA_REDIS_URL", aliases: ["REDIS_URL"],
            help: "`redis://` or `rediss://`. Without it Postgres is polled, and rate limits are counted per process.")
        guard let url else { return nil }
        do throws(RedisError) {
            var configuration = try RedisConfiguration(url: url.reveal())
            configuration.clientName = applicationName
            return configuration
        } catch {
            reader.report("ARAGORA_REDIS_URL: \(error)")
            return nil
        }
    }
}
