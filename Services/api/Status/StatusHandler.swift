import Contracts
import HTTP
import Platform
import ServiceKit
import Storage

/// `/api/status` (open, for smoke tests) and the state of the queue.
struct StatusHandler: Sendable {
    let stores: APIStores
    let context: ServiceContext

    func status(_ request: Request, _ requestContext: RequestContext) async throws -> Response {
        let report = await context.health.report()
        let now = WallClock.nowMilliseconds()
        // Open to anyone: whether a part works is told, why it does not is for the log and `/health`.
        let components =
            [HealthBody.Check(name: "api", isHealthy: true, isOptional: false, message: "ok", responseMilliseconds: 0)]
            + report.findings.map {
                HealthBody.Check(
                    name: $0.name, isHealthy: $0.isHealthy, isOptional: $0.kind == .optional,
                    message: $0.isHealthy ? "ok" : "unavailable", responseMilliseconds: $0.duration.secondsValue * 1000)
            }
        let body = OperationsBody.status(
            isOperational: report.isReady && report.degraded.isEmpty, components: components,
            uptimeSeconds: Double(now - context.startedAtMilliseconds) / 1000,
            timestamp: ISO8601.string(milliseconds: now), version: context.build.version)
        return .json(CanonicalJSON.encode(body))
    }

    func queue(_ request: Request, _ context: RequestContext) async throws -> Response {
        let queue: QueueStatus
        do { queue = try await stores.queue.status() } catch { throw APIError.unavailable(error) }
        let dead = await stores.deadLetters()
        return .json(
            CanonicalJSON.encode(
                OperationsBody.queue(
                    waiting: queue.waiting, running: queue.running, paused: queue.paused, workers: queue.workers,
                    capacity: queue.capacity, dead: dead)))
    }
}
