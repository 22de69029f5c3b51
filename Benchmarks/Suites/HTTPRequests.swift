import Sockets

/// CPU per HTTP request: `/healthz` of the api against nginx with a static file of the same bytes, and Hummingbird 2 with the
/// same answer.
struct HTTPRequests: Benchmark {
    static let name = "http"
    static let about = "CPU per HTTP request of the api against nginx serving a static file, and Hummingbird 2"

    private static let connections = 64
    /// What a browser sends, so that both parse the same head.
    private static let browserHeaders = [
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Accept-Language: en-US,en;q=0.5",
        "Accept-Encoding: gzip, deflate, br, zstd", "Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate",
        "Sec-Fetch-Site: none", "Priority: u=0, i",
    ]

    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        try await BenchServices.with(bench) { services in
            let (api, port) = try await services.startAPI(
                ["ARAGORA_EVENT_LOOPS": "1"], processor: bench.serverProcessor)
            defer { _ = api }
            let body = #"{"status":"ok"}"#
            guard TextFile.write(Array(body.utf8), to: "\(services.folder)/healthz") else {
                throw BenchFailure("no file")
            }
            let nginx = try await Nginx.start(bench, folder: services.folder, locations: "location / { }")
            let hummingbird = try await Hummingbird.start(bench, folder: services.folder)
            var servers = [
                Server(name: "api", pid: api.child.pid, port: port),
                Server(name: "nginx", pid: nginx.workerPID, port: nginx.port),
            ]
            if let hummingbird {
                servers.append(Server(name: Hummingbird.name, pid: hummingbird.child.pid, port: hummingbird.port))
            }
            let plain = try await compare(servers, [], bench, "")
            let browser = try await compare(servers, Self.browserHeaders, bench, ", browser's headers")
            await hummingbird?.stop(on: bench.loop)
            await nginx.stop(on: bench.loop)
            await api.stop(on: bench.loop)
            return plain + browser
        }
    }

    private struct Server: Sendable {
        let name: String
        let pid: Int32
        let port: UInt16
        /// What the CPU of a request of ours may be, of its own.
        var most: Double { name == "nginx" ? 1.3 : 0.35 }
    }

    /// The first is ours, the others are rivals.
    private func compare(
        _ servers: [Server], _ headers: [String], _ bench: Bench, _ suffix: String
    ) async throws -> [Figure] {
        let results = try await bench.alternate(
            servers.map { server in
                { try await load(server.pid, "http://127.0.0.1:\(server.port)/healthz", headers, bench) }
            })
        let ours = results[0]
        return zip(servers, results).dropFirst().flatMap { rival, theirs in
            [
                Figure("CPU per request\(suffix), beside \(rival.name)", medianOf: ours.map(\.microseconds), "µs").with
                {
                    $0.rival = .init(name: rival.name, value: theirs.map(\.microseconds).median)
                    $0.aim = .ratioAtMost(rival.most)
                    $0.note =
                        "GET /healthz, \(Self.connections) connections, one loop against one thread, on one processor"
                },
                Figure("requests\(suffix), beside \(rival.name)", medianOf: ours.map(\.rate), "1/s").with {
                    $0.rival = .init(name: rival.name, value: theirs.map(\.rate).median)
                },
            ]
        }
    }

    private func load(
        _ pid: Int32, _ url: String, _ headers: [String], _ bench: Bench
    ) async throws -> (microseconds: Double, rate: Double) {
        let before = ProcessSample.cpu(of: pid)
        let result = try await Wrk.run(
            url: url, connections: Self.connections, seconds: bench.options.seconds(5), processor: bench.loadProcessor,
            headers: headers)
        let spent = ProcessSample.cpu(of: pid) - before
        guard !result.errors, result.requests > 0 else { throw BenchFailure("\(url): answers other than 2xx, or lost") }
        return (spent / result.requests * 1e6, result.requestsPerSecond)
    }
}
