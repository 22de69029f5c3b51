import BackupCore
import Contracts
import Platform
import PostgresClient
import Storage

/// Looks at the backups: how old the newest verified one is, how the last run ended, whether the next can work.
struct BackupExamination: Sendable {
    typealias Check = CommandReports.Check

    /// Older than this many intervals is too old; what the backup service calls overdue.
    static let overdueIntervals = 1.5

    let survey: EnvironmentSurvey
    let context: CommandContext

    /// - Parameter postgres: what it said; nil facts leave the folder alone to judge by.
    func examine(_ postgres: PostgresExamination.Result) async -> [Check] {
        [await client(postgres.serverVersion), outcome(postgres.facts), await age(postgres.facts)].compactMap { $0 }
    }

    private func client(_ serverVersion: Int?) async -> Check? {
        guard let configuration = survey.postgres, let serverVersion else { return nil }
        do {
            let tools = try PostgresTools(configuration)
            try await context.blocking.run { try tools.check(serverVersion: serverVersion) }
            return Check("pg_dump", .passed, "pg_dump: as new as the server")
        } catch let error as BackupError where error.code == .unsuitable {
            return .fault(.clientOlder, "pg_dump", error.message)
        } catch {
            return .note("pg_dump", "pg_dump: not here, so that backups are made elsewhere")
        }
    }

    private func outcome(_ facts: StoreInspection.Facts?) -> Check? {
        facts?.lastBackupFailure.map { .fault(.backupFailed, "last_backup", "last backup: failed: \($0)") }
    }

    private func age(_ facts: StoreInspection.Facts?) async -> Check {
        var newest = facts?.newestBackup.map { $0 / 1000 }
        if let path = survey.backupFolder {
            // A folder that can not be read is told of where folders are.
            let entries = try? await context.blocking.run { try BackupFolder(path: path).entries() }
            newest = entries?.first?.name.second
        }
        guard let newest else {
            guard survey.backupFolder != nil else { return .note("backups", "backups: none is recorded") }
            return .fault(.backupMissing, "backups", "backups: none is in the folder")
        }
        let seconds = max(0, WallClock.nowMilliseconds() / 1000 - newest)
        let stamp = ISO8601.string(milliseconds: newest * 1000).prefix(16) + "Z"
        guard Double(seconds) > survey.backupInterval.secondsValue * Self.overdueIntervals else {
            return Check("backups", .passed, "backups: the newest verified one is of \(stamp)")
        }
        return .fault(
            .backupOld, "backups", "backups: the newest verified one is of \(stamp), \(seconds / 3600) hours ago")
    }
}
