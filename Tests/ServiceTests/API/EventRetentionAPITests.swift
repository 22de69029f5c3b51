import BackupCore
import Contracts
import Crypto
import Domain
import Platform
import PostgresClient
import Storage
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

@Suite("A debate whose events were removed", .needsPostgres, .timeLimit(.minutes(2)))
struct EventRetentionAPITests {
    @Test("is shown with its decision; what needs the events is 410; its receipt, the receipt log and db verify hold")
    func removed() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on", "ARAGORA_EVENT_RETENTION_DAYS": "30"]) { api in
            let id = try await api.create("How long is this kept?")
            try await api.finish(id)
            let receipt = try #require(try await api.get("/api/debates/\(id)/receipt").json["receipt_id"]?.string)
            let link = try #require(try await api.send("POST", "/api/debates/\(id)/share").json["token"]?.string)
            #expect(try await api.get("/api/debates/\(id)").json["events_expired"] == nil)
            let keeper = EventKeeper(
                store: EventRetentionStore(pool: api.pool), loop: api.loop, days: api.settings.eventRetentionDays,
                log: .disabled)
            try await keeper.pass()
            #expect(try await api.get("/api/debates/\(id)/events").status == 200, "its month is not over")

            // A runner is the sequencer of the receipt log too.
            while try await api.pool.query("SELECT count(*) AS n FROM receipt_log_queue")[0].int("n") > 0 {
                try await api.finish(id)
            }
            _ = try await api.pool.execute(
                "UPDATE event_partitions SET ends_at = now() - interval '31 days' WHERE name = 'debate_events_first'")
            try await keeper.pass()

            let shown = try await api.get("/api/debates/\(id)").json
            #expect(shown["events_expired"]?.bool == true && shown["status"]?.string == "completed", "\(shown)")
            #expect(shown["final_answer"]?.string?.isEmpty == false && shown["messages"]?.array?.isEmpty == true)
            for path in [
                "/messages", "/events", "/events?since=3", "/export/json", "/export/md", "/summary", "/consensus",
                "/followups",
            ] {
                let answer = try await api.get("/api/debates/\(id)\(path)")
                #expect(answer.status == 410 && answer.code == "events_expired", "\(path): \(answer.text)")
            }
            for path in ["/fork", "/followup"] {
                let answer = try await api.send("POST", "/api/debates/\(id)\(path)", "{}")
                #expect(answer.status == 410 && answer.code == "events_expired", "\(path): \(answer.text)")
            }
            #expect(try await api.get("/api/debates/\(id)/costs").status == 200)
            let calls = try await api.pool.query(
                "SELECT count(*) AS n, count(*) FILTER (WHERE content <> '') AS kept FROM agent_calls")[0]
            #expect(try calls.int("n") > 0 && calls.int("kept") == 0)
            #expect(try await api.get("/api/debates").json["total"]?.int == 1)
            let shared = try await api.get("/api/shared/\(link)", token: nil)
            #expect(shared.status == 200 && shared.json["debate"]?["events_expired"]?.bool == true, "\(shared.text)")
            #expect(try await api.get("/api/shared/\(link)/events", token: nil).status == 410)

            let verified = try await api.send("POST", "/api/receipts/\(receipt)/verify").json
            #expect(verified["integrity_valid"]?.bool == true && verified["chain_valid"]?.isNull == true, "\(verified)")
            let bundle = try await api.get("/api/receipts/\(receipt)/bundle")
            #expect(bundle.status == 200 && bundle.json["events"] == nil, "\(bundle.text)")
            #expect(try await api.get("/api/receipts/\(receipt)/bundle?events=1").status == 410)
            let report = try await LogVerifier(pool: api.pool).verifyAll()
            #expect(report.isSound && report.removedLogs == 1 && report.receipts == 1, "\(report.problems)")
            let ratings = try await RatingRebuild(pool: api.pool, rules: .standard).check()
            #expect(ratings.isSound && ratings.erased == ratings.matches, "\(ratings.problems)")
            // It can be erased all the same.
            #expect(try await api.send("DELETE", "/api/debates/\(id)").status == 200)
            #expect(try await LogVerifier(pool: api.pool).verifyAll().isSound)
        }
    }

    @Test("is not confused with one whose events are lost")
    func lost() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let id = try await api.create("Who took them?")
            try await api.finish(id)
            _ = try await api.pool.execute("ALTER TABLE debate_events DISABLE TRIGGER USER")
            _ = try await api.pool.execute("DELETE FROM debate_events")
            #expect(try await !LogVerifier(pool: api.pool).verifyAll().isSound)
            #expect(try await api.get("/api/debates/\(id)/events").status == 200)
        }
    }
}
