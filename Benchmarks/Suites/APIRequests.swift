import Contracts
import Sockets

/// What users ask most, each with the access token of a user's account: how many a second one processor answers, what one
/// costs, and how long it takes at 200 a second. What is only read stands beside rivals that serve the same bytes as they
/// lie in a file, or in memory, and ask nobody.
struct APIRequests: Benchmark {
    static let name = "api"
    static let about = "health, list, get, create and leaderboard with a user's access token"

    private static let connections = 32
    private static let rate = 200.0
    /// Debates that have ended before anything is measured: a list of them, and ratings.
    private static let finished = 100
    private static let patience = Duration.seconds(120)
    private static let newDebate =
        #"{"question":"Postgres or MongoDB?","agents":["demo","demo","demo"],"rounds":1,"consensus":"majority"}"#

    /// One of them, and what a user may wait for it.
    private struct Request: Sendable {
        let name: String
        let path: String
        var body: String?
        /// Milliseconds, the 95th percentile.
        let budget: Double

        var method: String { body == nil ? "GET" : "POST" }
    }

    /// What one round of load found.
    private struct Load {
        let rate: Double
        let server: Double
        let postgres: Double
    }

    /// Who serves the same bytes.
    private struct Rival: Sendable {
        let name: String
        let pid: Int32
        let port: UInt16
    }

    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        try await BenchServices.with(bench) { services in
            let fsync = try await bench.stores.measureFsync()
            let (api, port) = try await services.startAPI(
                ["ARAGORA_EVENT_LOOPS": "1", "ARAGORA_JWT_SECRET": BenchServices.signingKey],
                processor: bench.serverProcessor)
            // The first is the administrator.
            try await SignedInClient.register("admin@bench.example", port: port, on: bench.loop).close()
            let user = try await SignedInClient.register("user@bench.example", port: port, on: bench.loop)
            let debate = try await fill(services, user, bench)
            let requests = [
                Request(name: "health", path: "/api/health", budget: 50),
                Request(name: "leaderboard", path: "/api/leaderboard?limit=20", budget: 100),
                Request(name: "get", path: "/api/debates/\(debate)", budget: 200),
                Request(name: "list", path: "/api/debates?limit=20", budget: 200),
                // Last: it makes the list longer.
                Request(name: "create", path: "/api/debates", body: Self.newDebate, budget: 500),
            ]
            let (nginx, hummingbird) = try await rivals(requests, user, services, bench)
            var rivals = [Rival(name: "nginx", pid: nginx.workerPID, port: nginx.port)]
            if let hummingbird {
                rivals.append(Rival(name: Hummingbird.name, pid: hummingbird.child.pid, port: hummingbird.port))
            }
            var figures: [Figure] = []
            for request in requests {
                figures += try await paced(request, user, port, bench)
                figures += try await loaded(
                    request, user, api, port, request.body == nil ? rivals : [], services, bench)
            }
            await hummingbird?.stop(on: bench.loop)
            await nginx.stop(on: bench.loop)
            await user.close()
            await api.stop(on: bench.loop)
            return figures.map { figure in
                figure.name.hasPrefix("create") ? figure.with { $0.fsyncsPerSecond = fsync } : figure
            }
        }
    }

    /// Has debates run to their end. - Returns: the id of one.
    private func fill(_ services: BenchServices, _ user: SignedInClient, _ bench: Bench) async throws -> String {
        let worker = try await services.start("aragora-debate-worker")
        var id: String?
        for _ in 0..<Self.finished {
            id = try await user.send("POST", "/api/debates", Self.newDebate)["debate_id"]?.string
        }
        let deadline = MonotonicTime.now() + Self.patience.nanosecondsValue
        while try await user.send("GET", "/api/debates?status=completed&limit=1")["total"]?.int != Int64(Self.finished)
        {
            guard MonotonicTime.now() < deadline else { throw BenchFailure("the debates of the list do not end") }
            try await bench.loop.sleep(for: .milliseconds(100))
        }
        await worker.stop(on: bench.loop)
        guard let id else { throw BenchFailure("a debate without an id") }
        return id
    }

    /// Servers of what the api answers to each request, under its name.
    private func rivals(
        _ requests: [Request], _ user: SignedInClient, _ services: BenchServices, _ bench: Bench
    ) async throws -> (Nginx, Hummingbird?) {
        var files: [String: String] = [:]
        for request in requests where request.body == nil {
            files[request.name] = "\(services.folder)/\(request.name)"
            let answer = CanonicalJSON.encode(try await user.send("GET", request.path))
            guard TextFile.write(answer, to: "\(services.folder)/\(request.name)") else {
                throw BenchFailure("no file")
            }
        }
        return (
            try await Nginx.start(bench, folder: services.folder, locations: "location / { }"),
            try await Hummingbird.start(bench, folder: services.folder, files: files)
        )
    }

    /// At a fixed rate: how long a user waits.
    private func paced(
        _ request: Request, _ user: SignedInClient, _ port: UInt16, _ bench: Bench
    ) async throws -> [Figure] {
        let clients = bench.clientLoops.map { SignedInClient(token: user.token, port: port, on: $0) }
        let rounds = try await bench.alternate([
            {
                let result = try await OpenLoop.run(
                    perSecond: Self.rate, seconds: bench.options.seconds(5), on: bench.clientLoops
                ) { try await clients[$0].send(request.method, request.path, request.body ?? "") }
                if let failure = result.failures.first {
                    throw BenchFailure("\(request.name): \(result.failures.count) failed: \(failure)")
                }
                return result.latencies
            }
        ])[0]
        for client in clients { await client.close() }
        let all = rounds.flatMap { $0 }
        return [
            Figure("\(request.name), p50", all.percentile(50), "ms"),
            Figure("\(request.name), p95", all.percentile(95), "ms").with {
                $0.aim = .atMost(request.budget)
                $0.rounds = rounds.map { $0.percentile(95) }
                $0.note = "\(all.count) at \(Self.rate)/s, from when each was due"
            },
        ]
    }

    /// As many as it takes.
    private func loaded(
        _ request: Request, _ user: SignedInClient, _ api: Service, _ port: UInt16, _ rivals: [Rival],
        _ services: BenchServices, _ bench: Bench
    ) async throws -> [Figure] {
        var script: String?
        if let body = request.body {
            script = "\(services.folder)/\(request.name).lua"
            let text = "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = '\(body)'\n"
            guard TextFile.write(Array(text.utf8), to: script ?? "") else { throw BenchFailure("no script for wrk") }
        }
        let all = try await bench.alternate(
            [{ try await load(request, script, user, api.child.pid, "http://127.0.0.1:\(port)\(request.path)", bench) }]
                + rivals.map { rival in
                    {
                        try await load(
                            request, nil, user, rival.pid, "http://127.0.0.1:\(rival.port)/\(request.name)", bench)
                    }
                })
        let rounds = all[0]
        let perCPUSecond = zip(rivals, all.dropFirst()).map { rival, theirs in
            Figure(
                "\(request.name), requests per CPU second, beside \(rival.name)",
                medianOf: rounds.map { 1e6 / $0.server }, "1/s"
            ).with {
                $0.rival = .init(name: rival.name, value: theirs.map { 1e6 / $0.server }.median)
                $0.note = "ours asks Postgres or Redis, whose CPU is not counted here; theirs has the bytes"
            }
        }
        return perCPUSecond + [
            Figure("\(request.name), requests", medianOf: rounds.map(\.rate), "1/s").with {
                $0.note = "\(Self.connections) connections, the api on one processor, stores and load beside it"
            },
            Figure("\(request.name), CPU per request, api", medianOf: rounds.map(\.server), "µs"),
            Figure("\(request.name), CPU per request, Postgres", medianOf: rounds.map(\.postgres), "µs"),
        ]
    }

    private func load(
        _ request: Request, _ script: String?, _ user: SignedInClient, _ pid: Int32, _ url: String, _ bench: Bench
    ) async throws -> Load {
        let postgres = bench.stores.postgresPID
        let before = (ProcessSample.cpu(of: pid), ProcessSample.cpuWithChildren(of: postgres))
        let result = try await Wrk.run(
            url: url, connections: Self.connections, seconds: bench.options.seconds(5), processor: bench.loadProcessor,
            headers: ["Authorization: Bearer \(user.token)"], script: script)
        guard !result.errors, result.requests > 0 else {
            throw BenchFailure("\(request.name): answers other than 2xx, or lost")
        }
        return Load(
            rate: result.requestsPerSecond, server: (ProcessSample.cpu(of: pid) - before.0) / result.requests * 1e6,
            postgres: (ProcessSample.cpuWithChildren(of: postgres) - before.1) / result.requests * 1e6)
    }
}
