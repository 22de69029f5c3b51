import Platform
import ServiceKit

/// What the gateway reads from its environment.
struct GatewaySettings: ReloadableSettings {
    static let about = """
        Streams debates to WebSocket clients: replay from any event, then live, without a gap.

          ARAGORA_WS_PORT        port for /ws (8765)
          ARAGORA_METRICS_PORT   port for health and metrics (9090)
          ARAGORA_POSTGRES_DSN   where the event log is (required)
          ARAGORA_REDIS_URL      where live events come from; without it Postgres is polled
        """

    let port: UInt16
    let stores: StoreSettings
    let access: AccessControl
    /// Origins besides our own that browsers may connect from; "*" for any.
    let allowedOrigins: Set<String>
    /// Whose `X-Forwarded-For` names the client in the log: the API, which passes sockets on, among them.
    let trustedProxies: TrustedProxies
    let maxConnections: Int
    /// Sockets of one address, and how many it may open in a minute; 0 for any number.
    let maxPerAddress: Int
    let connectionsPerMinute: Int
    /// Bytes that may wait for one slow client.
    let outboxBytes: Int
    let compresses: Bool
    let drainDeadline: Duration

    init(reading reader: inout SettingsReader, common: CommonSettings) {
        port = UInt16(
            reader.int(
                "ARAGORA_WS_PORT", default: 8765, in: 0...65_535, help: "Port of the gateway; 0 takes a free one."))
        stores = StoreSettings(reading: &reader, applicationName: "aragora-ws-gateway", loops: common.eventLoops)
        access = AccessControl(reading: &reader, common: common)
        allowedOrigins = AllowedOrigins.read(&reader)
        trustedProxies = TrustedProxies(reading: &reader)
        maxConnections = reader.int(
            "ARAGORA_WS_MAX_CONNECTIONS", default: 20_000, in: 1...1_000_000,
            help: "Open WebSocket connections of this process.")
        maxPerAddress = reader.int(
            "ARAGORA_WS_MAX_PER_IP", default: 1000, in: 0...1_000_000,
            help: "Open connections of one client address to this process; 0 for any number.")
        connectionsPerMinute = reader.int(
            "ARAGORA_WS_CONN_RATE", default: 1200, in: 0...1_000_000,
            help: "Connections that one client address may open in a minute; 0 for any number.")
        outboxBytes = reader.int(
            "ARAGORA_WS_OUTBOX_BYTES", default: 1 << 20, in: (512 * 1024)...(64 << 20),
            help: "Bytes that may wait for one slow client; past it the connection is closed with 4008.")
        compresses = reader.bool(
            "ARAGORA_WS_COMPRESSION", default: true,
            help: "Whether clients that offer permessage-deflate get long messages compressed, once for all of them.")
        drainDeadline = reader.seconds(
            "ARAGORA_WS_DRAIN_SECONDS", default: 10, in: 0...300, help: "How long a stop waits for clients to close.")
    }

    var heartbeat: HeartbeatSettings? { stores.heartbeat }

    func adopt(_ fresh: GatewaySettings) -> [String] {
        access.adopt(fresh.access)
        return stores.adopt(fresh.stores)
    }
}
