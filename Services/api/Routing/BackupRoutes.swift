import Contracts
import Domain
import HTTP
import Storage

extension Routes {
    /// What the backup service did, for those who look after it.
    static let backupRoutes: [Route] = [
        Route(
            .get, "/api/backups", .permission(.adminRead), "Backups and what became of them, newest first.",
            items: [.limit(BackupStore.limitRange, standard: 20), .offset], answers: .json(.backups)
        ) { $0.backups.list }
    ]
}
