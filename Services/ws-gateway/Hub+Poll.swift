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
        async let links: Void = watchLinks(until: shutdown)
        await pollLog(until: shutdown)
        await dismissals
        await links
    }

    private func watchRevocations(until shutdown: ShutdownSignal) async {
        while shutdown.phase == .running, !Task.isCancelled {
            guard (try? await loop.sleep(for: Self.revocationInterval)) != nil else { return }
            dismissRefused()
            await report()
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

    /// Compares every watched debate with Postgres, once.
    func compareWithPostgres() async {
        let ids = Array(feeds.keys)
        for start in stride(from: 0, to: ids.count, by: Self.pollBatch) {
            let batch = Array(ids[start..<min(start + Self.pollBatch, ids.count)])
            // What was sent before the query began must be in its answer; what is sent meanwhile need not be.
            var cursors: [ObjectIdentifier: FeedCursor] = [:]
            var tails: [DebateID: LogTail] = [:]
            for id in batch {
                tails[id] = feeds[id]?.standing?.tail
                for subscription in feeds[id]?.liveSubscriptions ?? [] {
                    cursors[ObjectIdentifier(subscription)] = subscription.cursor
                }
            }
            do {
                for (id, found) in try await source.newest(of: batch) { compare(id, found, cursors, tails[id]) }
            } catch {
                log.warning("poll failed", .error(error))
                return
            }
        }
    }

    private func compare(
        _ id: DebateID, _ found: FeedTail, _ cursors: [ObjectIdentifier: FeedCursor], _ known: LogTail?
    ) {
        guard let feed = feeds[id] else { return }
        feed.knownSeq = max(feed.knownSeq, found.tail.seq)
        if let known, FeedCursor(after: known).contradicts(tailSeq: found.tail.seq, tailHash: found.tail.hash) {
            forget(feed)
        }
        if feed.standing != nil { feed.adopt(found) }
        for subscription in feed.liveSubscriptions {
            guard let before = cursors[ObjectIdentifier(subscription)],
                before.contradicts(tailSeq: found.tail.seq, tailHash: found.tail.hash)
            else { continue }
            feed.knownSeq = found.tail.seq
            reset(subscription, feed)
        }
        fillIfNeeded(feed)
    }

    /// Closes the sockets whose credential was revoked since the last look.
    func dismissRefused() {
        guard revocations.change != seenRevocations else { return }
        seenRevocations = revocations.change
        for client in clients.values where revocations.refuses(client.principal) { client.dismiss() }
    }
}
