import Contracts
import Crypto
import DebateRunner
import Domain
import Ledger
import Platform
import PostgresClient
import Storage
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

/// Receipts over HTTP: what anybody can check with what the API gives out.
@Suite("The API's receipts", .needsPostgres, .timeLimit(.minutes(3)))
struct ReceiptAPITests {
    private static func verifier() throws -> ReceiptVerifier {
        let keys = try KeyRing(current: String(repeating: "5a", count: 32))
        return ReceiptVerifier(VerificationKeys(open: keys.pairs.publicKeys))
    }

    /// A finished debate's receipt, and the sequencer's work done.
    private static func logged(_ api: APIFixture, _ topic: String = "Should we use Postgres?") async throws -> String {
        let debate = try await api.create(topic)
        try await api.finish(debate)
        let sequencer = ReceiptSequencer(
            pool: api.pool, keys: { try? KeyRing(current: String(repeating: "5a", count: 32)) }, name: "test",
            log: .disabled, metrics: Metrics())
        var office = ReceiptSequencer.Office()
        _ = await sequencer.step(&office)
        await sequencer.resign(office)
        return try #require(try await api.get("/api/debates/\(debate)/receipt").json["receipt_id"]?.string)
    }

    @Test("many receipts come in one answer, as they were signed or as text; what is not there is named")
    func exported() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let debate = try await api.create()
            try await api.finish(debate)
            let one = try await api.get("/api/debates/\(debate)/receipt")
            let id = try #require(one.json["receipt_id"]?.string)
            func export(_ format: String) async throws -> Answer {
                try await api.send(
                    "POST", "/api/v2/receipts/batch-export",
                    #"{"receipt_ids":["\#(id)","rcp_none"],"format":"\#(format)"}"#)
            }
            let json = try await export("json").json
            #expect(json["count"]?.int == 1 && json["missing"]?.array?.first?.string == "rcp_none")
            #expect(json["receipts"]?.array?.first?["content"]?["checksum"] == one.json["checksum"])
            let text = try await export("md").json["receipts"]?.array?.first?["content"]?.string
            #expect(text?.contains("Should we use Postgres?") == true)
            #expect(try await export("pdf").status == 400)
        }
    }

    @Test("a list says what it was limited to, as it was understood, and is")
    func filters() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let debate = try await api.create()
            try await api.finish(debate)
            let all = try await api.get("/api/v2/receipts").json
            #expect(all["total"]?.int == 1 && all["filters"]?["signed_only"] == false)
            #expect(all["filters"]?["debate_id"]?.isNull == true && all["filters"]?["date_to"]?.isNull == true)
            let verdict = try #require(all["receipts"]?.array?.first?["verdict"]?.string)
            let some = try await api.get(
                "/api/v2/receipts?debate_id=\(debate)&verdict=\(verdict.lowercased())&signed_only=true&date_from=2026-01-01"
            ).json
            #expect(some["total"]?.int == 1)
            #expect(some["filters"]?["debate_id"]?.string == debate && some["filters"]?["verdict"]?.string == verdict)
            #expect(some["filters"]?["signed_only"] == true)
            #expect(some["filters"]?["date_from"] == "2026-01-01T00:00:00.000Z", "\(some["filters"] ?? .null)")
            let none = try await api.get("/api/v2/receipts?risk_level=high&date_to=2020-01-01").json
            #expect(none["total"]?.int == 0 && none["filters"]?["risk_level"] == "HIGH")
        }
    }

    @Test("a bundle proves receipt, events and place in the log with the published key alone, redacted or not")
    func bundles() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let id = try await Self.logged(api)
            let verifier = try Self.verifier()
            let published = SigningKeysBody.keys(
                in: Array(try await api.get("/api/v2/receipts/signing-key", token: nil).text.utf8))
            #expect(published?.count == 1)
            let pem = try await api.get("/.well-known/aragora-odr-signing-key", token: nil).text
            #expect(Base64.encode(try Ed25519.PublicKey(text: pem).bytes) == published?.first)
            for (query, chain) in [
                ("", ReceiptVerification.Chain.valid), ("?redacted=true", .valid),
                ("?redacted=true&events=1,2", .validExcerpts(2)),
            ] {
                let text = try await api.get("/api/receipts/\(id)/bundle\(query)").text
                let found = try verifier.verify(try ReceiptBundle.parse(Array(text.utf8)))
                #expect(found.isProven && found.chain == chain, "\(query): \(found)")
                guard case .valid(_, _, _, .valid) = found.inclusion else { throw Surprise("\(found.inclusion)") }
                #expect(text.contains("Should we use") == query.isEmpty)
            }
            // Another receipt, and the log is proven to continue what was seen.
            let seen = try TreeHead.parse(Array(try await api.get("/api/receipt-log/head", token: nil).text.utf8))
            _ = try await Self.logged(api, "And Redis?")
            let text = try await api.get("/api/receipts/\(id)/bundle?since=\(seen.size)").text
            let later = try verifier.verify(try ReceiptBundle.parse(Array(text.utf8)), after: seen)
            #expect(later.isProven)
            let path = try await api.get("/api/receipt-log/consistency?first=\(seen.size)", token: nil).json
            #expect(path["path"]?.array != nil && path["second"]?.int == 2)
            let inclusion = try await api.get("/api/receipt-log/inclusion?receipt_id=\(id)", token: nil).json
            #expect(inclusion["leaf"]?["receipt_id"]?.string == id)
            let entries = try await api.get("/api/receipt-log/entries?limit=1", token: nil).json
            #expect(entries["count"]?.int == 1 && entries["tree_size"]?.int == 2)
        }
    }

    @Test("exports escape what people said, and are attachments of their type")
    func exports() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let id = try await Self.logged(api, "<script>alert(1)</script> =1+1 [x](y) # Postgres?")
            for (format, type) in [
                ("json", "application/json"), ("html", "text/html; charset=utf-8"),
                ("md", "text/markdown; charset=utf-8"), ("csv", "text/csv; charset=utf-8"), ("pdf", "application/pdf"),
            ] {
                let answer = try await api.get("/api/receipts/\(id)/export?format=\(format)")
                #expect(answer.status == 200 && answer.header("Content-Type") == type)
                #expect(answer.header("Content-Disposition") == "attachment; filename=\"\(id).\(format)\"")
                #expect(answer.text.contains("<script>alert") == ["json", "csv", "pdf"].contains(format), "\(format)")
                if format == "pdf" { #expect(answer.text.hasPrefix("%PDF-1.4") && answer.text.hasSuffix("%%EOF\n")) }
            }
            #expect(try await api.get("/api/receipts/\(id)/export?format=sarif").status == 400)
        }
    }

    @Test("a link shows one receipt, redacted if so made, as often and as long as it says, and its token is not stored")
    func sharing() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let id = try await Self.logged(api)
            let made = try await api.send(
                "POST", "/api/receipts/\(id)/share", #"{"max_accesses":1,"redacted":true}"#
            ).json
            let token = try #require(made["token"]?.string)
            #expect(made["success"]?.bool == true && token.utf8.count == 43)
            let shown = try await api.get("/api/v2/receipts/share/\(token)", token: nil)
            #expect(shown.status == 200 && shown.json["redacted"]?.bool == true)
            #expect(try Self.verifier().verify(Array(shown.text.utf8)).isProven)
            #expect(try await api.get("/api/receipts/share/\(token)", token: nil).status == 404, "once")
            #expect(try await api.get("/api/receipts/share/nonsense", token: nil).status == 404)
            let stored = try await api.pool.query("SELECT token_hash FROM receipt_shares")
            #expect(try stored.map { try $0.bytes("token_hash") } == [SHA256.hash(token)])
            #expect(try await api.send("POST", "/api/receipts/\(id)/share", #"{"max_accesses":0}"#).status == 400)
        }
    }

    @Test("search, statistics, holds and many checks at once")
    func others() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let id = try await Self.logged(api)
            #expect(try await api.get("/api/receipts/search?q=postgres").json["total"]?.int == 1)
            #expect(try await api.get("/api/receipts/search?query=nothing").json["total"]?.int == 0)
            #expect(try await api.get("/api/receipts/search").json["total"]?.int == 1)
            #expect(try await api.get("/api/v1/gauntlet/receipts/\(id)").json["receipt_id"]?.string == id)
            #expect(try await api.send("POST", "/api/receipts/\(id)/legal-hold").json["legal_hold"]?.bool == true)
            let row = try await api.get("/api/receipts").json["receipts"]?.array?.first
            #expect(row?["legal_hold"]?.bool == true && row?["expires_at"]?.isNull == true)
            let stats = try await api.get("/api/receipts/stats").json["stats"]
            #expect(stats?["total"]?.int == 1 && stats?["signed"]?.int == 1 && stats?["on_legal_hold"]?.int == 1)
            let batch = try await api.send(
                "POST", "/api/receipts/verify-batch", #"{"receipt_ids":["\#(id)","rcp_nonsense"]}"#
            ).json
            #expect(batch["summary"]?["valid"]?.int == 1 && batch["summary"]?["invalid"]?.int == 1)
        }
    }

    private struct Surprise: Error {
        let description: String
        init(_ description: String) { self.description = description }
    }
}
