import Domain
import Glibc
import Platform
import PostgresClient
import Providers
import RedisClient
import ServiceKit

/// The settings of an installation as one look sees them; nothing here refuses.
///
/// They are read by the settings types of the services, so that both find the same faults.
struct EnvironmentSurvey: Sendable {
    /// A port of ours on this machine, and the setting that moves it.
    struct Port: Sendable, Equatable {
        let setting: String
        let number: UInt16
    }

    /// A setting that is there, and what it is called.
    enum Part: String, CaseIterable { case token, encryptionKey, jwtSecret, receiptKey, redis, postgres, origins }

    let environment: CommonSettings.Environment
    /// What the settings types found; see ``SettingsReader``.
    let malformed: [String]
    let missing: [String]
    let faults: [SettingFault]
    /// Names of settings that concern each part.
    static let names: [Part: [String]] = [
        .token: ["ARAGORA_API_TOKEN", "ARAGORA_API_TOKEN_PREVIOUS"],
        .encryptionKey: ["ARAGORA_ENCRYPTION_KEY", "ARAGORA_ENCRYPTION_KEY_PREVIOUS"],
        .jwtSecret: ["ARAGORA_JWT_SECRET", "ARAGORA_JWT_SECRET_PREVIOUS"],
        .receiptKey: ["ARAGORA_RECEIPT_SIGNING_KEY", "ARAGORA_RECEIPT_SIGNING_KEY_PREVIOUS"],
        .redis: ["ARAGORA_REDIS_URL", "ARAGORA_MULTI_INSTANCE", "ARAGORA_REQUIRE_DISTRIBUTED"],
        .postgres: ["ARAGORA_POSTGRES_DSN", "ARAGORA_POSTGRES_DIRECT_DSN"],
        .origins: ["ARAGORA_ALLOWED_ORIGINS", "ARAGORA_COOKIE_SECURE", "ARAGORA_TRUSTED_PROXIES"],
    ]
    /// Characters of the secrets that are set; their values stay here.
    let lengths: [Part: Int]
    /// Nil when it is not set.
    let postgres: PGConfiguration?
    let redis: RedisConfiguration?
    let redisPrefix: String
    let needsRedis: Bool
    let providers: ProviderSettings
    let allowsDemo: Bool
    let backupFolder: String?
    let backupInterval: Duration
    /// Setting and path of folders that must be writable.
    let folders: [(setting: String, path: String)]
    let ports: [Port]
    let bindAddress: String
    let certificate: String?
    let certificateKey: String?
    let domain: String?
    let baseURL: String?
    let documented: [SettingDescription]

    var isProduction: Bool { environment == .production }
    /// Providers that can be called; `demo` left out.
    var providerNames: [String] { providers.configured.map(\.rawValue) }

    init(lookup: @escaping (String) -> String?) {
        var reader = SettingsReader(lookup: lookup)
        let common = CommonSettings(reading: &reader, processors: 1)
        environment = common.environment
        bindAddress = common.bindAddress
        _ = AccessControl(reading: &reader, common: common)
        _ = ReceiptSettings(reading: &reader)
        _ = TrustedProxies(reading: &reader)
        _ = AllowedOrigins.read(&reader)
        let stores = StoreSettings(reading: &reader, applicationName: "aragora-doctor", loops: 1)
        postgres = reader.missing.contains("ARAGORA_POSTGRES_DSN") ? nil : stores.postgres
        redis = stores.redis
        redisPrefix = stores.redisPrefix
        needsRedis = stores.needsRedisAtStart
        providers = ProviderSettings(reading: &reader)
        allowsDemo = reader.bool("ARAGORA_DEMO_FALLBACK", default: false)
        backupFolder = reader.optionalString("ARAGORA_BACKUP_DIR")
        backupInterval = reader.seconds("BACKUP_INTERVAL", default: 86_400, in: 60...2_592_000)
        let data = ["ARAGORA_STORE_DIR", "ARAGORA_DATA_DIR"].compactMap { name in
            reader.optionalString(name, help: "A folder that must be writable; nothing is kept there yet.")
                .map { (name, $0) }
        }
        folders = (backupFolder.map { [("ARAGORA_BACKUP_DIR", $0)] } ?? []) + data
        ports = Self.ports(&reader, common, lookup)
        baseURL = reader.optionalString("ARAGORA_BASE_URL", aliases: ["ARAGORA_API_URL"])
        domain = reader.optionalString(
            "ARAGORA_DOMAIN", help: "The name under which people reach this installation; its certificate must have it."
        )
        let (certificate, key) = Self.certificate(&reader)
        self.certificate = certificate
        certificateKey = key
        lengths = Self.lengths(lookup)
        malformed = reader.malformed
        missing = reader.missing
        faults = reader.faults
        documented = reader.documented
    }

    /// Which faults concern a part.
    func faults(of part: Part) -> [SettingFault] {
        faults.filter { Self.names[part, default: []].contains($0.setting) }
    }

    private static func ports(
        _ reader: inout SettingsReader, _ common: CommonSettings, _ lookup: (String) -> String?
    ) -> [Port] {
        var ports = [
            Port(setting: "ARAGORA_PORT", number: UInt16(reader.int("ARAGORA_PORT", default: 8080, in: 0...65_535))),
            Port(
                setting: "ARAGORA_WS_PORT", number: UInt16(reader.int("ARAGORA_WS_PORT", default: 8765, in: 0...65_535))
            ),
        ]
        // Its default is Prometheus's own port, which on a host is often just that.
        if lookup("ARAGORA_METRICS_PORT")?.isEmpty == false {
            ports.append(Port(setting: "ARAGORA_METRICS_PORT", number: common.metricsPort))
        }
        return ports.filter { $0.number != 0 }
    }

    private static func certificate(_ reader: inout SettingsReader) -> (file: String?, key: String?) {
        let file = reader.optionalString(
            "ARAGORA_TLS_CERT_FILE",
            help:
                "The certificate nginx serves, in PEM form, for `aragora doctor`; by default `deploy/nginx/certs/server.crt` where there is one."
        )
        let key = reader.optionalString(
            "ARAGORA_TLS_KEY_FILE", help: "Its private key; by default `server.key` beside the default certificate.")
        guard file == nil else { return (file, key) }
        let (standard, standardKey) = ("deploy/nginx/certs/server.crt", "deploy/nginx/certs/server.key")
        guard access(standard, F_OK) == 0 else { return (nil, key) }
        return (standard, key ?? (access(standardKey, R_OK) == 0 ? standardKey : nil))
    }

    private static func lengths(_ lookup: @escaping (String) -> String?) -> [Part: Int] {
        var reader = SettingsReader(lookup: lookup)
        let secrets: [(Part, Secret<String>?)] = [
            (.token, reader.secret("ARAGORA_API_TOKEN")),
            (.encryptionKey, reader.secret("ARAGORA_ENCRYPTION_KEY")),
            (.jwtSecret, reader.secret("ARAGORA_JWT_SECRET", aliases: ["JWT_SECRET"])),
            (.receiptKey, reader.secret("ARAGORA_RECEIPT_SIGNING_KEY")),
        ]
        return Dictionary(secrets.compactMap { part, secret in secret.map { (part, $0.reveal().count) } }) { $1 }
    }
}
