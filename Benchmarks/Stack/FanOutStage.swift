import HTTPClient
import Messaging
import PostgresClient
import RedisClient
import Sockets

/// Our gateway and, where it is installed, nginx with nchan, each with its crowd of viewers.
struct FanOutStage: Sendable {
    /// One server and who watches it.
    struct Party: Sendable {
        let name: String
        let server: any FanOutServer
        let crowd: ViewerCrowd
        let port: UInt16
        let target: String
        let dialect: FrameCounter.Dialect

        /// Viewers besides the crowd, which only wait.
        func more(_ count: Int, _ bench: Bench) async throws -> ViewerCrowd {
            try await .connect(count, on: bench.clientLoops, port: port, target: target, dialect: dialect)
        }
    }

    let parties: [Party]
    /// About; an envelope around the content.
    let messageBytes: Int

    static func with<Value>(
        _ bench: Bench, viewers: Int, contentBytes: Int, dialect: FrameCounter.Dialect = .aragora,
        _ body: (FanOutStage) async throws -> Value
    ) async throws -> Value {
        try await BenchServices.with(bench) { services in
            try await BenchLog.withRunner(services.database, on: bench.loop) { runner in
                try await services.database.withPool(on: bench.loop, size: 2) { pool in
                    let log = try await BenchLog.make(pool, runner: runner)
                    let redis = RedisConnection(loop: bench.loop, configuration: try bench.stores.redis())
                    try await redis.connect()
                    let keyspace = try await AragoraFanOut.keyspace(prefix: services.prefix, pool)
                    let (gateway, port) = try await services.startGateway(
                        [
                            "ARAGORA_EVENT_LOOPS": "1",
                            "ARAGORA_WS_COMPRESSION": dialect == .compressed ? "true" : "false",
                        ],
                        processor: bench.serverProcessor)
                    let target = "/ws?debate_id=\(log.debate)&replay_from_seq=2&token=\(BenchServices.token)"
                    let ours = Party(
                        name: "gateway",
                        server: AragoraFanOut(
                            pid: gateway.child.pid, loop: bench.loop, log: log,
                            stream: EventStream(connection: redis, keyspace: keyspace), bytes: contentBytes),
                        crowd: try await .connect(
                            viewers, on: bench.clientLoops, port: port, target: target, dialect: dialect),
                        port: port, target: target, dialect: dialect)
                    let size = contentBytes + 700
                    let rival = try await startRival(bench, services.folder, viewers, size)
                    let value = try await body(
                        FanOutStage(parties: [ours] + (rival.map { [$0.party] } ?? []), messageBytes: size))
                    ours.crowd.close()
                    rival?.party.crowd.close()
                    await rival?.nginx.stop(on: bench.loop)
                    await gateway.stop(on: bench.loop)
                    await redis.close()
                    return value
                }
            }
        }
    }

    /// Nil when nchan is not installed.
    private static func startRival(
        _ bench: Bench, _ folder: String, _ viewers: Int, _ size: Int
    ) async throws -> (nginx: Nginx, party: Party)? {
        guard Command.isReadable(Nginx.nchanModule) else {
            bench.say("no rival: nchan is not installed (apt-get install libnginx-mod-nchan)")
            return nil
        }
        let (http, locations) = NchanFanOut.locations(redisURL: bench.stores.redisURL)
        let nginx = try await Nginx.start(
            bench, folder: folder, locations: locations, http: http, modules: [Nginx.nchanModule])
        let server = NchanFanOut(
            pid: nginx.workerPID, port: nginx.port, http: HTTPClient(loop: bench.loop),
            body: [UInt8](repeating: UInt8(ascii: "x"), count: size))
        try await server.waitUntilReady()
        let crowd = try await ViewerCrowd.connect(
            viewers, on: bench.clientLoops, port: nginx.port, target: "/sub?id=bench", dialect: .plain)
        return (
            nginx,
            Party(
                name: "nginx+nchan", server: server, crowd: crowd, port: nginx.port, target: "/sub?id=bench",
                dialect: .plain)
        )
    }
}
