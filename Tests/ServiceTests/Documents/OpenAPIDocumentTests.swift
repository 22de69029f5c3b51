import Contracts
import Domain
import Foundation
import HTTP
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

/// docs/openapi.yaml and `/openapi.json` are the route table, no more and no less.
@Suite("API description")
struct OpenAPIDocumentTests {
    private static let operations = APIDescription.operations

    @Test("docs/openapi.yaml is the program's description")
    func document() throws {
        try Golden.check(document: "docs/openapi.yaml", is: YAMLText.write(APIDescription.document))
    }

    @Test("every route is in the description, and everything in the description is a route")
    func bothWays() throws {
        let paths = try #require(APIDescription.document["paths"]?.object)
        var described: Set<String> = []
        for path in paths.members {
            for method in path.value.object?.members.map(\.key) ?? [] { described.insert("\(method) \(path.key)") }
        }
        let routed = Set(Routes.table.map { "\($0.method.description.lowercased()) \($0.path)" })
            .union(HealthRoutes.paths.map { "get \($0)" })
        #expect(described == routed)
        #expect(described.count > 30)
    }

    @Test("every reference leads to a schema or a header, and every one of those is used")
    func references() throws {
        let text = String(decoding: APIDescription.bytes, as: UTF8.self)
        let used = Set(
            text.matches(of: try Regex(##""\$ref":"#/components/(\w+/[\w-]+)""##)).compactMap { $0[1].substring })
        for kind in ["schemas", "headers", "responses"] {
            let members = try #require(APIDescription.document["components"]?[kind]?.object?.members)
            let there = Set(members.map { "\(kind)/\($0.key)" })
            #expect(Set(used.filter { $0.hasPrefix(kind) }.map(String.init)) == there)
        }
    }

    @Test("operations have names of their own")
    func identifiers() {
        let names = Self.operations.map(\.identifier)
        #expect(Set(names).count == names.count)
    }

    @Test("a schema's name means one schema")
    func schemaNames() {
        var seen: [String: JSONValue] = [:]
        for operation in Self.operations {
            for schema in ([operation.body?.schema] + operation.answers.map(\.schema)).compactMap(\.self) {
                for (name, part) in schema.namedParts {
                    #expect(seen[name] == nil || seen[name] == part.definition, "\(name)")
                    seen[name] = part.definition
                }
            }
        }
    }

    @Test(
        "every route says what it takes and how it answers", arguments: Routes.table.map { "\($0.method) \($0.path)" })
    func described(name: String) throws {
        let route = try #require(Routes.table.first { "\($0.method) \($0.path)" == name })
        #expect(!route.answers.all.isEmpty, "\(name) has no `answers:`; see CONTRIBUTING.md, a route is one line")
        #expect(route.about.hasSuffix("."))
    }

    @Test("every cost class is used for what it says")
    func costs() {
        for route in Routes.table {
            #expect(
                route.cost != .probe || !RateLimitMiddleware.counts(route.path) || route.path == "/ws", "\(route.path)")
            #expect(route.method == .get || route.cost != .probe, "\(route.path)")
        }
    }
}
