package import Platform

extension RetentionPolicy {
    /// Reads how long every backup is kept.
    package init(reading reader: inout SettingsReader) {
        self.init(
            days: reader.int(
                "BACKUP_RETENTION_DAYS", default: 7, in: 1...3650,
                help: "Days that every backup is kept; of older ones the newest of each of 4 weeks and 3 months stays, "
                    + "and always the last good one."))
    }
}
