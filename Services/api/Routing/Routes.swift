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
    let branches: BranchesHandler
    let views: DebateViewsHandler
    let edit: EditDebateHandler
    let sharing: ShareHandler
    let batches: BatchHandler
    let search: SearchHandler
    let statistics: StatisticsHandler
    let queue: QueueHandler
    let backups: BackupsHandler
    let receipts: ReceiptsHandler
    let receiptLog: ReceiptLogHandler
    let ratings: RatingsHandler
    let knowledge: KnowledgeHandler
    let budgets: BudgetsHandler
    let webhooks: WebhooksHandler
    let slack: SlackHandler
    let teams: TeamsHandler
    let keyRotation: KeyRotationHandler
    let signOn: SignOnHandler
    let status: StatusHandler
    let condition: ConditionHandler
    let gateway: GatewayTunnelHandler
    let pages: PageHandler
    let authenticator: Authenticator
    let accounts: AccountHandlers
    let rateLimit: RateLimitMiddleware
    let requests: RequestMetrics

    /// Every route, area by area.
    static let table: [Route] =
        debateRoutes + viewRoutes + sharingRoutes + batchRoutes + queueRoutes + backupRoutes
        + branchRoutes + receiptRoutes + receiptLogRoutes + agentRoutes + budgetRoutes + knowledgeRoutes + webhookRoutes
        + botRoutes + statusRoutes + descriptionRoutes + accountRoutes + administrationRoutes
        + securityRoutes + signOnRoutes + pageRoutes

    /// The router of one loop.
    func router() -> Router {
        var requirements: [RouteKey: RouteRequirement] = [:]
        for route in Self.table { requirements[RouteKey(route.method, route.path)] = route.requirement }
        for path in HealthRoutes.paths { requirements[RouteKey(.get, path)] = .open }
        let errors = ErrorMappingMiddleware(log: context.log)
        var router = Router(
            instant: instantMiddleware, middleware: middleware(requirements, errors),
            renderError: errors.response, rewrite: Self.normalized)
        for route in Self.table {
            switch route.answering {
            case .waiting(let responder):
                router.on(route.method, route.path, bodyBytes: route.bodyBytes, responder(self))
            case .instant(let responder):
                router.instantly(route.method, route.path, bodyBytes: route.bodyBytes, responder(self))
            }
        }
        let health = HealthRoutes(context: context)
        health.add(to: &router) { ($0.principal as? Principal)?.may(.adminRead) ?? false }
        health.addMetrics(to: &router)
        return router
    }

    /// Around every route; outermost first.
    private var instantMiddleware: [any InstantMiddleware] {
        [
            RequestIDMiddleware(tracer: context.tracer),
            APIVersionMiddleware(),
            PageSafetyMiddleware(),
            CrossOriginMiddleware(origins: settings.allowedOrigins),
            AccessLogMiddleware(log: context.log, requests: requests, trustedProxies: settings.trustedProxies),
        ]
    }

    /// Around the routes that may wait; outermost first. Errors become bodies inside the limit, which labels those too.
    private func middleware(
        _ requirements: [RouteKey: RouteRequirement], _ errors: ErrorMappingMiddleware
    ) -> [any Middleware] {
        let tracing: [any Middleware] = TraceMiddleware(tracer: context.tracer).map { [$0] } ?? []
        let authentication = AuthenticationMiddleware(
            authenticator: authenticator, requirements: requirements, onDenied: accounts.services.denied)
        guard settings.rateLimit > 0 else { return tracing + [authentication] }
        return tracing + [rateLimit, errors, authentication, routeRate]
    }

    private var routeRate: RouteRateMiddleware {
        let costs = Self.table.map { (RouteKey($0.method, $0.path), $0.cost) }
        return RouteRateMiddleware(
            limiter: rateLimit.limiter, costs: Dictionary(costs) { first, _ in first },
            limitPerPrincipal: settings.principalRateLimit, trustedProxies: settings.trustedProxies,
            metrics: context.metrics)
    }

    /// `/api/v1/X` and `/api/v2/X` are `/api/X`; a trailing slash does not matter.
    static func normalized(_ path: String) -> String {
        var path = path
        for version in ["/api/v1/", "/api/v2/"] where path.hasPrefix(version) {
            path = "/api/" + path.dropFirst(version.count)
        }
        // Where clients of the original look for single sign-on (contract §11).
        for alias in ["/auth/sso", "/api/sso", "/api/auth/oidc"] where path.hasPrefix(alias + "/") {
            path = "/api/auth/sso" + path.dropFirst(alias.count)
        }
        // The name that clients of the original know (contract §5).
        let alias = "/api/gauntlet/receipts"
        if path == alias || path.hasPrefix(alias + "/") { path = "/api/receipts" + path.dropFirst(alias.count) }
        if path.hasSuffix("/"), path != "/", path != "//" { path.removeLast() }
        return path
    }
}
