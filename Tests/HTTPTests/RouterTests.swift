import Testing

@testable import HTTP

@Suite("A router")
struct RouterTests {
    static func match(_ router: Router, _ line: String) throws -> RouteMatch {
        router.match(try HeadParserTests.head("\(line) HTTP/1.1\r\nHost: a\r\n\r\n"))
    }

    static func router() -> Router {
        var router = Router(rewrite: { $0.hasPrefix("/api/v1/") ? "/api/" + $0.dropFirst(8) : $0 })
        for template in [
            "/", "/api/things", "/api/things/{id}", "/api/things/{id}/parts", "/api/things/new",
            "/api/things/new/{kind}",
            "/files/{path...}",
        ] {
            router.on(.get, template) { _, _ in .text(template) }
        }
        router.on(.post, "/api/things", bodyBytes: 10, deadline: .seconds(1)) { _, _ in Response(.created) }
        return router
    }

    @Test(
        "finds the template of a path",
        arguments: [
            ("/", "/", []), ("/api/things", "/api/things", []), ("/api/v1/things", "/api/things", []),
            ("/api/things/7", "/api/things/{id}", ["7"]), ("/api/v1/things/7/parts", "/api/things/{id}/parts", ["7"]),
            ("/api/things/new", "/api/things/new", []), ("/api/things/new/x", "/api/things/new/{kind}", ["x"]),
            ("/api/things/new/parts", "/api/things/new/{kind}", ["parts"]),
            ("/api/things/a%2Fb%20c", "/api/things/{id}", ["a/b c"]), ("/api/%74hings/7", "/api/things/{id}", ["7"]),
            ("/files/a/b.css", "/files/{path...}", ["a/b.css"]),
            ("/api/things/", "unmatched", []), ("/api", "unmatched", []), ("/api/things/7/other", "unmatched", []),
            ("//api/things", "unmatched", []), ("/api/things//parts", "unmatched", []),
            ("/api/things/%ff", "unmatched", []),
        ] as [(String, String, [String])])
    func finds(path: String, template: String, values: [String]) throws {
        let match = try Self.match(Self.router(), "GET \(path)")
        #expect(match.route.template == template)
        #expect(match.parameters.map(\.value) == values)
    }

    @Test("keeps a route's own limits")
    func limits() throws {
        let match = try Self.match(Self.router(), "POST /api/things")
        #expect(match.route.bodyBytes == 10)
        #expect(match.route.deadline == .seconds(1))
    }

    @Test("does not match the asterisk form with a path")
    func asterisk() throws {
        #expect(try Self.match(Self.router(), "OPTIONS *").route.template == "unmatched")
    }
}
