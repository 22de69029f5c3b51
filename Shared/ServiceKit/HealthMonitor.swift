import Platform
import Sockets

/// Looks at the health of the process from time to time, so that its metrics tell the truth when nobody probes it.
struct HealthMonitor: Service {
    static let interval = Duration.seconds(5)

    let name = "health-monitor"
    let context: ServiceContext

    func run(until shutdown: ShutdownSignal) async throws {
        while shutdown.phase == .running {
            _ = await context.health.report()
            await context.mainLoop.pause(for: Self.interval, until: shutdown)
        }
    }
}
