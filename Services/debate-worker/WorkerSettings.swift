import DebateRunner
import Platform
import Providers
import ServiceKit
import Webhooks

/// What the worker reads from its environment.
struct WorkerSettings: ReloadableSettings {
    static let about = """
        Claims debates, runs them, calls the model providers and issues receipts.

          WORKER_CONCURRENCY            debates at once (3)
          WORKER_DRAIN_SECONDS          how long a stop waits for calls in flight (25)
          ARAGORA_METRICS_PORT          port for health and metrics (9090)
          ARAGORA_POSTGRES_DSN          where debates are (required)
          ARAGORA_REDIS_URL             doorbell and live events; without it Postgres is polled
          ARAGORA_RECEIPT_SIGNING_KEY   signs receipts; without it they carry a checksum only
        """

    let stores: StoreSettings
    let runner: RunnerSettings
    let receipts: ReceiptSettings
    let ratings: RatingSettings
    let providers: ProviderSettings
    let webhooks: WebhookSettings

    /// Debates that share a connection: a statement of theirs is short, and connections take many at once.
    private static let debatesPerConnection = 8
    /// Connections of a worker that runs few debates.
    private static let fewestConnections = 4

    init(reading reader: inout SettingsReader, common: CommonSettings) {
        let stores = StoreSettings(
            reading: &reader, applicationName: "aragora-debate-worker", loops: common.eventLoops, plansOnce: true)
        runner = RunnerSettings(worker: &reader)
        self.stores = stores.using(
            connections: max(Self.fewestConnections, runner.concurrency / Self.debatesPerConnection))
        receipts = ReceiptSettings(reading: &reader)
        ratings = RatingSettings(reading: &reader)
        providers = ProviderSettings(reading: &reader)
        webhooks = WebhookSettings(reading: &reader)
    }

    var heartbeat: HeartbeatSettings? { stores.heartbeat }

    func adopt(_ fresh: WorkerSettings) -> [String] {
        receipts.adopt(fresh.receipts)
        let providers = providers.adopt(fresh.providers).map { "\($0): a provider that had no key" }
        return stores.adopt(fresh.stores) + providers
    }
}
