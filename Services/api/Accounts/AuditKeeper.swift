import Domain
import Platform
import ServiceKit
import Sockets
import Storage

/// Removes entries of the audit log that are older than they are to be kept, now and then. Any replica may.
struct AuditKeeper: Service {
    static let interval = Duration.seconds(3600)

    let name = "audit-keeper"
    let audit: AuditLog
    let loop: EventLoop
    /// 0 keeps all.
    let days: Int
    let log: Log

    func run(until shutdown: ShutdownSignal) async throws {
        guard days > 0 else { return await shutdown.wait(for: .draining) }
        while shutdown.phase == .running {
            await loop.pause(for: Self.interval, until: shutdown)
            guard shutdown.phase == .running else { return }
            await trim()
        }
    }

    private func trim() async {
        let origin = Origin(address: "", userAgent: "", requestID: "")
        do throws(StorageError) {
            var removed = 0
            repeat { removed = try await audit.trim(olderThanDays: days, origin: origin) } while removed > 0
        } catch {
            log.warning("audit log not trimmed", .error(error))
        }
    }
}
