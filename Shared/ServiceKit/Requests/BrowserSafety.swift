package import HTTP

/// What browsers are to be told on every answer: guess no type, frame nothing, run nothing, keep no copy.
package enum BrowserSafety {
    private static let fields = FieldBlock(
        ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Cross-Origin-Resource-Policy", "same-origin"), (.cacheControl, "no-store"))

    /// Says so where the answer does not say something else.
    package static func add(to response: inout Response) { response.headers.fill(fields) }
}
