package import Platform

/// Gives the process up with exit code 78 when its stores are still missing after the startup timeout.
package struct StartupGate: Service {
    static let poll = Duration.milliseconds(100)

    package let name = "startup-gate"
    let context: ServiceContext

    package func run(until shutdown: ShutdownSignal) async throws {
        let begun = BootInstant.now()
        while shutdown.phase == .running {
            let report = await context.health.report()
            if report.isReady {
                context.log.info("ready", .duration(BootInstant.now().since(begun)))
                break
            }
            if BootInstant.now().since(begun) > context.common.startupTimeout {
                throw ServiceHost.ConfigurationError(
                    "not ready within \(context.common.startupTimeout): \(report.reasons.joined(separator: "; "))")
            }
            await context.mainLoop.pause(for: Self.poll, until: shutdown)
        }
        await shutdown.wait(for: .draining)
    }
}
