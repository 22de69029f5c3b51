import Domain
import Platform
import PostgresClient
import Providers
import RedisClient
import ServiceKit

/// The settings of an installation as one look sees them; nothing here refuses.
struct EnvironmentSurvey: Sendable {
    let environment: CommonSettings.Environment
    let apiToken: Secret<String>?
    let encryptionKey: Secret<String>?
    let jwtSecret: Secret<String>?
    let receiptKey: Secret<String>?
    let postgres: PGConfiguration?
    let redis: RedisConfiguration?
    /// Names of providers that can be called; `demo` left out.
    let providers: [String]
    let allowsDemo: Bool
    let backupFolder: String?
    let storeFolder: String?
    let baseURL: String?
    /// What the settings types themselves say is wrong.
    let problems: [String]
    /// What was looked at.
    let documented: [SettingDescription]

    init(lookup: @escaping (String) -> String?) {
        var reader = SettingsReader(lookup: lookup)
        environment = CommonSettings(reading: &reader, processors: 1).environment
        apiToken = reader.secret("ARAGORA_API_TOKEN")
        encryptionKey = reader.secret(
            "ARAGORA_ENCRYPTION_KEY", help: "64 hex digits; nothing is encrypted with it yet.")
        jwtSecret = reader.secret(
            "ARAGORA_JWT_SECRET", aliases: ["JWT_SECRET"], help: "32 characters or more; there are no sessions yet.")
        receiptKey = reader.secret("ARAGORA_RECEIPT_SIGNING_KEY")
        let dsn = reader.secret("ARAGORA_POSTGRES_DSN", aliases: ["DATABASE_URL"])
        postgres = dsn.map { PGConfiguration(dsn: $0.reveal(), poolSize: 1) }
        let redisURL = reader.secret("ARAGORA_REDIS_URL", aliases: ["REDIS_URL"])
        var configuration: RedisConfiguration?
        if let redisURL {
            do throws(RedisError) { configuration = try RedisConfiguration(url: redisURL.reveal()) } catch {
                reader.report("ARAGORA_REDIS_URL: \(error)")
            }
        }
        redis = configuration
        providers = ProviderSettings(reading: &reader).configured.map(\.rawValue)
        allowsDemo = reader.bool("ARAGORA_DEMO_FALLBACK", default: false)
        backupFolder = reader.optionalString("ARAGORA_BACKUP_DIR")
        storeFolder = reader.optionalString(
            "ARAGORA_STORE_DIR", help: "A folder that must be writable; nothing is kept there yet.")
        baseURL = reader.optionalString("ARAGORA_BASE_URL", aliases: ["ARAGORA_API_URL"])
        problems = reader.problems
        documented = reader.documented
    }
}
