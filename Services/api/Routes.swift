import Domain
import HTTP
import Platform
import ServiceKit

/// Every route of the API with what it takes of its caller; middleware order is the order of ``middleware``.
///
/// `/api/X`, `/api/v1/X` and `/api/v2/X` are one route: ``normalized(_:)`` maps them to the first.
struct Routes: Sendable {
    let context: ServiceContext
    let settings: APISettings
    let create: CreateDebateHandler
    let estimate: EstimateHandler
    let list: ListDebatesHandler
    let read: ReadDebateHandler
    let actions: DebateActionsHandler
    let receipts: ReceiptsHandler
    let ratings: RatingsHandler
    let status: StatusHandler
    let gateway: GatewayTunnelHandler
    let rateLimit: RateLimitMiddleware
    let requests: RequestMetrics

    /// One line of the table.
    struct Route: Sendable {
        let method: Method
        let path: String
        let requirement: RouteRequirement
        /// One sentence for docs/protocol.md.
        let about: String
        /// What the body may have at most; nil for the server's limit.
        let bodyBytes: Int?
        let responder: @Sendable (Routes) -> Responder

        init(
            _ method: Method, _ path: String, _ requirement: RouteRequirement, _ about: String, bodyBytes: Int? = nil,
            _ responder: @escaping @Sendable (Routes) -> Responder
        ) {
            self.method = method
            self.path = path
            self.requirement = requirement
            self.about = about
            self.bodyBytes = bodyBytes
            self.responder = responder
        }
    }

    static let table: [Route] = [
        Route(.post, "/api/debates", .permission(.debatesCreate), "Asks for a debate.") { $0.create.handle },
        Route(.post, "/api/debate", .permission(.debatesCreate), "The same.") { $0.create.handle },
        Route(.post, "/api/debate-this", .permission(.debatesCreate), "The same.") { $0.create.handle },
        Route(
            .post, "/api/debates/estimate", .permission(.debatesRead),
            "What a debate would cost: takes what a create takes, asks nobody, stores nothing."
        ) { $0.estimate.handle },
        Route(
            .get, "/api/debates", .permission(.debatesRead),
            "Debates, newest first: `limit` 1…100, `offset`, `status`, `q`, `agent`, `since`, `until`."
        ) { $0.list.list },
        Route(.get, "/api/debates/active", .permission(.debatesRead), "Debates that are not over.") { $0.list.active },
        Route(
            .get, "/api/debates/queue/status", .permission(.debatesRead),
            "How many wait, run and were given up, and the workers."
        ) { $0.status.queue },
        Route(.get, "/api/debates/slug/{id}", .permission(.debatesRead), "One debate by its slug.") { $0.read.get },
        Route(.get, "/api/debates/{id}", .permission(.debatesRead), "One debate by id or slug, running or finished.") {
            $0.read.get
        },
        Route(.get, "/api/debates/{id}/messages", .permission(.debatesRead), "What was said so far: `limit`, `offset`.")
        { $0.read.messages },
        Route(
            .post, "/api/debates/{id}/messages", .permission(.debatesUpdate), "Says something into the debate.",
            bodyBytes: 64 * 1024
        ) { $0.actions.remark },
        Route(
            .get, "/api/debates/{id}/events", .permission(.debatesRead),
            "Envelopes of the log after event `since`, at most `limit`."
        ) { $0.read.events },
        Route(.get, "/api/debates/{id}/consensus", .permission(.debatesRead), "The decision, the votes, who dissents.")
        { $0.read.consensus },
        Route(.get, "/api/debates/{id}/convergence", .permission(.debatesRead), "How close the positions have come.") {
            $0.read.convergence
        },
        Route(.get, "/api/debates/{id}/costs", .permission(.debatesRead), "Tokens and cost, by agent.") {
            $0.read.costs
        },
        Route(
            .get, "/api/debates/{id}/export/{format}", .permission(.exportRead), "The whole debate as `json` or `md`."
        ) { $0.read.export },
        Route(.get, "/api/debates/{id}/receipt", .permission(.receiptsRead), "The debate's receipt.") {
            $0.receipts.ofDebate
        },
        Route(.post, "/api/debates/{id}/cancel", .permission(.debatesUpdate), "Ends the debate now.") {
            $0.actions.cancel
        },
        Route(.post, "/api/debates/{id}/stop", .permission(.debatesUpdate), "The same.") { $0.actions.cancel },
        Route(
            .post, "/api/debates/{id}/pause", .permission(.debatesUpdate), "Starts no more calls until it is resumed."
        ) { $0.actions.pause },
        Route(.post, "/api/debates/{id}/resume", .permission(.debatesUpdate), "Goes on.") { $0.actions.resume },
        Route(.get, "/api/receipts", .permission(.receiptsRead), "Receipts, newest first.") { $0.receipts.list },
        Route(.get, "/api/receipts/{receipt}", .permission(.receiptsRead), "One receipt, as it was signed.") {
            $0.receipts.get
        },
        Route(.post, "/api/receipts/{receipt}/verify", .permission(.receiptsRead), "Computes the checksum again.") {
            $0.receipts.verify
        },
        Route(
            .post, "/api/receipts/{receipt}/verify-signature", .permission(.receiptsRead),
            "Checks the signature with the current and the previous keys."
        ) { $0.receipts.verifySignature },
        Route(
            .get, "/api/leaderboard", .open,
            "Agents by their rating, the best first: `limit` 1…100, `offset`, `min_debates`."
        ) { $0.ratings.leaderboard },
        Route(.get, "/api/rankings", .open, "The same.") { $0.ratings.leaderboard },
        Route(
            .get, "/api/agents", .permission(.debatesRead),
            "Models that can be asked, and those that have a rating."
        ) { $0.ratings.agents },
        Route(
            .get, "/api/matches/recent", .permission(.debatesRead),
            "Rated debates, newest first, with what each changed: `limit` 1…100, `offset`."
        ) { $0.ratings.matches },
        Route(.get, "/api/status", .open, "The installation and its parts.") { $0.status.status },
        Route(.get, "/ws", .open, "WebSocket: passed on to the gateway, which checks the credential.") {
            $0.gateway.handle
        },
    ]

    /// The router of one loop.
    func router() -> Router {
        var requirements: [RouteKey: RouteRequirement] = [:]
        for route in Self.table { requirements[RouteKey(route.method, route.path)] = route.requirement }
        for path in HealthRoutes.paths { requirements[RouteKey(.get, path)] = .open }
        var router = Router(middleware: middleware(requirements), rewrite: Self.normalized)
        for route in Self.table {
            router.on(route.method, route.path, bodyBytes: route.bodyBytes, route.responder(self))
        }
        let health = HealthRoutes(context: context)
        health.add(to: &router) { ($0.principal as? Principal)?.may(.adminRead) ?? false }
        health.addMetrics(to: &router)
        return router
    }

    /// Outermost first. Errors become bodies inside all that add to an answer or count it, so that those see it as it
    /// leaves.
    private func middleware(_ requirements: [RouteKey: RouteRequirement]) -> [any Middleware] {
        [
            RequestIDMiddleware(),
            APIVersionMiddleware(),
            AccessLogMiddleware(log: context.log, requests: requests, trustedProxies: settings.trustedProxies),
            rateLimit,
            ErrorMappingMiddleware(log: context.log),
            AuthenticationMiddleware(access: settings.access, requirements: requirements),
        ]
    }

    /// `/api/v1/X` and `/api/v2/X` are `/api/X`; a trailing slash does not matter.
    static func normalized(_ path: String) -> String {
        var path = path
        for version in ["/api/v1/", "/api/v2/"] where path.hasPrefix(version) {
            path = "/api/" + path.dropFirst(version.count)
        }
        if path.count > 1 && path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
