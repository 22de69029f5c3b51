import HTTPClient
import Platform
import Sockets

/// Reports the error lines of the log to a project of Sentry: few, without what looks like a secret, and never twice. Nothing
/// waits for it, and what can not be sent is counted.
actor ErrorReporter {
    enum Outcome: String, CaseIterable { case sent, throttled, queueFull = "queue_full", failed }

    static let deadlines = Deadlines(
        connect: .seconds(3), firstByte: .seconds(5), idle: .seconds(5), total: .seconds(5))
    static let maxResponseBytes = 64 * 1024
    /// A refusal that names no time.
    static let restAfterRefusal = Duration.seconds(60)

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private let settings: ErrorSettings
    private let inbox: ErrorInbox
    private let origin: SentryEnvelope.Origin
    private let log: Log
    private let metrics: Metrics
    private let client: HTTPClient
    private var throttle = ErrorThrottle(now: .now())
    private var isAway = false

    init(
        settings: ErrorSettings, inbox: ErrorInbox, origin: SentryEnvelope.Origin, loop: EventLoop, log: Log,
        metrics: Metrics
    ) {
        self.settings = settings
        self.inbox = inbox
        self.origin = origin
        self.loop = loop
        self.log = log
        self.metrics = metrics
        var configuration = HTTPClientConfiguration()
        configuration.maxConnections = 1
        configuration.userAgent = "aragora/\(origin.version)"
        client = HTTPClient(loop: loop, configuration: configuration)
    }

    /// Reports until the task is cancelled; then what waits is tried once, for a moment.
    func run(lastWords: Duration) async {
        metrics.declare(.errorReports)
        let bell = Bell()
        inbox.onArrival { bell.ring() }
        while !Task.isCancelled {
            await reportAll(Self.deadlines)
            await bell.wait(atMost: .seconds(60), on: loop)
        }
        let deadlines = Deadlines(connect: lastWords, firstByte: lastWords, idle: lastWords, total: lastWords)
        // A task that is not cancelled: a cancelled one sends nothing.
        await Task(executorPreference: loop) { [self] in await reportAll(deadlines) }.value
        await client.close()
    }

    private func reportAll(_ deadlines: Deadlines) async {
        let (reports, dropped) = inbox.take()
        count(.queueFull, dropped)
        for report in reports { await send(report, deadlines) }
    }

    private func send(_ report: ReportedError, _ deadlines: Deadlines) async {
        guard let suppressed = throttle.admit(report.message, now: .now()) else { return count(.throttled) }
        let receiver = settings.receiver.reveal()
        let id = TraceContext.random(isSampled: false).trace.text
        let body = SentryEnvelope.encode(
            report, from: origin, id: id, suppressed: suppressed, sentAt: WallClock.nowMilliseconds())
        let request = HTTPClientRequest(
            method: "POST", url: receiver.url,
            headers: [
                "Content-Type": "application/x-sentry-envelope",
                "X-Sentry-Auth":
                    "Sentry sentry_version=7, sentry_client=aragora/\(origin.version), sentry_key=\(receiver.key)",
            ], body: body, maxResponseBytes: Self.maxResponseBytes)
        do {
            let reply = try await client.send(request, deadlines: deadlines)
            if let rest = Self.rest(after: reply) { throttle.rest(for: rest, now: .now()) }
            guard (200...299).contains(reply.status) else { return failed("it answered \(reply.status)") }
            isAway = false
            count(.sent)
        } catch {
            failed("\(error)")
        }
    }

    /// A warning, and once: an error here would be the next report.
    private func failed(_ reason: String) {
        count(.failed)
        if !isAway { log.warning("receiver does not take it", .reason("error reports: \(reason)")) }
        isAway = true
    }

    /// How long the receiver wants no errors: `X-Sentry-Rate-Limits` (`seconds:categories:scope`, …), else `Retry-After`.
    static func rest(after reply: HTTPClientReply) -> Duration? {
        if let limits = reply.headers["x-sentry-rate-limits"] {
            return limits.split(separator: ",").compactMap { limit -> Duration? in
                let parts = limit.split(separator: ":", omittingEmptySubsequences: false).map {
                    $0.filter { $0 != " " }
                }
                guard let first = parts.first, let seconds = Int64(first), (0...86_400).contains(seconds) else {
                    return nil
                }
                let categories = parts.count > 1 ? parts[1].split(separator: ";") : []
                return categories.isEmpty || categories.contains("error") ? .seconds(seconds) : nil
            }.max()
        }
        guard reply.status == 429 else { return nil }
        return reply.retryAfter ?? restAfterRefusal
    }

    private func count(_ outcome: Outcome, _ reports: Int = 1) {
        if reports > 0 { metrics.add(.errorReports, [outcome.rawValue], by: Double(reports)) }
    }
}
