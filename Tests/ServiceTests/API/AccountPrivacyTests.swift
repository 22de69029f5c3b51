import Contracts
import Domain
import Foundation
import Platform
import PostgresClient
import TestSupport
import Testing

@testable import aragora
@testable import aragora_api

/// `aragora privacy` of a person with an account: what the API took in comes out, and then is gone; chains stay whole.
@Suite("A person's account, exported and erased", .needsPostgres, .timeLimit(.minutes(2)))
struct AccountPrivacyTests {
    static let word = "xylophone"

    /// Runs `aragora` on this API's own database.
    private static func run(_ words: String..., on api: APIFixture) async throws -> DeadLetterCommandTests.Outcome {
        let schema = try #require(api.pool.configuration.sessionParameters["search_path"])
        let url = try #require(TestSupport.Backends.postgresURL)
        return try await DeadLetterCommandTests.run(
            words, on: api,
            with: [
                "ARAGORA_POSTGRES_DSN": url + (url.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(schema)",
                "ARAGORA_RECEIPT_SIGNING_KEY": String(repeating: "5a", count: 32),
            ])
    }

    private static func export(_ user: String, on api: APIFixture) async throws -> [JSONValue] {
        let path = FileManager.default.temporaryDirectory.appending(path: "export-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let outcome = try await run("privacy", "export", "--user", user, "--output", path, on: api)
        #expect(outcome.code == .ok, "\(outcome.text)")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        return try text.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
    }

    private static func text(_ lines: [JSONValue]) -> String {
        lines.map { String(decoding: CanonicalJSON.encode($0), as: UTF8.self) }.joined(separator: "\n")
    }

    @Test(
        "everything of an account is in its export and no secret is; erased, it is nobody's, and every chain is whole")
    func life() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let admin = try await api.register("admin@example.org")
            let ada = try await api.person("ada@example.org", "member", by: admin)
            let other = try await api.person("bob@example.org", "member", by: admin)
            let key = try await api.key(of: ada, #"{"name":"reports","scopes":["debates.read"]}"#)
            let made = try await api.post(
                "/api/debates", #"{"topic":"Is the \#(Self.word) worth it?","agents":["demo","demo"],"rounds":1}"#,
                as: ada)
            let debate = try #require(made.json["debate_id"]?.string)
            let theirs = try await api.post(
                "/api/debates", #"{"topic":"Is the piano worth it?","agents":["demo","demo"],"rounds":1}"#, as: other)
            let foreign = try #require(theirs.json["debate_id"]?.string)
            let fact = try await api.post(
                "/api/knowledge/facts", #"{"statement":"A \#(Self.word) has bars.","confidence":0.9}"#, as: ada)
            #expect((200...201).contains(fact.status), "\(fact.text)")
            for id in [debate, foreign] { try await api.finish(id) }

            let lines = try await Self.export(ada.id, on: api)
            func all(_ kind: String) -> [JSONValue] { lines.filter { $0["kind"]?.string == kind } }
            #expect(lines.first?["kind"] == "export" && lines.last?["kind"] == "end")
            #expect(lines.first?["user"]?.string == ada.id || Self.text([lines[0]]).contains(ada.id))
            let account = try #require(all("account").first)
            #expect(account["user"]?["email"] == "ada@example.org" && account["user"]?["role"] == "member")
            #expect(account["user"]?["id"]?.string == ada.id && account["user"]?["has_api_key"] == true)
            let session = try #require(account["sessions"]?.array?.first)
            #expect(session["ip"] == "127.0.0.1" || session["ip_address"] == "127.0.0.1", "\(session)")
            #expect(account["api_keys"]?.array?.count == 1)
            #expect(account["api_keys"]?.array?.first?["name"] == "reports")
            #expect(key.hasPrefix(account["api_keys"]?.array?.first?["prefix"]?.string ?? "none"))
            #expect(
                all("debate").map { $0["debate_id"]?.string ?? $0["debate"]?["debate_id"]?.string } == [debate],
                "\(all("debate"))")
            let told = try await api.get("/api/debates/\(debate)/events?limit=500", token: ada.access)
            #expect(all("event").count == told.json["events"]?.array?.count)
            #expect(all("receipt").count == 1 && all("call").count > 0 && all("fact").count == 1)
            #expect(Self.text(all("fact")).contains("A \(Self.word) has bars."))
            let actions = all("audit_entry").compactMap { $0["entry"]?["action"]?.string }
            #expect(!actions.isEmpty && Self.text(all("audit_entry")).contains(ada.id), "\(actions)")
            let end = try #require(lines.last)
            #expect(end["debates"] == 1 && end["receipts"] == 1 && end["facts"] == 1)
            #expect(end["events"]?.int == Int64(all("event").count) && end["calls"]?.int == Int64(all("call").count))
            let text = Self.text(lines)
            for secret in [key, ada.access, ada.refresh, ada.password, "scrypt", "password_hash", "$"] {
                #expect(!text.contains(secret), "the export has \(secret.prefix(6))…")
            }
            #expect(!text.contains("piano") && !text.contains("bob@example.org"), "somebody else's is in it")

            let erased = try await Self.run("privacy", "erase", "--user", ada.id, "--yes", on: api)
            #expect(erased.code == .ok && erased.text.contains("the account is erased"), "\(erased.text)")
            let left = try await api.pool.query(
                "SELECT email, name, password_hash IS NULL AS locked, is_active FROM users WHERE id = \(ada.id)")
            #expect(try left[0].text("email") == "\(ada.id)@erased.invalid" && left[0].bool("locked"))
            #expect(try left[0].bool("is_active") == false)
            #expect(try await api.login("ada@example.org").status == 401)
            // Spread within two seconds.
            while try await api.get("/api/auth/me", token: ada.access).status != 401 {}
            while try await api.get("/api/debates", token: key).status != 401 {}
            let shown = try await api.get("/api/debates/\(debate)", token: other.access)
            #expect(shown.json["erased"] == true && !shown.text.contains(Self.word))
            let kept = try await api.get("/api/debates/\(foreign)", token: other.access)
            #expect(kept.json["task"] == "Is the piano worth it?")

            let walked = try await Self.run("db", "verify", "--json", on: api)
            #expect(walked.code == .ok, "\(walked.text)")
            #expect(try walked.json["valid"] == true && walked.json["debates"] == 2)
            #expect(try walked.json["erased_events"]?.int == Int64(all("event").count))
            let audited = try await api.get("/api/audit/verify", token: admin.access)
            #expect(audited.json["valid"] == true, "\(audited.text)")
            for id in [debate, foreign] {
                let receipt = try await api.get("/api/debates/\(id)/receipt", token: admin.access).json
                let name = try #require(receipt["receipt_id"]?.string)
                let intact = try await api.post("/api/v2/receipts/\(name)/verify", as: admin)
                #expect(intact.json["integrity_valid"] == true && intact.json["chain_valid"] == true, "\(intact.text)")
                let signed = try await api.post("/api/v2/receipts/\(name)/verify-signature", as: admin)
                #expect(signed.json["signature_valid"] == true, "\(signed.text)")
            }
            let again = try await Self.export(ada.id, on: api)
            // The audit log is a chain, and stays for its retention.
            let rest = Self.text(again.filter { $0["kind"] != "audit_entry" })
            #expect(!rest.contains(Self.word) && !rest.contains("ada@example.org"), "\(rest)")
        }
    }
}
