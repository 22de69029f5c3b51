import Crypto
package import HTTP

/// Names every request: takes over a well-formed `X-Request-ID` and `traceparent`, or makes new ones, and echoes them.
package struct RequestIDMiddleware: Middleware {
    static let maxIDCharacters = 128

    package init() {}

    package func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
        var context = context
        context.requestID = try accepted(request[header: "x-request-id"]) ?? "req_" + Hex.encode(RandomBytes.make(12))
        context.traceID = try traceID(request[header: "traceparent"]) ?? Hex.encode(RandomBytes.make(16))
        var response = try await next(request, context)
        if let id = HeaderValue(context.requestID) { response.headers["X-Request-ID"] = id }
        if let id = HeaderValue(context.traceID) { response.headers["X-Trace-ID"] = id }
        return response
    }

    private func accepted(_ given: String?) -> String? {
        guard let given, (1...Self.maxIDCharacters).contains(given.utf8.count) else { return nil }
        let isPlain = given.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == 0x2D || byte == 0x5F || byte == 0x2E
        }
        return isPlain ? given : nil
    }

    /// W3C Trace Context: `00-<32 hex>-<16 hex>-<2 hex>`; an all-zero trace id is invalid.
    private func traceID(_ header: String?) -> String? {
        guard let parts = header?.split(separator: "-", omittingEmptySubsequences: false), parts.count == 4,
            parts[1].utf8.count == 32, let bytes = Hex.decode(String(parts[1])), bytes.contains(where: { $0 != 0 })
        else { return nil }
        return Hex.encode(bytes)
    }
}
