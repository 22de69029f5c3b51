import Contracts
import Domain
import HTTPClient
import Messaging
import PostgresClient
import RedisClient
import Sockets
import Storage

/// Something that sends what is published to many WebSockets.
protocol FanOutServer: Sendable {
    /// The process whose CPU and memory count.
    var pid: Int32 { get }
    /// Publishes `count` events at once, so that the server finds them in one turn of its loop.
    func publish(_ count: Int, to crowd: ViewerCrowd) async throws
}

/// Our gateway. Events go to Postgres first, as they always do; what is timed begins with the publish to Redis.
actor AragoraFanOut: FanOutServer {
    nonisolated let pid: Int32
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private var log: BenchLog
    private let stream: EventStream
    private let bytes: Int

    init(pid: Int32, loop: EventLoop, log: BenchLog, stream: EventStream, bytes: Int) {
        self.pid = pid
        self.loop = loop
        self.log = log
        self.stream = stream
        self.bytes = bytes
    }

    func publish(_ count: Int, to crowd: ViewerCrowd) async throws {
        var next = log
        let events = try await next.append(count, bytes: bytes)
        log = next
        for _ in events { crowd.willPublish() }
        let debate = log.debate
        _ = try await stream.publish(debate, events.map { Self.entry($0, debate) }, timeout: .seconds(5))
    }

    static func entry(_ event: SealedEvent, _ debate: DebateID) -> PublishedEntry {
        PublishedEntry(
            kind: .event, seq: event.seq, epoch: event.epoch, hash: event.hash, prevHash: event.prevHash,
            envelope: EventEnvelope.encode(event, debateID: debate))
    }

    /// The keyspace the gateway uses for this database.
    static func keyspace(prefix: String, _ pool: PGPool) async throws -> Keyspace {
        let installation = try await InstallationStore(pool: pool).installation()
        return Keyspace(
            prefix: prefix, generation: installation.generation,
            lineage: "\(installation.systemIdentifier)-\(installation.timeline)")
    }
}

/// nginx with nchan, its messages through the same Redis.
struct NchanFanOut: FanOutServer {
    let pid: Int32
    let port: UInt16
    let http: HTTPClient
    let body: [UInt8]

    static func locations(redisURL: String) -> (http: String, locations: String) {
        (
            "upstream store { nchan_redis_server \(redisURL.replacing("redis://default:", with: "redis://:")); }",
            """
            location = /pub { nchan_publisher http; nchan_channel_id $arg_id; nchan_redis_pass store;
              nchan_message_buffer_length 5000; nchan_message_timeout 1h; }
            location = /sub { nchan_subscriber websocket; nchan_channel_id $arg_id; nchan_redis_pass store;
              nchan_subscriber_first_message newest; }
            """
        )
    }

    func publish(_ count: Int, to crowd: ViewerCrowd) async throws {
        for _ in 0..<count { crowd.willPublish() }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<count {
                group.addTask { try await post(to: "bench") }
            }
            for try await status in group where !Self.taken.contains(status) { throw BenchFailure("nchan: \(status)") }
        }
    }

    /// It answers 503, to subscribers too, until it has reached Redis.
    func waitUntilReady() async throws {
        for _ in 0..<100 {
            if try await Self.taken.contains(post(to: "ready")) { return }
            try await http.loop.sleep(for: .milliseconds(100))
        }
        throw BenchFailure("nchan does not reach Redis")
    }

    private static let taken = 200...202

    private func post(to channel: String) async throws -> Int {
        try await http.send(
            HTTPClientRequest(method: "POST", url: "http://127.0.0.1:\(port)/pub?id=\(channel)", body: body)
        ).status
    }
}
