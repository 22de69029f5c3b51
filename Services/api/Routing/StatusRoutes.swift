import Contracts
import Domain
import HTTP
import Storage

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
            .get, "/api/readiness", .permission(.debatesRead), "Whether a debate could begin now, and what is missing.",
            answers: .json(.debateReadiness)
        ) { $0.condition.readiness },
        Route(
            .get, "/api/agents/health", .permission(.debatesRead),
            "Whether the providers' agents answer, as all processes have seen it.", answers: .json(.agentHealth)
        ) { $0.condition.agents },
        Route(
            .get, "/api/circuit-breakers", .permission(.debatesRead), "Each configured provider's circuit breaker.",
            answers: .json(.circuitBreakers)
        ) { $0.condition.circuits },
        Route(
            .get, "/api/health/detailed", .permission(.adminRead), "What it depends on, and how that is, in full.",
            answers: .json(.health, 200, 503)
        ) { $0.condition.detailed },
        Route(
            .get, "/api/health/circuits", .permission(.adminRead), "The same.", answers: .json(.circuitBreakers)
        ) { $0.condition.circuits },
        Route(
            .get, "/api/health/workers", .permission(.adminRead),
            "The processes that run debates, and what they carry.",
            answers: .json(.workerHealth)
        ) { $0.condition.workers },
        Route(
            .get, "/api/health/replicas", .permission(.adminRead),
            "Every process of the installation and how it stands; one that stopped beating is lost, later forgotten.",
            answers: .json(.replicas)
        ) { $0.condition.replicas },
        Route(
            .get, "/api/health/slow-debates", .permission(.adminRead), "Running debates without progress for a while.",
            items: [
                .query("threshold_seconds", .whole(ConditionHandler.slowSeconds), "For so long; 60 unless told."),
                .limit(QueueReader.limitRange, standard: 50), .offset,
            ], answers: .json(.slowDebates)
        ) { $0.condition.slowDebates },
        Route(
            .get, "/ws", .open, "WebSocket: passed on to the gateway, which checks the credential.", cost: .probe,
            answers: .empty(101), refuses: [.upstreamUnavailable, .upgradeRequired]
        ) { $0.gateway.handle },
    ]
}
