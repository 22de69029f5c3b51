import Platform
import ServiceKit
import Sockets
import Storage

/// Makes the log's partitions ahead of time, and removes those whose retention has passed. Any replica may.
struct EventKeeper: Service {
    static let first = Duration.seconds(30)
    static let interval = Duration.seconds(3600)
    /// After a pass that could not have the lock it needs: a backup may read for minutes.
    static let soon = Duration.seconds(60)

    let name = "event-keeper"
    let store: EventRetentionStore
    let loop: EventLoop
    /// 0 keeps all.
    let days: Int
    let log: Log

    func run(until shutdown: ShutdownSignal) async throws {
        var wait = Self.first
        while shutdown.phase == .running {
            await loop.pause(for: wait * Double.random(in: 0.8...1.2), until: shutdown)
            guard shutdown.phase == .running else { return }
            do throws(StorageError) {
                try await pass()
                wait = Self.interval
            } catch {
                log.warning("partitions of events not looked after", .error(error))
                wait = Self.soon
            }
        }
    }

    /// One pass.
    func pass() async throws(StorageError) {
        for made in try await store.makeAhead() {
            log.info("partition of events made", LogField("partition", .string(made)))
        }
        guard days > 0 else { return }
        let pass = try await store.expire(days: days)
        for removed in pass.removed {
            log.info("events removed: their retention has passed", LogField("partition", .string(removed)))
        }
        for kept in pass.kept {
            log.info(
                "events kept beyond their retention", LogField("partition", .string(kept.partition)),
                .reason(kept.reason))
        }
        if pass.strays > 0 {
            log.info("logs outside the months removed: their retention has passed", .count(pass.strays))
        }
    }
}
