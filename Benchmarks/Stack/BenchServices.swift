import Glibc
import HTTPClient
import Sockets

/// The executables under test, over one database and one Redis prefix.
final class BenchServices: Sendable {
    static let token = "bench-token-0123456789abcdef0123456789abcdef"
    static let signingKey = String(repeating: "5a", count: 32)
    /// Until a process answers /readyz.
    static let readyDeadline = Duration.seconds(20)

    let bench: Bench
    let database: BenchDatabase
    let prefix: String
    let folder: String

    init(_ bench: Bench, _ database: BenchDatabase, folder: String) {
        self.bench = bench
        self.database = database
        self.folder = folder
        prefix = "bench:\(database.name)"
    }

    /// Runs `body` with a folder for logs; the logs are gone afterwards.
    static func with<Value>(
        _ bench: Bench, _ body: (BenchServices) async throws -> Value
    ) async throws -> Value {
        let folder = try ScratchFolder.make()
        do {
            let value = try await BenchDatabase.with(bench) { try await body(BenchServices(bench, $0, folder: folder)) }
            await ScratchFolder.remove(folder)
            return value
        } catch {
            await ScratchFolder.remove(folder)
            throw error
        }
    }

    /// What every executable is given; `changes` win.
    func environment(_ changes: [String: String]) -> [String: String] {
        [
            "ARAGORA_POSTGRES_DSN": database.url, "ARAGORA_REDIS_URL": bench.stores.redisURL,
            "ARAGORA_REDIS_PREFIX": prefix, "ARAGORA_API_TOKEN": Self.token,
            "ARAGORA_RECEIPT_SIGNING_KEY": Self.signingKey,
            "ARAGORA_BIND_ADDRESS": "127.0.0.1", "ARAGORA_RATE_LIMIT": "0", "ARAGORA_DEMO_LATENCY_MS": "0",
            // Every viewer comes from one address.
            "ARAGORA_WS_CONN_RATE": "0", "ARAGORA_WS_MAX_PER_IP": "0", "ARAGORA_LOG_LEVEL": "warning",
        ].merging(changes) { $1 }
    }

    /// Starts one executable and returns when it is ready.
    func start(
        _ product: String, as name: String? = nil, _ changes: [String: String] = [:], processor: Int? = nil
    ) async throws -> Service {
        let metricsPort = try Ports.free()
        let changes = changes.merging(["ARAGORA_METRICS_PORT": String(metricsPort)]) { $1 }
        let began = MonotonicTime.now()
        let child = try Child(
            name ?? product, bench.stores.executable(product), environment: environment(changes), folder: folder,
            processor: processor)
        let service = Service(child: child, metricsPort: metricsPort)
        try await service.waitUntilReady(on: bench.loop, since: began)
        return service
    }

    func startAPI(_ changes: [String: String] = [:], processor: Int? = nil) async throws -> (Service, port: UInt16) {
        let port = try Ports.free()
        let fixed = ["ARAGORA_PORT": String(port), "ARAGORA_EMBEDDED_RUNNER": "off"]
        return (try await start("aragora-api", fixed.merging(changes) { $1 }, processor: processor), port)
    }

    func startGateway(_ changes: [String: String] = [:], processor: Int? = nil) async throws -> (Service, port: UInt16)
    {
        let port = try Ports.free()
        let changes = changes.merging(["ARAGORA_WS_PORT": String(port)]) { $1 }
        return (try await start("aragora-ws-gateway", changes, processor: processor), port)
    }
}

/// One executable that runs.
struct Service: Sendable {
    let child: Child
    let metricsPort: UInt16

    /// Asks /readyz until it says 200.
    func waitUntilReady(on loop: EventLoop, since began: Int64) async throws {
        let client = HTTPClient(loop: loop)
        let request = HTTPClientRequest(url: "http://127.0.0.1:\(metricsPort)/readyz")
        let deadline = began + BenchServices.readyDeadline.nanosecondsValue
        while true {
            if let reply = try? await client.send(request, deadlines: Deadlines(total: .seconds(1))),
                reply.status == 200
            {
                await client.close()
                return
            }
            guard !child.hasEnded(), MonotonicTime.now() < deadline else {
                await client.close()
                throw BenchFailure("\(child.name) did not become ready:\n\(child.logTail)")
            }
            try await loop.sleep(for: .milliseconds(2))
        }
    }

    func stop(on loop: EventLoop) async { await child.stop(on: loop) }
}
