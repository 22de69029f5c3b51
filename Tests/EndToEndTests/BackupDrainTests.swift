import FaultSupport
import Glibc
import PostgresClient
import TestSupport
import Testing

@Suite("A backup service that is asked to stop", .needsPostgres)
struct BackupDrainTests {
    enum Moment: String, CaseIterable, Sendable { case dumping, restoring, idle }

    @Test("ends with code 0 and leaves nothing half done, whatever it was doing", arguments: Moment.allCases)
    func stops(_ moment: Moment) async throws {
        try await Stack.with("backup-drain-\(moment)") { stack in
            let folder = "\(stack.folder)/backups"
            try stack.spawn(.backup, ["ARAGORA_BACKUP_DIR": folder])
            try await stack.eventually("it is \(moment)") {
                switch moment {
                case .dumping: StackFolder.files(in: folder).contains { $0.hasSuffix(".partial") }
                case .restoring: try await !stack.scratchDatabases().isEmpty
                case .idle: try await !stack.pool.query("SELECT id FROM backups WHERE status = 'verified'").isEmpty
                }
            }
            try stack.process(.backup).send(SIGTERM)
            let end = try await stack.ended(.backup)
            stack.check(end == .exited(0), "it ended so: \(end)")
            try await stack.auditStoppedBackup(in: folder)
            let wanted = moment == .idle ? "verified" : "failed"
            let states = try await stack.pool.query("SELECT status FROM backups").map { try $0.text("status") }
            stack.check(states == [wanted], "its backups are \(states), not \(wanted)")
        }
    }
}
