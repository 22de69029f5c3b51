/// Finds the responder of a request by path template and method, inside the middleware.
///
/// A literal segment goes before a parameter. An unknown path is 404, a known one with another method 405 with `Allow`;
/// both pass the middleware too. GET answers HEAD.
package struct Router: HTTPHandler {
    /// What ``RequestContext/template`` says where no route has the path.
    package static let unmatchedTemplate = "unmatched"

    private let middleware: [any Middleware]
    private let surroundings: Surroundings
    private let rewrite: @Sendable (String) -> String
    private var root = Node()
    private var literal: [String: Node] = [:]
    private let unmatched: Route
    private let badPath: Route

    /// - Parameters:
    ///   - instant: around every route; outermost first.
    ///   - middleware: within those, around the routes that may wait; outermost first.
    ///   - renderError: makes an answer of what was thrown, so that `instant` sees it leave; else the server does.
    ///   - rewrite: maps the raw path before it is matched, such as an alias to its present form.
    package init(
        instant: [any InstantMiddleware] = [], middleware: [any Middleware] = [], renderError: ErrorRenderer? = nil,
        rewrite: @escaping @Sendable (String) -> String = { $0 }
    ) {
        self.middleware = middleware
        self.rewrite = rewrite
        let surroundings = Surroundings(all: instant, renderError: renderError)
        self.surroundings = surroundings
        func refusing(_ error: HTTPError) -> Route {
            Route(
                template: Self.unmatchedTemplate,
                responder: surroundings.around(Self.chain(middleware) { _, _ in throw error }))
        }
        unmatched = refusing(.notFound)
        badPath = refusing(.malformed("The path is not percent-encoded UTF-8."))
    }

    /// Adds a route. `bodyBytes` and `deadline` replace the server's defaults.
    ///
    /// - Precondition: the method and template are not taken.
    package mutating func on(
        _ method: Method, _ template: String, bodyBytes: Int? = nil, deadline: Duration? = nil,
        _ responder: @escaping Responder
    ) {
        let chained = surroundings.around(Self.chain(middleware, responder))
        add(Route(template: template, bodyBytes: bodyBytes, deadline: deadline, responder: chained), for: method)
    }

    /// Adds a route that is answered at once, on the loop, without a task: no ``Middleware`` is around it, so it is for
    /// what anybody may ask.
    ///
    /// - Precondition: as above.
    package mutating func instantly(
        _ method: Method, _ template: String, bodyBytes: Int? = nil, _ responder: @escaping InstantResponder
    ) {
        let surrounded = surroundings.around(instant: responder)
        add(Route(template: template, bodyBytes: bodyBytes, instant: surrounded), for: method)
    }

    private mutating func add(_ route: Route, for method: Method) {
        let template = route.template
        let parsed = RouteTemplate(template)
        let node = root.node(for: parsed.segments[...])
        precondition(node.methods[method] == nil, "\(method) \(template) is routed twice")
        node.methods[method] = route
        if method == .get { node.get = route }
        node.refused = refusal(of: node, template: template)
        let isLiteral = parsed.segments.allSatisfy { if case .literal = $0 { true } else { false } }
        if isLiteral { literal[template] = node }
    }

    package func match(_ head: RequestHead) -> RouteMatch {
        let sent = head.path
        // A literal path is what it is rewritten to, so most need not be.
        if let node = literal[sent] { return RouteMatch(node.route(head.method)) }
        let path = rewrite(sent)
        if let node = literal[path] { return RouteMatch(node.route(head.method)) }
        var segments: [String] = []
        for raw in RouteTemplate.split(path) {
            guard let segment = raw.utf8.contains(UInt8(ascii: "%")) ? PercentCoding.decode(raw.utf8) : String(raw)
            else {
                return RouteMatch(badPath)
            }
            segments.append(segment)
        }
        var parameters: [RouteParameter] = []
        guard path.hasPrefix("/"), let node = root.find(segments[...], &parameters) else {
            return RouteMatch(unmatched)
        }
        return RouteMatch(node.route(head.method), parameters: parameters)
    }

    private func refusal(of node: Node, template: String) -> Route {
        var allow = Array(node.methods.keys)
        if node.methods[.get] != nil && node.methods[.head] == nil { allow.append(.head) }
        let error = HTTPError.methodNotAllowed(allow: allow.sorted { $0.description < $1.description })
        return Route(
            template: template, responder: surroundings.around(Self.chain(middleware) { _, _ in throw error }))
    }

    private static func chain(_ middleware: [any Middleware], _ responder: @escaping Responder) -> Responder {
        middleware.reversed().reduce(responder) { next, outer in
            { request, context in try await outer.handle(request, context, next: next) }
        }
    }
}

extension Router {
    /// One segment's place in the tree. Filled while routes are added, read-only once the router serves.
    private final class Node: @unchecked Sendable {  // mutated only through `Router.on`, before the server has it
        var literals: [String: Node] = [:]
        var parameter: (name: String, node: Node)?
        var rest: (name: String, node: Node)?
        var methods: [Method: Route] = [:]
        var get: Route?
        var refused: Route?

        func node(for segments: ArraySlice<RouteTemplate.Segment>) -> Node {
            guard let first = segments.first else { return self }
            switch first {
            case .literal(let text):
                let next = literals[text] ?? Node()
                literals[text] = next
                return next.node(for: segments.dropFirst())
            case .parameter(let name):
                let next = parameter ?? (name, Node())
                precondition(next.name == name, "two names, \(name) and \(next.name), for one place in a path")
                parameter = next
                return next.node.node(for: segments.dropFirst())
            case .rest(let name):
                precondition(segments.count == 1, "{\(name)...} takes all that remains, so it stands last")
                let next = rest ?? (name, Node())
                rest = next
                return next.node
            }
        }

        /// The node of a path; a literal is tried before a parameter, that before the rest.
        func find(_ segments: ArraySlice<String>, _ parameters: inout [RouteParameter]) -> Node? {
            guard let first = segments.first else { return refused == nil ? nil : self }
            if let found = literals[first]?.find(segments.dropFirst(), &parameters) { return found }
            if let parameter, !first.isEmpty {
                parameters.append(RouteParameter(name: parameter.name, value: first))
                if let found = parameter.node.find(segments.dropFirst(), &parameters) { return found }
                parameters.removeLast()
            }
            guard let rest else { return nil }
            parameters.append(RouteParameter(name: rest.name, value: segments.joined(separator: "/")))
            return rest.node
        }

        func route(_ method: Method) -> Route {
            if method == .get, let get { return get }
            if let route = methods[method] ?? (method == .head ? get : nil) { return route }
            guard let refused else { preconditionFailure("a node that is found has routes") }
            return refused
        }
    }
}
