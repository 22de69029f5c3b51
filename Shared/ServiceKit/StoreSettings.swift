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
    package init(reading reader: inout SettingsReader, applicationName: String, loops: Int) {
        let dsn = reader.requiredSecret("ARAGORA_POSTGRES_DSN", aliases: ["DATABASE_URL"])
        let total = reader.int("ARAGORA_DB_POOL_SIZE", default: 20, in: 1...1000)
        let pooler = reader.oneOf("ARAGORA_DB_POOLER", ["none", "transaction"], default: "none")
        let timeout = reader.seconds("ARAGORA_DB_COMMAND_TIMEOUT", default: 10, in: 1...600)
        var configuration = PGConfiguration(dsn: dsn.reveal())
        configuration.poolSize = max(1, total / max(1, loops))
        configuration.applicationName = applicationName
        configuration.statementTimeout = timeout
        configuration.namedStatements = pooler == "none"
        postgres = configuration
        redisPrefix = reader.string("ARAGORA_REDIS_PREFIX", default: Keyspace.defaultPrefix)
        redis = Self.readRedis(&reader, applicationName: applicationName)
    }

    private static func readRedis(_ reader: inout SettingsReader, applicationName: String) -> RedisConfiguration? {
        guard let url = reader.secret("ARAGORA_REDIS_URL", aliases: ["REDIS_URL"]) else { return nil }
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
