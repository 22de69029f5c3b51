import DebateRunner
import Platform
import PostgresClient
import Providers
import ServiceKit
import Webhooks

/// What the API reads from its environment.
struct APISettings: ReloadableSettings {
    static let about = """
        Serves the HTTP API: debates, receipts, health; passes /ws on to the gateway; may run debates itself.

          ARAGORA_PORT             port of the API (8080)
          ARAGORA_METRICS_PORT     port for health and metrics (9090)
          ARAGORA_POSTGRES_DSN     where debates are (required)
          ARAGORA_REDIS_URL        doorbell, live events, shared rate limits; the API works without it
          ARAGORA_API_TOKEN        the service token (required in production)
          ARAGORA_WS_UPSTREAM      host:port of the gateway, for /ws on this port
          ARAGORA_EMBEDDED_RUNNER  auto, on or off: whether this process runs debates (auto)
        """

    let port: UInt16
    let stores: StoreSettings
    let access: AccessControl
    let accounts: AccountSettings
    let environment: CommonSettings.Environment
    /// Requests a minute per client; 0 is off.
    let rateLimit: Int
    /// Requests a minute per user, from all addresses; 0 is off.
    let principalRateLimit: Int
    let trustedProxies: TrustedProxies
    /// Origins whose pages may read answers.
    let allowedOrigins: Set<String>
    /// Where `/ws` goes; nil answers 503.
    let gateway: Upstream?
    let migrateOnStart: Bool
    /// How migrations reach Postgres: never through a transaction pooler.
    let migrations: PGConfiguration
    let runner: RunnerSettings
    let runnerPolicy: EmbeddedRunnerPolicy
    /// How long after their month events are kept; 0 for ever.
    let eventRetentionDays: Int
    let receipts: ReceiptSettings
    let ratings: RatingSettings
    let knowledge: KnowledgeSettings
    let webhooks: WebhookSettings
    let bots: BotSettings
    let keyRotation: KeyRotationSettings
    let signOn: SignOnSettings
    let levels: ServiceLevelSettings
    let providers: ProviderSettings
    let maxConnections: Int
    let drainDelay: Duration
    let drainDeadline: Duration
    /// Whether an unnamed panel without any key uses the demonstration agents in production.
    let demoFallback: Bool

    init(reading reader: inout SettingsReader, common: CommonSettings) {
        environment = common.environment
        port = UInt16(
            reader.int("ARAGORA_PORT", default: 8080, in: 0...65_535, help: "Port of the API; 0 takes a free one."))
        stores = StoreSettings(reading: &reader, applicationName: "aragora-api", loops: common.eventLoops)
        access = AccessControl(reading: &reader, common: common)
        accounts = AccountSettings(reading: &reader, common: common)
        rateLimit = reader.int(
            "ARAGORA_RATE_LIMIT", default: 100, in: 0...10_000_000,
            help: "Requests a minute per client; 0 switches the limit off.")
        principalRateLimit = reader.int(
            "ARAGORA_RATE_LIMIT_PRINCIPAL", default: 600, in: 0...10_000_000,
            help: "Requests a minute per user, from all addresses; 0 switches it off, as does ARAGORA_RATE_LIMIT=0.")
        trustedProxies = TrustedProxies(reading: &reader)
        allowedOrigins = AllowedOrigins.read(&reader)
        gateway = Self.upstream(&reader)
        migrateOnStart = reader.bool(
            "ARAGORA_MIGRATE_ON_START", default: false,
            help: "Whether the API brings the schema up to date when it starts.")
        migrations = stores.direct(reading: &reader, isNeeded: migrateOnStart)
        runner = RunnerSettings(embedded: &reader)
        runnerPolicy = EmbeddedRunnerPolicy(reading: &reader)
        eventRetentionDays = reader.int(
            "ARAGORA_EVENT_RETENTION_DAYS", default: 0, in: 0...36_500,
            help:
                "How long the events of a month are kept after it has ended; 0 for ever. Receipts, their proofs, questions and "
                + "decisions stay. A month that holds a debate which is not over or is on legal hold stays whole.")
        receipts = ReceiptSettings(reading: &reader)
        ratings = RatingSettings(reading: &reader)
        knowledge = KnowledgeSettings(reading: &reader)
        webhooks = WebhookSettings(reading: &reader)
        bots = BotSettings(reading: &reader)
        keyRotation = KeyRotationSettings(reading: &reader)
        signOn = SignOnSettings(reading: &reader, common: common)
        levels = ServiceLevelSettings(reading: &reader)
        providers = ProviderSettings(reading: &reader)
        maxConnections = reader.int(
            "ARAGORA_MAX_CONNECTIONS", default: 10_000, in: 1...1_000_000,
            help: "Open HTTP connections of this process.")
        drainDelay = DrainSettings.delay(&reader)
        drainDeadline = reader.seconds(
            "ARAGORA_DRAIN_SECONDS", default: 15, in: 0...300,
            help: "How long a stop waits for requests that are being answered.")
        demoFallback = reader.bool(
            "ARAGORA_DEMO_FALLBACK", default: false,
            help:
                "Whether a panel that names nobody uses the demonstration agents when no provider has a key, in production too."
        )
    }

    var heartbeat: HeartbeatSettings? { stores.heartbeat }

    func adopt(_ fresh: APISettings) -> [String] {
        access.adopt(fresh.access)
        receipts.adopt(fresh.receipts)
        let providers = providers.adopt(fresh.providers).map { "\($0): a provider that had no key" }
        return stores.adopt(fresh.stores) + StoreSettings.adopt(fresh.migrations, by: migrations) + providers
    }

    private static func upstream(_ reader: inout SettingsReader) -> Upstream? {
        let text = reader.optionalString(
            "ARAGORA_WS_UPSTREAM",
            help: "`host:port` of the gateway, to which `/ws` on this port is passed on; without it 503.")
        guard let text else { return nil }
        guard let upstream = Upstream(text) else {
            reader.report("ARAGORA_WS_UPSTREAM: expected host:port, got \"\(text)\"")
            return nil
        }
        return upstream
    }
}

/// A host and a port to connect to.
struct Upstream: Sendable, Equatable {
    let host: String
    let port: UInt16

    /// `host:port`; an IPv6 host stands in brackets.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return nil
        }
        let host = text[..<colon].trimmingPrefix("[")
        let bare = host.hasSuffix("]") ? host.dropLast() : host
        guard !bare.isEmpty else { return nil }
        self.host = String(bare)
        self.port = port
    }
}
