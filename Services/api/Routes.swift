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
    let list: ListDebatesHandler
    let read: ReadDebateHandler
    let actions: DebateActionsHandler
    let receipts: ReceiptsHandler
    let status: StatusHandler
    let gateway: GatewayTunnelHandler
    let rateLimit: RateLimitMiddleware

    /// One line of the table.
    struct Route {
        let method: Method
        let path: String
        let requirement: RouteRequirement
        var bodyBytes: Int?
        let responder: Responder

        init(_ method: Method, _ path: String, _ requirement: RouteRequirement, bodyBytes: Int? = nil, _ responder: @escaping Responder) {
            self.method = method
            self.path = path
            self.requirement = requirement
            self.bodyBytes = bodyBytes
            self.responder = responder
        }
    }

    var table: [Route] {
        [
            Route(.post, "/api/debates", .permission(.debatesCreate), create.handle),
            Route(.post, "/api/debate", .permission(.debatesCreate), create.handle),
            Route(.post, "/api/debate-this", .permission(.debatesCreate), create.handle),
            Route(.get, "/api/debates", .permission(.debatesRead), list.list),
            Route(.get, "/api/debates/active", .permission(.debatesRead), list.active),
            Route(.get, "/api/debates/queue/status", .permission(.debatesRead), status.queue),
            Route(.get, "/api/debates/slug/{id}", .permission(.debatesRead), read.get),
            Route(.get, "/api/debates/{id}", .permission(.debatesRead), read.get),
            Route(.get, "/api/debates/{id}/messages", .permission(.debatesRead), read.messages),
            Route(.post, "/api/debates/{id}/messages", .permission(.debatesUpdate), bodyBytes: 64 * 1024, actions.remark),
            Route(.get, "/api/debates/{id}/events", .permission(.debatesRead), read.events),
            Route(.get, "/api/debates/{id}/consensus", .permission(.debatesRead), read.consensus),
            Route(.get, "/api/debates/{id}/convergence", .permission(.debatesRead), read.convergence),
            Route(.get, "/api/debates/{id}/costs", .permission(.debatesRead), read.costs),
            Route(.get, "/api/debates/{id}/export/{format}", .permission(.exportRead), read.export),
            Route(.get, "/api/debates/{id}/receipt", .permission(.receiptsRead), receipts.ofDebate),
            Route(.post, "/api/debates/{id}/cancel", .permission(.debatesUpdate), actions.cancel),
            Route(.post, "/api/debates/{id}/stop", .permission(.debatesUpdate), actions.cancel),
            Route(.post, "/api/debates/{id}/pause", .permission(.debatesUpdate), actions.pause),
            Route(.post, "/api/debates/{id}/resume", .permission(.debatesUpdate), actions.resume),
            Route(.get, "/api/receipts", .permission(.receiptsRead), receipts.list),
            Route(.get, "/api/receipts/{receipt}", .permission(.receiptsRead), receipts.get),
            Route(.post, "/api/receipts/{receipt}/verify", .permission(.receiptsRead), receipts.verify),
            Route(.post, "/api/receipts/{receipt}/verify-signature", .permission(.receiptsRead), receipts.verifySignature),
            Route(.get, "/api/status", .open, status.status),
            Route(.get, "/ws", .open, gateway.handle),
        ]
    }

    /// The router of one loop.
    func router() -> Router {
        let table = table
        var requirements: [RouteKey: RouteRequirement] = [:]
        for route in table { requirements[RouteKey(route.method, route.path)] = route.requirement }
        for path in HealthRoutes.paths { requirements[RouteKey(.get, path)] = .open }
        var router = Router(middleware: middleware(requirements), rewrite: Self.normalized)
        for route in table { router.on(route.method, route.path, bodyBytes: route.bodyBytes, route.responder) }
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
            AccessLogMiddleware(log: context.log, metrics: context.metrics, trustedProxies: settings.trustedProxies),
            rateLimit,
            ErrorMappingMiddleware(log: context.log),
            AuthenticationMiddleware(access: settings.access, requirements: requirements),
        ]
    }

    /// `/api/v1/X` and `/api/v2/X` are `/api/X`; a trailing slash does not matter.
    static func normalized(_ path: String) -> String {
        var path = path
        for version in ["/api/v1/", "/api/v2/"] where path.hasPrefix(version) { path = "/api/" + path.dropFirst(version.count) }
        if path.count > 1 && path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
