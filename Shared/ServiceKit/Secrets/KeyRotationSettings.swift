package import Platform

/// How often the encryption key should change, and how closely that is looked at.
package struct KeyRotationSettings: Sendable {
    /// 0 is never.
    package let intervalDays: Int
    package let overlapDays: Int
    package let check: Duration
    /// Secrets of one transaction.
    package let batch: Int

    package init(intervalDays: Int = 90, overlapDays: Int = 7, check: Duration = .seconds(300), batch: Int = 100) {
        self.intervalDays = intervalDays
        self.overlapDays = overlapDays
        self.check = check
        self.batch = batch
    }

    package init(reading reader: inout SettingsReader) {
        intervalDays = reader.int(
            "ARAGORA_KEY_ROTATION_INTERVAL_DAYS", default: 90, in: 0...3650,
            help: "After how many days an encryption key should be changed; an alert reminds of it. 0 is never.")
        overlapDays = reader.int(
            "ARAGORA_KEY_OVERLAP_DAYS", default: 7, in: 0...365,
            help: "How long the previous encryption key should stay set after a rotation.")
        check = reader.seconds(
            "ARAGORA_KEY_ROTATION_CHECK_SECONDS", default: 300, in: 5...86_400,
            help: "Between two looks for stored secrets that another encryption key sealed.")
        batch = reader.int(
            "ARAGORA_KEY_ROTATION_BATCH", default: 100, in: 1...1000,
            help: "Stored secrets that one transaction seals anew.")
    }
}
