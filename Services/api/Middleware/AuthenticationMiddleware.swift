import Contracts
import Domain
import HTTP
import Platform
import ServiceKit

/// Finds out who asks, and refuses who may not: default deny, by the permission that the route declares.
struct AuthenticationMiddleware: Middleware {
    let access: AccessControl
    /// Route template and method to what it takes; a route that is not here is refused.
    let requirements: [RouteKey: RouteRequirement]

    func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
        // An unknown path or method has no requirement; the router says 404 or 405 without telling anything.
        guard let requirement = requirements[RouteKey(request.method, context.template)] else {
            return try await next(request, context)
        }
        var context = context
        switch requirement {
        case .open:
            context.principal = try? access.authenticate(Self.credential(request), now: Self.now())
        case .permission(let permission):
            context.principal = try authorize(permission, request, context)
        }
        return try await next(request, context)
    }

    private func authorize(_ permission: Permission, _ request: Request, _ context: RequestContext) throws -> Principal {
        let principal: Principal
        do throws(AccessControl.Refusal) {
            principal = try access.authenticate(Self.credential(request), now: Self.now())
        } catch {
            let code: ErrorCode
            switch error {
            case .missing: code = .authenticationRequired
            case .invalid: code = .invalidToken
            case .expired: code = .tokenExpired
            }
            throw APIError(code, suggestion: "send the header Authorization: Bearer <ARAGORA_API_TOKEN>")
        }
        let debate = context.template.contains("/debates/{id}") ? DebateID(context.parameter("id")) : nil
        guard principal.may(permission, debate: debate) else {
            var error = APIError(.permissionDenied, "Permission denied: \(permission.rawValue)")
            error.extra = JSONObject([("required_permission", .string(permission.rawValue))])
            throw error
        }
        return principal
    }

    private static func credential(_ request: Request) -> String? {
        guard let header = request[header: "authorization"], header.utf8.count > 7, header.prefix(7).lowercased() == "bearer "
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
