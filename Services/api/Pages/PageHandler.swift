import HTTP

/// Serves the page and its files. Which view a path shows is the page's business; here they are all one document.
struct PageHandler: Sendable {
    let files: PageFiles

    /// Nothing but our own files and our own API; no inline script, no inline style, nothing framed, nothing sent elsewhere,
    /// and no text ever taken for HTML, whatever a mistake of ours would do with it (Trusted Types).
    ///
    /// `connect-src` names no other host: 'self' covers WebSockets to the same host (CSP 3, "matches with scheme-part").
    static let policy: HeaderValue = """
        default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
        form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'
        """
    private static let features: HeaderValue = "camera=(), microphone=(), geolocation=(), payment=()"
    /// A year, the most that anybody honours.
    private static let forEver: HeaderValue = "public, max-age=31536000, immutable"

    /// The document: kept, but asked for again each time, and answered 304 while it is the same.
    func page(_ request: Request, _ context: RequestContext) throws -> Response {
        var headers: Headers = [
            .contentType: "text/html; charset=utf-8", .cacheControl: "no-cache", "ETag": files.indexTag,
            "Content-Security-Policy": Self.policy, "Permissions-Policy": Self.features,
            "Cross-Origin-Opener-Policy": "same-origin",
        ]
        if Self.names(request[header: "if-none-match"], files.indexTag.text) {
            headers[.contentType] = nil
            return Response(.notModified, headers: headers)
        }
        return Response(.ok, headers: headers, content: .bytes(files.index))
    }

    /// A file under the version that the document names. Under another one, which a document of another build asks for
    /// while replicas are being replaced, it is served all the same and not kept.
    func file(_ request: Request, _ context: RequestContext) throws -> Response {
        let first = context.parameter("path")
        let path = context.template.hasSuffix("/{file}") ? "\(first)/\(context.parameter("file"))" : first
        guard let file = files.files[path] else { throw HTTPError.notFound }
        let isOurs = context.parameter("version") == files.version
        var headers: Headers = [
            .contentType: file.type, .cacheControl: isOurs ? Self.forEver : "no-store", .vary: "Accept-Encoding",
        ]
        guard Self.takesGzip(request[header: "accept-encoding"]) else {
            return Response(.ok, headers: headers, content: .bytes(file.bytes))
        }
        headers["Content-Encoding"] = "gzip"
        return Response(.ok, headers: headers, content: .bytes(file.gzip))
    }

    /// Crawlers find nothing here that is for them.
    func robots(_ request: Request, _ context: RequestContext) throws -> Response {
        .text("User-agent: *\nDisallow: /\n")
    }

    /// Whether a list of entity tags has this one, compared weakly (RFC 9110 §13.1.2): a proxy that compresses weakens it.
    static func names(_ field: String?, _ tag: String) -> Bool {
        guard let field else { return false }
        return field.split(separator: ",").contains { part in
            let word = part.drop { $0 == " " }.prefix { $0 != " " }
            return word == "*" || (word.hasPrefix("W/") ? word.dropFirst(2) : word) == tag
        }
    }

    /// Whether the client takes gzip by name or by `*`, not weighted 0 (RFC 9110 §12.5.3).
    static func takesGzip(_ field: String?) -> Bool {
        guard let field else { return false }
        var weights: [Substring: Bool] = [:]
        for part in field.lowercased().split(separator: ",") {
            let words = part.filter { $0 != " " && $0 != "\t" }.split(separator: ";")
            guard let coding = words.first else { continue }
            let weight = words.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            weights[Substring(String(coding))] = weight > 0
        }
        return weights["gzip"] ?? weights["x-gzip"] ?? weights["*"] ?? false
    }
}
