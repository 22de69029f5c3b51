import Domain
import HTTP
import Platform
import ServiceKit
import Sockets

/// What a hub does by the clock: compares logs with Postgres, greets, and closes what was revoked.
extension Hub {
    /// Compares every watched debate with Postgres for as long as the process runs.
    func poll(until shutdown: ShutdownSignal) async {
        async let dismissals: Void = watchRevocations(until: shutdown)
        await pollLog(until: shutdown)
        await dismissals
    }

    private func watchRevocations(until shutdown: ShutdownSignal) async {
        while shutdown.phase == .running, !Task.isCancelled {
            guard (try? await loop.sleep(for: Self.revocationInterval)) != nil else { return }
            dismissRefused()
        }
    }

    private func pollLog(until shutdown: ShutdownSignal) async {
        var sinceHeartbeat = Duration.zero
        while shutdown.phase == .running, !Task.isCancelled {
            let wait = await live.isUp ? Self.pollWhileLive : Self.pollWithoutRedis
            guard (try? await loop.sleep(for: wait)) != nil else { return }
            await compareWithPostgres()
            sinceHeartbeat += wait
            if sinceHeartbeat >= Self.heartbeatInterval {
                sinceHeartbeat = .zero
                for client in clients.values { client.sendHeartbeat() }
            }
        }
    }

    /// Closes the sockets whose credential was revoked since the last look.
    func dismissRefused() {
        guard revocations.change != seenRevocations else { return }
        seenRevocations = revocations.change
        for client in clients.values where revocations.refuses(client.principal) { client.dismiss() }
    }
}
