import Contracts
import Domain
import HTTP
import Platform
import ServiceKit

/// Finds out who asks, and refuses who may not: default deny, by the permission that the route declares.
struct AuthenticationMiddleware: Middleware {
    private let authenticator: Authenticator
    private let requirements: [RouteKey: RouteRequirement]
    private let onDenied: OnDenied

    /// Told of a known caller who may not.
    typealias OnDenied = @Sendable (Principal, Permission, Request, RequestContext) async -> Void
    private let templates: Set<String>

    /// - Parameter requirements: what each route takes; a route that is not here is refused.
    init(
        authenticator: Authenticator, requirements: [RouteKey: RouteRequirement],
        onDenied: @escaping OnDenied = { _, _, _, _ in }
    ) {
        self.onDenied = onDenied
        self.authenticator = authenticator
        self.requirements = requirements
        templates = Set(requirements.keys.map(\.template))
    }

    func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
        var context = context
        switch requirements[RouteKey(request.method, context.template)] {
        case .open:
            context.principal = try? await authenticator.principal(Self.credential(request), now: Self.now())
        case .permission(let permission):
            context.principal = try await authorize(permission, request, context)
        case nil:
            // Without a route the router says 404, without this method 405; neither tells anything.
            guard context.template == Router.unmatchedTemplate || templates.contains(context.template) else {
                throw APIError(.permissionDenied)
            }
        }
        return try await next(request, context)
    }

    private func authorize(
        _ permission: Permission, _ request: Request, _ context: RequestContext
    ) async throws -> Principal {
        let principal: Principal
        do {
            principal = try await authenticator.principal(Self.credential(request), now: Self.now())
        } catch {
            throw APIError(authenticating: error)
        }
        guard principal.may(permission, debate: debate(context, principal)) else {
            await onDenied(principal, permission, request, context)
            if principal.needsSecondFactor { throw APIError.secondFactorRequired }
            throw APIError.denied(permission)
        }
        return principal
    }

    /// The debate that the path names. By slug or receipt only its handler can find it, and compares it then.
    private func debate(_ context: RequestContext, _ principal: Principal) -> DebateID? {
        if context.template.contains("{receipt}") { return principal.debate }
        guard context.template.contains("{id}") else { return nil }
        return DebateID(context.parameter("id")) ?? principal.debate
    }

    /// The header says who asks; cookies say nothing, so that no page of another site can speak for its visitor.
    private static func credential(_ request: Request) -> String? {
        guard request[header: "authorization"] != nil else { return request[header: "x-api-key"] }
        guard let header = request[header: "authorization"], header.utf8.count > 7,
            header.prefix(7).lowercased() == "bearer "
        else { return "" }
        return String(header.dropFirst(7))
    }

    private static func now() -> Int64 { WallClock.nowMilliseconds() / 1000 }
}

/// A route as middleware knows it.
struct RouteKey: Hashable, Sendable {
    let method: String
    let template: String

    init(_ method: Method, _ template: String) {
        self.method = method == .head ? Method.get.description : method.description
        self.template = template
    }
}

/// What a route takes of who calls it.
enum RouteRequirement: Sendable {
    /// Anyone, with or without a credential.
    case open
    case permission(Permission)
}

extension RequestContext {
    /// The caller of a route that takes a permission.
    var caller: Principal {
        guard let principal = principal as? Principal else { preconditionFailure("\(template) is an open route") }
        return principal
    }
}
