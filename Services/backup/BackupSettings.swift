import BackupCore
import Platform
import PostgresClient

/// What the backup service reads from its environment.
struct BackupSettings: Sendable {
    /// A direct connection: behind a transaction pooler neither the lock nor the snapshot would last.
    let postgres: PGConfiguration
    let folder: BackupFolder
    let interval: Duration
    let retention: RetentionPolicy

    init(reading reader: inout SettingsReader) {
        let dsn =
            reader.secret("ARAGORA_POSTGRES_DIRECT_DSN")
            ?? reader.requiredSecret("ARAGORA_POSTGRES_DSN", aliases: ["DATABASE_URL"])
        var configuration = PGConfiguration(dsn: dsn.reveal(), poolSize: 2)
        configuration.applicationName = "aragora-backup"
        postgres = configuration
        folder = BackupFolder(path: reader.requiredString("ARAGORA_BACKUP_DIR"))
        interval = reader.seconds("BACKUP_INTERVAL", default: 86_400, in: 60...2_592_000)
        retention = RetentionPolicy(days: reader.int("BACKUP_RETENTION_DAYS", default: 7, in: 1...3650))
    }
}
