import Contracts
import DebateRunner
import Domain
import HTTP
import Messaging
import Platform
import Providers
import ServiceKit
import Storage
import Webhooks

/// How providers, workers and debates are doing, each for its own path (contract §6).
struct ConditionHandler: Sendable {
    static let slowSeconds = 1...86_400
    static let standardSlowSeconds = 60

    let stores: APIStores
    let context: ServiceContext
    let settings: APISettings
    let standings: ProviderStandings
    /// Nil without Redis.
    let register: ReplicaRegister?

    func circuits(_ request: Request, _ context: RequestContext) async throws -> Response {
        json(ConditionBody.breakers(await standings.all().map(Self.breaker), at: Self.now()))
    }

    func detailed(_ request: Request, _ context: RequestContext) async throws -> Response {
        await HealthRoutes(context: self.context).health(details: true)
    }

    func agents(_ request: Request, _ context: RequestContext) async throws -> Response {
        let all = await standings.all()
        return json(
            ConditionBody.agents(
                all.map(Self.breaker), models: all.map { settings.providers.defaultModel(of: $0.provider) },
                at: Self.now()))
    }

    /// Whether a debate that names nobody could begin now.
    func readiness(_ request: Request, _ context: RequestContext) async throws -> Response {
        let report = await self.context.health.report()
        let all = await standings.all()
        let known = Dictionary(all.map { ($0.provider, $0) }) { first, _ in first }
        let paid = ProviderKey.allCases.filter { $0 != .demo }
        let providers = paid.map { provider in
            (
                name: provider.rawValue, isAvailable: known[provider].map { $0.phase != .open } ?? false,
                reason: known[provider].map(Self.reason) ?? "no API key is set"
            )
        }
        let usesDemo = !paid.contains(where: settings.providers.isConfigured)
        var missing = report.reasons
        if usesDemo, !(settings.demoFallback || settings.environment != .production) {
            missing.append("no AI provider is configured")
        } else if !usesDemo, !providers.contains(where: \.isAvailable) {
            missing.append("no provider answers")
        }
        let optional = report.degraded + (usesDemo ? ["an AI provider's API key"] : [])
        return json(
            ConditionBody.readiness(
                providers: providers, isDemo: usesDemo, missing: missing, optional: optional,
                database: report.findings.contains { $0.name == HealthRegistry.database && $0.isHealthy },
                features: features, at: Self.now()))
    }

    func workers(_ request: Request, _ context: RequestContext) async throws -> Response {
        let runners: [LiveRunner]
        do { runners = try await stores.queue.runners() } catch { throw APIError.unavailable(error) }
        let live = runners.filter(\.isLive)
        return json(
            ConditionBody.workers(
                runners.map(QueueHandler.body), live: live.count, capacity: live.reduce(0) { $0 + $1.capacity },
                running: live.reduce(0) { $0 + $1.running }, at: Self.now()))
    }

    /// All processes that beat; this one as it is now, whether it was heard or not.
    func replicas(_ request: Request, _ context: RequestContext) async throws -> Response {
        let own = await Heartbeat.entry(of: self.context)
        let heard = try? await register?.all()
        var rows = (heard ?? []).filter { $0.entry.key != own.key }.map {
            ReplicaBody.Row(
                entry: $0.entry, seenAt: $0.seenAt, silence: $0.silence, isLost: $0.isLost, isSelf: false)
        }
        rows.append(ReplicaBody.Row(entry: own, seenAt: Self.now(), silence: .zero, isLost: false, isSelf: true))
        rows.sort { ($0.entry.service, $0.entry.instance) < ($1.entry.service, $1.entry.instance) }
        return json(
            ReplicaBody.make(
                rows, register: register == nil ? .none : heard == nil ? .unavailable : .shared,
                beat: ReplicaRegister.beat, lostAfter: ReplicaRegister.lostAfter,
                forgottenAfter: ReplicaRegister.forgottenAfter, at: Self.now()))
    }

    func slowDebates(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let seconds = query.int("threshold_seconds", default: Self.standardSlowSeconds, in: Self.slowSeconds)
        let limit = query.int("limit", default: 50, in: QueueReader.limitRange)
        let offset = query.int("offset", default: 0, in: 0...1_000_000)
        try query.finish()
        let page: Page<QueuedJob>
        do {
            page = try await stores.queue.jobs(
                status: .running, stalledFor: .seconds(seconds), limit: limit, offset: offset)
        } catch { throw APIError.unavailable(error) }
        return json(
            ConditionBody.slow(
                page.items.map(QueueHandler.body), total: page.total, thresholdSeconds: seconds, limit: limit,
                offset: offset, at: Self.now()))
    }

    // MARK: Parts

    private var features: [(String, Bool)] {
        [
            ("webhooks", context.common.sessions.secretBox != nil), ("slack", settings.bots.slackSecret != nil),
            ("teams", settings.webhooks.chat.teams.isEnabled),
            ("embedded_runner", settings.runnerPolicy != .off), ("websocket", settings.gateway != nil),
            ("demo_fallback", settings.demoFallback || settings.environment != .production),
        ]
    }

    private static func reason(_ standing: ProviderStandings.Standing) -> String {
        switch standing.phase {
        case .open: "its circuit breaker is open"
        case .halfOpen: "its circuit breaker waits for one call to find out"
        case .closed: standing.view.isHealthy ? "configured" : "configured; its last calls failed"
        }
    }

    private static func breaker(_ standing: ProviderStandings.Standing) -> ConditionBody.Breaker {
        ConditionBody.Breaker(
            name: standing.provider.rawValue, status: standing.phase.rawValue, failures: standing.view.failures,
            threshold: standing.thresholds.failures, cooldownSeconds: standing.thresholds.cooldown.secondsValue,
            cooldownRemaining: Double(standing.view.openMilliseconds) / 1000,
            pausedSeconds: Double(standing.view.pauseMilliseconds) / 1000, inFlight: standing.view.inFlight,
            isHealthy: standing.view.isHealthy)
    }

    private static func now() -> Timestamp { Timestamp(milliseconds: WallClock.nowMilliseconds()) }
    private func json(_ value: JSONValue) -> Response { .json(CanonicalJSON.encode(value)) }
}
