import Contracts
import Domain
import HTTP
import ServiceKit
import Storage

/// Roles and permissions, to look at: they are a table of the program.
struct RolesHandler: Sendable {
    let services: AccountServices

    func roles(_ request: Request, _ context: RequestContext) async throws -> Response {
        let rows = Role.allCases.map(AccountBody.role)
        return AccountServices.json(
            PageBody.make("roles", items: rows, total: rows.count, limit: rows.count, offset: 0))
    }

    func role(_ request: Request, _ context: RequestContext) async throws -> Response {
        guard let role = Role(named: context.parameter("role")) else {
            throw APIError(.roleNotFound)
        }
        return AccountServices.json(AccountBody.role(role))
    }

    func permissions(_ request: Request, _ context: RequestContext) async throws -> Response {
        let rows = Permission.allCases.map(AccountBody.permission)
        return AccountServices.json(
            PageBody.make("permissions", items: rows, total: rows.count, limit: rows.count, offset: 0))
    }

    func assignments(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let limit = query.int("limit", default: 50, in: AccountStore.limitRange)
        let offset = query.int("offset", default: 0, in: 0...1_000_000)
        try query.finish()
        let page = try await AccountServices.asking {
            try await services.accounts.users(within: context.caller.reach, limit: limit, offset: offset)
        }
        let rows = page.items.map { AccountBody.assignment($0.id, email: $0.email, $0.role, $0.organization) }
        return AccountServices.json(
            PageBody.make("assignments", items: rows, total: page.total, limit: limit, offset: offset))
    }

    /// Whether the caller has a permission.
    func check(_ request: Request, _ context: RequestContext) async throws -> Response {
        let asked = try permission(request)
        let isAllowed = Permission(rawValue: asked).map { context.caller.may($0) } ?? false
        return AccountServices.json(AccountBody.check(asked, isAllowed: isAllowed, context.caller.role))
    }

    private func permission(_ request: Request) throws -> String {
        if let asked = request.query["permission"], !asked.isEmpty, asked.utf8.count <= 100 { return asked }
        guard request.method == .post else {
            throw ValidationFailure([FieldProblem("permission", "is required")])
        }
        return try AccountRequests.permission(request.body)
    }
}
