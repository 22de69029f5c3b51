import Contracts
import Domain
import HTTP
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

/// The tables of docs/protocol.md are those of the program.
// One after the other: with WRITE_GOLDEN=1 all of them write the same file.
@Suite("Protocol document", .serialized)
struct ProtocolDocumentTests {
    private static let path = "docs/protocol.md"

    @Test("the document lists every route of the API with what it takes")
    func routes() throws {
        let rows = Routes.table.map { route in
            ["`\(route.method) \(route.path)`", Self.text(route.requirement), route.about]
        }
        try GeneratedSection.check(
            "routes", of: Self.path, is: GeneratedSection.table(["Route", "Permission", "Is"], rows))
    }

    @Test("the document lists the health family")
    func health() throws {
        let text = HealthRoutes.paths.map { "`\($0)`" }.joined(separator: ", ")
        try GeneratedSection.check("health", of: Self.path, is: text)
    }

    @Test("the document lists every error code with its status and sentence")
    func errors() throws {
        let rows = ErrorCode.allCases.map { ["\($0.status)", "`\($0.rawValue)`", $0.sentence] }
        try GeneratedSection.check(
            "errors", of: Self.path, is: GeneratedSection.table(["Status", "Code", "Sentence"], rows))
    }

    @Test("the document lists every warning of a WebSocket")
    func warnings() throws {
        let text = WarningCode.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
        try GeneratedSection.check("warnings", of: Self.path, is: text)
    }

    @Test("the document lists every code a WebSocket is closed with")
    func closeCodes() throws {
        let rows = CloseCode.allCases.map { ["\($0.rawValue)", $0.reason] }
        try GeneratedSection.check(
            "close-codes", of: Self.path, is: GeneratedSection.table(["Code", "Reason"], rows))
    }

    @Test("the bodies shown are golden samples", arguments: ["api_bodies.jsonl", "server_messages.jsonl"])
    func samples(file: String) throws {
        let shown = try Golden.lines(file).filter { Self.isShown(String(decoding: $0, as: UTF8.self)) }
        let text = "```json\n" + shown.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n") + "\n```"
        try GeneratedSection.check(file, of: Self.path, is: text)
    }

    /// Short ones; the whole set is in Tests/Golden.
    private static func isShown(_ line: String) -> Bool { line.utf8.count < 460 }

    private static func text(_ requirement: RouteRequirement) -> String {
        switch requirement {
        case .open: "open"
        case .permission(let permission): "`\(permission.rawValue)`"
        }
    }
}
