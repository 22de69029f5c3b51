package import Contracts
import Domain
import Glibc
import Messaging
package import Platform
package import RedisClient
import Sockets

/// Where a process beats: the Redis of the installation.
package struct HeartbeatSettings: Sendable {
    package let redis: RedisConfiguration
    package let prefix: String

    /// Nil where no Redis is set.
    package init?(_ redis: RedisConfiguration?, prefix: String) {
        guard let redis else { return nil }
        self.redis = redis
        self.prefix = prefix
    }
}

extension StoreSettings {
    /// With these stores.
    package var heartbeat: HeartbeatSettings? { HeartbeatSettings(redis, prefix: redisPrefix) }
}

/// Tells the register every few seconds that this process is there, and how it stands, until everything else in it has
/// ended; then takes it out. On a connection of its own: what fills the others delays no beat.
package struct Heartbeat: Service {
    package let name = "heartbeat"
    private let settings: HeartbeatSettings
    private let context: ServiceContext
    private let interval: Duration

    /// - Parameter interval: shorter in tests.
    package init(settings: HeartbeatSettings, context: ServiceContext, interval: Duration = ReplicaRegister.beat) {
        self.settings = settings
        self.context = context
        self.interval = interval
    }

    package func run(until shutdown: ShutdownSignal) async throws {
        let connection = RedisConnection(loop: context.mainLoop, configuration: settings.redis, log: context.log)
        let register = ReplicaRegister(connection: connection, prefix: settings.prefix)
        await connection.start()
        try? await connection.waitUntilConnected(timeout: ReplicaRegister.deadline)
        var last: ReplicaEntry?
        while shutdown.phase == .running {
            let entry = await Self.entry(of: context)
            last = entry
            do throws(RedisError) { try await register.beat(entry) } catch {
                context.log.debug("no heartbeat", .error(error))
            }
            await pause(until: shutdown)
        }
        // Who can not say so is lost for the others, which is what they can know.
        if let last { try? await register.leave(last) }
        await connection.close()
    }

    /// A drain is said at once rather than with the next beat.
    private func pause(until shutdown: ShutdownSignal) async {
        guard context.shutdown.phase == .running else {
            return await context.mainLoop.pause(for: interval, until: shutdown)
        }
        await context.mainLoop.pause(for: interval, until: context.shutdown)
    }

    /// How this process stands now.
    package static func entry(of context: ServiceContext) async -> ReplicaEntry {
        let report = await context.health.report()
        let phase: ReplicaEntry.Phase =
            context.shutdown.phase != .running
            ? .draining : report.isReady ? .ready : context.health.isStarted ? .notReady : .starting
        return ReplicaEntry(
            service: context.name, host: ServiceHost.hostName, pid: Int(getpid()),
            metricsPort: Int(context.health.metricsPort ?? context.common.metricsPort), version: context.build.version,
            commit: context.build.commit, startedAt: Timestamp(milliseconds: context.startedAtMilliseconds),
            phase: phase, reasons: report.reasons, degraded: report.degraded)
    }
}
