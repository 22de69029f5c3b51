/// One thing done before and after every request, whoever answers it: names, logs, counts, fields. It never waits, so that
/// it surrounds routes that answer at once, too.
package protocol InstantMiddleware: Sendable {
    /// As the request comes in.
    /// - Returns: an answer that ends it here: only those further out see it leave.
    func before(_ request: Request, _ context: inout RequestContext) -> Response?
    /// As the answer leaves.
    func after(_ response: inout Response, _ request: Request, _ context: RequestContext)
}

extension InstantMiddleware {
    package func before(_ request: Request, _ context: inout RequestContext) -> Response? { nil }
    package func after(_ response: inout Response, _ request: Request, _ context: RequestContext) {}
}

/// Makes an answer of what a responder threw.
package typealias ErrorRenderer = @Sendable (any Error, Request, RequestContext) -> Response

/// The instant middleware of a router, outermost first, around what answers.
struct Surroundings: Sendable {
    let all: [any InstantMiddleware]
    /// Without one, errors are the server's to render.
    let renderError: ErrorRenderer?

    var isEmpty: Bool { all.isEmpty && renderError == nil }

    /// - Returns: an answer, if one of them has it.
    func enter(_ request: Request, _ context: inout RequestContext) -> Response? {
        for (place, one) in all.enumerated() {
            guard var response = one.before(request, &context) else { continue }
            leave(&response, request, context, from: place)
            return response
        }
        return nil
    }

    func answer(to error: any Error, _ request: Request, _ context: RequestContext) throws -> Response {
        guard let renderError else { throw error }
        return renderError(error, request, context)
    }

    func leave(_ response: inout Response, _ request: Request, _ context: RequestContext) {
        leave(&response, request, context, from: all.count)
    }

    private func leave(_ response: inout Response, _ request: Request, _ context: RequestContext, from place: Int) {
        for index in (0..<place).reversed() { all[index].after(&response, request, context) }
    }

    func around(_ responder: @escaping Responder) -> Responder {
        guard !isEmpty else { return responder }
        return { request, context in
            var context = context
            if let answer = enter(request, &context) { return answer }
            var response: Response
            do {
                response = try await responder(request, context)
            } catch {
                response = try answer(to: error, request, context)
            }
            leave(&response, request, context)
            return response
        }
    }

    func around(instant responder: @escaping InstantResponder) -> InstantResponder {
        guard !isEmpty else { return responder }
        return { request, context in
            var context = context
            if let answer = enter(request, &context) { return answer }
            var response: Response
            do {
                response = try responder(request, context)
            } catch {
                response = try answer(to: error, request, context)
            }
            leave(&response, request, context)
            return response
        }
    }
}
