import BackupCore
import Platform
import PostgresClient
import RedisClient
import ServiceKit

/// What the backup service reads from its environment.
struct BackupSettings: ReloadableSettings {
    /// A direct connection: behind a transaction pooler neither the lock nor the snapshot would last.
    let postgres: PGConfiguration
    let folder: BackupFolder
    let interval: Duration
    let retention: RetentionPolicy
    /// Where it says that it is there: nothing else of a backup goes to Redis.
    let heartbeat: HeartbeatSettings?

    init(reading reader: inout SettingsReader) {
        let dsn = StoreSettings.directDSN(reading: &reader)
        var configuration = PGConfiguration(dsn: dsn.reveal(), poolSize: 2)
        configuration.applicationName = "aragora-backup"
        postgres = configuration
        folder = BackupFolder(reading: &reader)
        interval = reader.seconds(
            "BACKUP_INTERVAL", default: 86_400, in: 60...2_592_000, help: "From one backup to the next.")
        retention = RetentionPolicy(reading: &reader)
        let prefix = StoreSettings.redisPrefix(reading: &reader)
        heartbeat = HeartbeatSettings(
            StoreSettings.redis(reading: &reader, applicationName: "aragora-backup"), prefix: prefix)
    }

    func adopt(_ fresh: BackupSettings) -> [String] {
        if let heartbeat, let other = fresh.heartbeat { heartbeat.redis.adopt(other.redis) }
        return StoreSettings.adopt(fresh.postgres, by: postgres)
    }
}
