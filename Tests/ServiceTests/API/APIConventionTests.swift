import Contracts
import HTTP
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

/// What holds for every route (contract §0).
@Suite("Conventions of the API", .needsPostgres, .timeLimit(.minutes(2)))
struct APIConventionTests {
    @Test("the description is served to anyone, as JSON")
    func description() async throws {
        try await APIFixture.with { api in
            for path in ["/openapi.json", "/api/v1/openapi.json"] {
                let answer = try await api.get(path, token: nil)
                #expect(answer.status == 200 && answer.header("Content-Type") == "application/json")
                #expect(answer.json == APIDescription.document)
            }
        }
    }

    @Test("/api, /api/v1 and /api/v2 answer alike, and say which was asked")
    func versions() async throws {
        try await APIFixture.with { api in
            for route in Routes.table where route.path.hasPrefix("/api/") && route.method == .get {
                let rest = APIAccessTests.target(route.path).dropFirst("/api/".count)
                let bare = try await api.get("/api/\(rest)")
                for version in ["v1", "v2"] {
                    let answer = try await api.get("/api/\(version)/\(rest)")
                    #expect(answer.status == bare.status && answer.code == bare.code, "\(version) \(rest)")
                    #expect(answer.header("X-API-Version") == version)
                }
                #expect(bare.header("X-API-Version") == "v1")
            }
        }
    }

    @Test("every answer names its request and its trace, whatever became of it")
    func names() async throws {
        try await APIFixture.with { api in
            for route in Routes.table {
                let target = APIAccessTests.target(route.path)
                for token in [APIFixture.token, nil] {
                    let answer = try await api.send(
                        route.method.description, target, token: token,
                        headers: [
                            "X-Request-ID": "mine-1",
                            "traceparent": "00-\(String(repeating: "ab", count: 16))-00f067aa0ba902b7-01",
                        ])
                    #expect(answer.header("X-Request-ID") == "mine-1", "\(target)")
                    #expect(answer.header("X-Trace-ID") == String(repeating: "ab", count: 16))
                    guard answer.status >= 400 else { continue }
                    #expect(answer.json["trace_id"]?.string == String(repeating: "ab", count: 16))
                    #expect(answer.json["error"]?.string?.isEmpty == false)
                }
            }
        }
    }

    private static let queried = Routes.table.filter { route in
        !route.path.contains("{webhook}") && !route.path.contains("{token}")
            && route.items.contains { if case .integer(_?, _?) = $0.parameter.schema.form { true } else { false } }
    }

    @Test(
        "a query item out of its range is 400 and names the field",
        arguments: queried.map { "\($0.method) \($0.path)" })
    func ranges(name: String) async throws {
        let route = try #require(Self.queried.first { "\($0.method) \($0.path)" == name })
        try await APIFixture.with(redisURL: TestSupport.Backends.redisURL) { api in
            var target = route.path
            if target.contains("{id}") { target = target.replacing("{id}", with: try await api.create()) }
            if target.contains("{budget}") {
                let made = try await api.send("POST", "/api/budgets", #"{"name":"models","limit_amount":1}"#)
                target = target.replacing("{budget}", with: try #require(made.json["id"]?.string))
            }
            // What a search needs; others ignore it.
            target += "?query=x"
            for item in route.items where item.parameter.isRequired { target += "&\(item.parameter.name)=word" }
            for item in route.items {
                let name = item.parameter.name
                guard case .integer(let minimum?, let maximum?) = item.parameter.schema.form else { continue }
                for value in ["\(minimum - 1)", "\(maximum + 1)", "x", "1.5", ""] {
                    let answer = try await api.get("\(target)&\(name)=\(value)")
                    #expect(answer.status == 400 && answer.fields == [name], "\(target) \(value)")
                }
                for value in ["\(minimum)", "\(maximum)"] {
                    let answer = try await api.get("\(target)&\(name)=\(value)")
                    #expect(answer.status == 200, "\(target) \(name)=\(value): \(answer.text)")
                }
            }
        }
    }
}
