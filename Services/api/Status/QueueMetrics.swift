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
            await pause(until: shutdown)
        }
    }

    private func pause(until shutdown: ShutdownSignal) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: stores.loop) { try? await stores.loop.sleep(for: Self.interval) }
            group.addTask(executorPreference: stores.loop) { await shutdown.waitOrCancel(for: .draining) }
            await group.next()
            group.cancelAll()
        }
    }
}
