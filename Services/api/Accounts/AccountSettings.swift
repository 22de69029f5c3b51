import Platform
import ServiceKit

/// What the API reads about accounts.
struct AccountSettings: Sendable {
    /// Whether anybody may register.
    let isRegistrationOpen: Bool
    /// In lower case; nil when the first who registers is the administrator.
    let administrator: String?
    /// How long entries of the audit log are kept; 0 for ever.
    let auditRetentionDays: Int

    init(reading reader: inout SettingsReader, common: CommonSettings) {
        let registration = reader.oneOf(
            "ARAGORA_REGISTRATION", ["auto", "open", "closed"], default: "auto",
            help:
                "Whether anybody may register: `open`, `closed` (administrators make the accounts), or `auto`, closed "
                + "in production. The first administrator always may.")
        isRegistrationOpen =
            registration == "open" || (registration == "auto" && common.environment != .production)
        administrator = reader.optionalString(
            "ARAGORA_BOOTSTRAP_ADMIN_EMAIL",
            help: "Who registers with this address is an administrator; without it the first who registers.")?
            .lowercased()
        auditRetentionDays = reader.int(
            "ARAGORA_AUDIT_RETENTION_DAYS", default: 2555, in: 0...36_500,
            help: "How long entries of the audit log are kept; 0 for ever. A legal hold keeps all.")
    }
}
