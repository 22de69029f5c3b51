import Domain
import Platform
import ServiceKit
import Sockets
import Storage

/// Exports how many debates wait and run, counted in Postgres: every replica shows the same number.
struct QueueMetrics: Service {
    static let interval = Duration.seconds(2)

    let name = "queue-metrics"
    let stores: APIStores
    let metrics: Metrics
    let log: Log

    func run(until shutdown: ShutdownSignal) async throws {
        while shutdown.phase == .running {
            do {
                let queue = try await stores.queue.status()
                metrics.set(.debatesWaiting, to: Double(queue.waiting))
                metrics.set(.debatesRunning, to: Double(queue.running))
                metrics.set(.oldestRunning, to: Double(queue.oldestRunning?.milliseconds ?? 0) / 1000)
            } catch {
                log.debug("queue not counted", .error(error))
            }
            await stores.loop.pause(for: Self.interval, until: shutdown)
        }
    }
}
