import Platform
import ServiceKit
import Sockets
import Storage

/// Removes what has no more use, now and then: one replica at a time, by a lock in Postgres.
struct Housekeeper: Service {
    static let first = Duration.seconds(60)
    static let interval = Duration.seconds(600)

    let name = "housekeeper"
    let rows: ExpiredRows
    let loop: EventLoop
    let metrics: Metrics
    let log: Log

    func run(until shutdown: ShutdownSignal) async throws {
        for kind in ExpiredRows.Kind.allCases { metrics.add(.expiredRows, [kind.rawValue], by: 0) }
        var wait = Self.first
        while shutdown.phase == .running {
            await loop.pause(for: wait * Double.random(in: 0.8...1.2), until: shutdown)
            guard shutdown.phase == .running else { return }
            do throws(StorageError) { _ = try await pass() } catch {
                log.warning("expired rows not removed", .error(error))
            }
            wait = Self.interval
        }
    }

    /// One pass.
    /// - Returns: how many of each kind; nil when another replica is at it.
    func pass() async throws(StorageError) -> [ExpiredRows.Kind: Int]? {
        guard let removed = try await rows.remove() else { return nil }
        for (kind, count) in removed where count > 0 {
            metrics.add(.expiredRows, [kind.rawValue], by: Double(count))
        }
        metrics.set(.lastHousekeeping, to: Double(WallClock.nowMilliseconds()) / 1000)
        return removed
    }
}
