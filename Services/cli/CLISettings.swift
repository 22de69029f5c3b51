import BackupCore
import Crypto
import Domain
import Glibc
import Platform
import PostgresClient
import Providers
import RedisClient
import ServiceKit

/// What the commands read from the environment. Each command asks for what it needs, and only a setting that it needs can
/// stop it.
struct CLISettings: Sendable {
    static let defaultBaseURL = "http://127.0.0.1:8080"
    static let tokenTTLRange = 1...31_536_000

    private let lookup: @Sendable (String) -> String?
    private let onRead: @Sendable ([SettingDescription]) -> Void

    /// - Parameter onRead: told of what each command asked for.
    init(
        lookup: @escaping @Sendable (String) -> String? = { getenv($0).map { String(cString: $0) } },
        onRead: @escaping @Sendable ([SettingDescription]) -> Void = { _ in }
    ) {
        self.lookup = lookup
        self.onRead = onRead
    }

    /// Colour on a terminal, unless the person said no (no-color.org) or the terminal has none.
    static var wantsColour: Bool {
        getenv("NO_COLOR") == nil && getenv("TERM").map { String(cString: $0) } != "dumb"
    }

    /// Quiet unless asked: what a command has to say it prints.
    var log: Log {
        let level = lookup("ARAGORA_LOG_LEVEL").flatMap(LogLevel.init(name:)) ?? .error
        return Log(service: "cli", level: level == .debug ? .debug : .error, format: .text)
    }

    // MARK: A running stack

    /// Where the API is, without a slash at its end.
    func baseURL() throws -> String {
        try read { reader in
            let text = reader.string(
                "ARAGORA_BASE_URL", aliases: ["ARAGORA_API_URL"], default: Self.defaultBaseURL,
                help: "Where the API is.")
            guard let url = BaseURL(text) else {
                reader.report("ARAGORA_BASE_URL: expected http://host:port or https://host, got \"\(text)\"")
                return text
            }
            return url.text
        }
    }

    /// Where the gateway is; the API passes `/ws` on.
    func webSocketURL() throws -> WebSocketAddress {
        let base = try baseURL()
        return try read { reader in
            let fallback = "ws" + base.dropFirst("http".count) + "/ws"
            let given = reader.optionalString(
                "ARAGORA_WS_URL", help: "Where the gateway is; by default `/ws` of the API.")
            let text = given ?? fallback
            guard let address = WebSocketAddress(text) else {
                reader.report("ARAGORA_WS_URL: expected ws://host:port/ws or wss://host/ws, got \"\(text)\"")
                return WebSocketAddress(host: "", port: 0, path: "/", usesTLS: false)
            }
            return address
        }
    }

    func apiToken() throws -> Secret<String>? {
        try read { $0.secret("ARAGORA_API_TOKEN", help: "The token to send, and to sign new tokens with.") }
    }

    /// Seconds that a new token is good for.
    func tokenTTL() throws -> Int {
        try read {
            $0.int(
                "ARAGORA_TOKEN_TTL", default: 3600, in: Self.tokenTTLRange,
                help: "Seconds that a new token is good for.")
        }
    }

    /// A PEM file of authorities to trust instead of the system's.
    func caFile() throws -> String? {
        try read {
            $0.optionalString("ARAGORA_CA_FILE", help: "PEM file of the authorities to trust, instead of the system's.")
        }
    }

    // MARK: Keys

    /// The keys of receipts, current and previous; nil without any.
    func receiptKeys() throws -> KeyRing? {
        try read { ReceiptSettings(reading: &$0).keys }
    }

    /// What opens stored secrets, as the services have it; nil when no key is set.
    func secretBox() throws -> SecretBox? { try sealing().box }

    /// What opens and seals stored secrets, as the services have it, and how rotations go.
    func storedSecrets() throws -> (box: SecretBox, settings: KeyRotationSettings) {
        let (box, settings) = try sealing()
        guard let box else {
            throw CommandFailure(.configuration, "no encryption key is set: ARAGORA_ENCRYPTION_KEY")
        }
        return (box, settings)
    }

    private func sealing() throws -> (box: SecretBox?, settings: KeyRotationSettings) {
        try read { reader in
            let tokens = ["ARAGORA_API_TOKEN", "ARAGORA_API_TOKEN_PREVIOUS"].compactMap { name in
                reader.secret(name, help: "Seals stored secrets where no encryption key is set.")
            }
            let sessions = SessionSettings(reading: &reader)
            return (
                sessions.durableBox(derivedFrom: tokens.map { Array($0.reveal().utf8) }),
                KeyRotationSettings(reading: &reader)
            )
        }
    }

    /// How agents are rated that have no match yet.
    func ratingRules() throws -> RatingRules {
        try read { RatingSettings(reading: &$0).rules }
    }

    // MARK: Stores

    /// The database, reached directly: migrations, walks and backups do not go through a transaction pooler.
    func postgres() throws -> PGConfiguration {
        try read { reader in
            let dsn = StoreSettings.directDSN(reading: &reader)
            var configuration = PGConfiguration(dsn: dsn.reveal(), poolSize: 2)
            configuration.applicationName = "aragora-cli"
            configuration.statementTimeout = reader.seconds(
                "ARAGORA_DB_COMMAND_TIMEOUT", default: 60, in: 1...3600,
                help: "Longest one statement of a command may take.")
            return configuration
        }
    }

    /// Redis and the prefix of our keys; nil when none is set.
    func redis() throws -> (RedisConfiguration, prefix: String)? {
        try read { reader in
            let prefix = StoreSettings.redisPrefix(reading: &reader)
            let configuration = StoreSettings.redis(reading: &reader, applicationName: "aragora-cli")
            return configuration.map { ($0, prefix) }
        }
    }

    func backupFolder() throws -> BackupFolder {
        try read { BackupFolder(reading: &$0) }
    }

    func retention() throws -> RetentionPolicy {
        try read { RetentionPolicy(reading: &$0) }
    }

    // MARK: Checks

    /// Everything that `validate-env` and `doctor` look at, with what is wrong in the words of the settings themselves.
    func survey() -> EnvironmentSurvey { EnvironmentSurvey(lookup: lookup) }

    /// Whether the environment has a value under this name.
    func isSet(_ name: String) -> Bool { lookup(name)?.isEmpty == false }

    private func read<Value>(_ body: (inout SettingsReader) -> Value) throws -> Value {
        var reader = SettingsReader(lookup: lookup)
        let value = body(&reader)
        onRead(reader.documented)
        guard reader.problems.isEmpty else {
            throw CommandFailure(.configuration, reader.problems.joined(separator: "\n"))
        }
        return value
    }
}
