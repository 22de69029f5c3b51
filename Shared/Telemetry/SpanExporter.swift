import Compression
import HTTPClient
import Platform
import Sockets

/// Sends a process's spans to a collector: OTLP over HTTP, in batches, from an event loop of its own.
///
/// Nothing waits for it. A collector that is away, slow or refuses costs its spans and nothing else: what does not fit the
/// tracer's queue meanwhile is dropped and counted.
actor SpanExporter {
    /// What becomes of spans, by the metric's label.
    enum Outcome: String, CaseIterable { case exported, queueFull = "queue_full", failed, rejected }

    /// Requests of one batch, the first included.
    static let maxAttempts = 5
    static let maxResponseBytes = 64 * 1024
    /// A receiver's `Retry-After` beyond this is not waited for.
    static let longestWait = Duration.seconds(30)

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private let settings: TraceSettings
    private let tracer: Tracer
    private let resource: [(key: String, value: String)]
    private let version: String
    private let log: Log
    private let metrics: Metrics

    /// - Parameter loop: not one that serves requests.
    init(
        settings: TraceSettings, tracer: Tracer, origin: Telemetry.Origin, loop: EventLoop, log: Log, metrics: Metrics
    ) {
        self.settings = settings
        self.tracer = tracer
        self.loop = loop
        self.log = log
        self.metrics = metrics
        version = origin.version
        let own = [
            ("service.name", settings.serviceName ?? "aragora-\(origin.service)"), ("service.version", version),
            ("service.instance.id", origin.instance),
        ]
        resource = own + settings.resource.filter { item in !own.contains { $0.0 == item.key } }
    }

    /// Sends until the task is cancelled; then what waits is tried once, for a moment.
    func run(lastWords: Duration) async {
        metrics.declare(.traceSpans)
        let client = makeClient()
        let bell = Bell()
        tracer.onFull { bell.ring() }
        await send(with: client, BatchSender(log: log, what: "spans", loop: loop), bell)
        // A task that is not cancelled: a cancelled one sends nothing.
        await Task(executorPreference: loop) { [self] in await sayLastWords(client, lastWords) }.value
        await client.close()
    }

    private func makeClient() -> HTTPClient {
        var configuration = HTTPClientConfiguration()
        configuration.maxConnections = 2
        configuration.userAgent = "aragora-otlp/\(version)"
        return HTTPClient(loop: loop, configuration: configuration)
    }

    private func send(with client: HTTPClient, _ sender: BatchSender, _ bell: Bell) async {
        while !Task.isCancelled {
            let (spans, dropped) = tracer.take(settings.batch)
            count(.queueFull, dropped)
            guard !spans.isEmpty else {
                await bell.wait(atMost: settings.interval, on: loop)
                continue
            }
            await deliver(spans, client, sender)
            if tracer.waiting < settings.batch { await bell.wait(atMost: settings.interval, on: loop) }
        }
    }

    private func deliver(_ spans: [Span], _ client: HTTPClient, _ sender: BatchSender) async {
        guard let request = request(for: spans) else { return count(.failed, spans.count) }
        let deadlines = self.deadlines(settings.timeout)
        let sent = await sender.send(attempts: Self.maxAttempts, longestWait: Self.longestWait) {
            try await client.send(request, deadlines: deadlines)
        }
        switch sent {
        case .taken: count(.exported, spans.count)
        case .refused: count(.rejected, spans.count)
        case .failed: count(.failed, spans.count)
        }
    }

    /// The process ends: what waits is tried once.
    private func sayLastWords(_ client: HTTPClient, _ atMost: Duration) async {
        let began = BootInstant.now()
        while true {
            let (spans, dropped) = tracer.take(settings.batch)
            count(.queueFull, dropped)
            let left = atMost - BootInstant.now().since(began)
            guard !spans.isEmpty else { return }
            guard left > .zero, let request = request(for: spans) else {
                count(.failed, spans.count)
                continue
            }
            let reply = try? await client.send(request, deadlines: deadlines(min(left, settings.timeout)))
            count(reply.map { (200...299).contains($0.status) } ?? false ? .exported : .failed, spans.count)
        }
    }

    private func deadlines(_ total: Duration) -> Deadlines {
        Deadlines(connect: min(.seconds(5), total), firstByte: total, idle: total, total: total)
    }

    private func request(for spans: [Span]) -> HTTPClientRequest? {
        var body = TraceRequest.encode(spans, resource: resource, version: version)
        var headers: HTTPClientHeaders = ["Content-Type": "application/x-protobuf"]
        if settings.compresses {
            guard let small = try? Gzip.compress(body) else { return nil }
            body = small
            headers.append("Content-Encoding", "gzip")
        }
        for (name, value) in settings.headers.reveal() { headers.append(name, value) }
        return HTTPClientRequest(
            method: "POST", url: settings.endpoint, headers: headers, body: body,
            maxResponseBytes: Self.maxResponseBytes)
    }

    private func count(_ outcome: Outcome, _ spans: Int) {
        if spans > 0 { metrics.add(.traceSpans, [outcome.rawValue], by: Double(spans)) }
    }
}
