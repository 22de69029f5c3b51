import BackupCore
import Platform
import PostgresClient
import ServiceKit

/// Makes the backup service of its parts.
enum Assembly {
    static func services(_ settings: BackupSettings, _ context: ServiceContext) async throws -> [any Service] {
        let blocking = BlockingExecutor(label: "backup", threads: 2)
        let runner: BackupRunner
        do throws(BackupError) {
            runner = try BackupRunner(
                folder: settings.folder, retention: settings.retention, configuration: settings.postgres,
                loop: context.mainLoop, blocking: blocking, log: context.log)
        } catch {
            throw ServiceHost.ConfigurationError(error.message)
        }
        let pool = PGPool(
            configuration: settings.postgres, loop: context.mainLoop, log: context.log, metrics: context.metrics)
        await pool.start()
        let status = BackupStatus(metrics: context.metrics)
        context.health.add(
            HealthRegistry.Check(HealthRegistry.database, .required) {
                try await pool.ping(timeout: HealthRegistry.checkTimeout)
                return "connected"
            })
        context.health.add(HealthRegistry.Check("backup", .optional) { try status.report() })
        let scheduler = BackupScheduler(
            runner: runner, interval: settings.interval, status: status, blocking: blocking, context: context)
        return [scheduler]
    }
}
