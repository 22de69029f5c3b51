package import Platform

extension BackupFolder {
    /// Reads where the backups are.
    package init(reading reader: inout SettingsReader) {
        self.init(path: reader.requiredString("ARAGORA_BACKUP_DIR", help: "The folder that keeps the backups."))
    }
}
