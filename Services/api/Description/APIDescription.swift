import Contracts
import Domain
import HTTP
import ServiceKit

/// The API's description, made of its route tables.
enum APIDescription {
    /// What is served at `/openapi.json`, and in YAML in docs/openapi.yaml.
    static let document = OpenAPIDocument(operations).json
    static let bytes = document.bytes

    static var operations: [APIOperation] {
        Routes.table.map(operation) + HealthRoutes.paths.map { health($0) }
    }

    /// What a route may be refused with: what any of its kind may, and what it says itself.
    static func errors(of route: Routes.Route) -> [ErrorCode] {
        var codes: Set<ErrorCode> = [
            .badRequest, .validationFailed, .requestTimeout, .bodyTooLarge, .uriTooLong, .headersTooLarge,
            .internalError, .unavailable,
        ]
        if case .permission(let permission) = route.requirement {
            codes.formUnion([.authenticationRequired, .invalidToken, .tokenExpired, .permissionDenied])
            if permission != .accountManage { codes.insert(.secondFactorRequired) }
        }
        if RateLimitMiddleware.counts(route.path) { codes.insert(.rateLimited) }
        if route.path.contains("{id}") { codes.formUnion([.debateNotFound, .eventsExpired]) }
        if route.path.contains("{receipt}") { codes.insert(.receiptNotFound) }
        codes.formUnion(route.refuses)
        return ErrorCode.allCases.filter(codes.contains)
    }

    static func operation(_ route: Routes.Route) -> APIOperation {
        APIOperation(
            method: route.method.description.lowercased(), path: route.path, about: route.about,
            permission: route.requirement.permission?.rawValue, costClass: route.cost.rawValue,
            bodyBytes: route.bodyBytes ?? HTTPLimits().bodyBytes,
            parameters: pathParameters(route.path) + route.items.map(\.parameter), body: route.takes,
            answers: answers(route), errors: errors(of: route), isCounted: RateLimitMiddleware.counts(route.path))
    }

    private static func answers(_ route: Routes.Route) -> [APIOperation.Answer] {
        route.answers.all.isEmpty ? RouteAnswers.json(.any).all : route.answers.all
    }

    private static func pathParameters(_ path: String) -> [APIOperation.Parameter] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { segment in
            let name = String(segment.dropFirst().dropLast())
            // A view of the page is the page's own to find wanting: nothing but the length of a target bounds it here.
            let most = name == "view" || name == "part" ? HTTPLimits().targetBytes : 1024
            return .init(name, in: .path, .text(1...most), pathWords[name] ?? "The \(name).", isRequired: true)
        }
    }

    private static let pathWords = [
        "id": "A debate's id, or its slug.", "receipt": "A receipt's id.", "format": "The form of the export.",
        "user": "A user's id.", "session": "A session's id.", "key": "A key's id, or its shown prefix.",
        "role": "A role's name.", "view": "What is shown.", "part": "Which part of it.",
        "version": "The version that the page names.", "path": "The file, or the folder that it is in.",
        "file": "The file.",
        "budget": "A budget's id.", "alert": "An alert's number.",
    ]

    private static func health(_ path: String) -> APIOperation {
        APIOperation(
            method: "get", path: path, about: HealthRoutes.about(path), permission: nil,
            costClass: RouteCost.probe.rawValue, bodyBytes: HTTPLimits().bodyBytes, parameters: [], body: nil,
            answers: HealthRoutes.answers(path),
            errors: [.badRequest, .requestTimeout, .bodyTooLarge, .uriTooLong, .headersTooLarge, .internalError],
            isCounted: RateLimitMiddleware.counts(path))
    }
}

extension RouteRequirement {
    /// Nil where anyone may.
    var permission: Permission? { if case .permission(let permission) = self { permission } else { nil } }
}
