import Contracts
import Domain
import HTTP

extension Routes {
    /// The installation itself, and the way to the gateway.
    static let statusRoutes: [Route] = [
        Route(
            .get, "/api/debates/queue/status", .permission(.debatesRead),
            "How many wait, run and were given up, and the workers.", answers: .json(.queueStatus)
        ) { $0.status.queue },
        Route(
            .get, "/api/status", .open, "The installation and its parts.", cost: .probe, answers: .json(.status)
        ) { $0.status.status },
        Route(
            .get, "/ws", .open, "WebSocket: passed on to the gateway, which checks the credential.", cost: .probe,
            answers: .empty(101), refuses: [.upstreamUnavailable, .upgradeRequired]
        ) { $0.gateway.handle },
    ]
}
