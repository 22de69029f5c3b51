import Contracts
import Platform
import Sockets

/// Sockets that came by a shared link: looked at again as long as they are open.
extension Hub {
    /// Between two looks; a link that was revoked shows nothing after two seconds.
    static let linkInterval = Duration.seconds(1)
    /// Links compared in one query.
    static let linkBatch = 1000
    /// Without an answer for so long nobody knows whether a link still holds, and it shows nothing more.
    static let linkPatience = Duration.seconds(10)

    func watchLinks(until shutdown: ShutdownSignal) async {
        var answered = BootInstant.now()
        while shutdown.phase == .running, !Task.isCancelled {
            guard (try? await loop.sleep(for: Self.linkInterval)) != nil else { return }
            if await compareLinks() { answered = .now() }
            if BootInstant.now().since(answered) > Self.linkPatience { closeLinks() }
        }
    }

    /// Closes the sockets whose link no longer holds.
    /// - Returns: false when nobody could say.
    @discardableResult
    func compareLinks() async -> Bool {
        let digests = Array(Set(clients.values.compactMap { $0.link?.digest }))
        for start in stride(from: 0, to: digests.count, by: Self.linkBatch) {
            let asked = Set(digests[start..<min(start + Self.linkBatch, digests.count)])
            do {
                let held = try await links.inForce(Array(asked))
                for client in clients.values {
                    guard let link = client.link, asked.contains(link.digest), !held.contains(link.digest) else {
                        continue
                    }
                    client.dismiss()
                }
            } catch {
                log.warning("links not compared", .error(error))
                return false
            }
        }
        return true
    }

    /// Whoever is closed by this may come back, and is let in when somebody can say again whether the link holds.
    func closeLinks() {
        for client in clients.values where client.link != nil { client.close(.internalError) }
    }
}
