import Contracts
import Domain
import HTTP
import Platform
import ServiceKit

/// Finds out who asks, and refuses who may not: default deny, by the permission that the route declares.
struct AuthenticationMiddleware: Middleware {
    private let access: AccessControl
    private let requirements: [RouteKey: RouteRequirement]
    private let templates: Set<String>

    /// - Parameter requirements: what each route takes; a route that is not here is refused.
    init(access: AccessControl, requirements: [RouteKey: RouteRequirement]) {
        self.access = access
        self.requirements = requirements
        templates = Set(requirements.keys.map(\.template))
    }

    func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
        var context = context
        switch requirements[RouteKey(request.method, context.template)] {
        case .open:
            context.principal = try? access.authenticate(Self.credential(request), now: Self.now())
        case .permission(let permission):
            context.principal = try authorize(permission, request, context)
        case nil:
            // Without a route the router says 404, without this method 405; neither tells anything.
            guard context.template == Router.unmatchedTemplate || templates.contains(context.template) else {
                throw APIError(.permissionDenied)
            }
        }
        return try await next(request, context)
    }

    private func authorize(_ permission: Permission, _ request: Request, _ context: RequestContext) throws -> Principal
    {
        let principal: Principal
        do throws(AccessControl.Refusal) {
            principal = try access.authenticate(Self.credential(request), now: Self.now())
        } catch {
            throw APIError(error)
        }
        guard principal.may(permission, debate: debate(context, principal)) else {
            var error = APIError(.permissionDenied, "Permission denied: \(permission.rawValue)")
            error.extra = JSONObject([("required_permission", .string(permission.rawValue))])
            throw error
        }
        return principal
    }

    /// The debate that the path names. By slug or receipt only its handler can find it, and compares it then.
    private func debate(_ context: RequestContext, _ principal: Principal) -> DebateID? {
        if context.template.contains("{receipt}") { return principal.debate }
        guard context.template.contains("{id}") else { return nil }
        return DebateID(context.parameter("id")) ?? principal.debate
    }

    private static func credential(_ request: Request) -> String? {
        guard let header = request[header: "authorization"], header.utf8.count > 7,
            header.prefix(7).lowercased() == "bearer "
        else { return nil }
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
