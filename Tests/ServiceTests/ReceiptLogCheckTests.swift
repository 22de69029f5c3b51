import Domain
import PostgresClient
import Storage
import TestSupport
import Testing

@testable import BackupCore

/// What `db verify` says of the receipt log, and of receipts whose retention has passed.
@Suite("Receipt log check", .needsPostgres)
struct ReceiptLogCheckTests {
    /// A debate that has ended, with its receipt in the log.
    private func logged(_ api: APIFixture) async throws -> DebateID {
        let debate = try await api.create()
        try await api.finish(debate)
        let store = ReceiptSequencerStore(pool: api.pool)
        var term: ReceiptLogTerm?
        while term == nil {
            // The runner's own sequencer has a lease that is about to end.
            if case .elected(let elected) = try await store.elect("check", lease: .milliseconds(1)) { term = elected }
        }
        let waiting = try await store.waiting()
        if let term, !waiting.isEmpty { _ = try await store.append(waiting, to: term, lease: .milliseconds(1)) }
        return try #require(DebateID(debate))
    }

    @Test("a log whose leaves lead to its tree is sound; a leaf that was changed is found, with its receipt")
    func changed() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            _ = try await logged(api)
            let debate = try await logged(api)
            #expect(try await LogVerifier(pool: api.pool).verifyAll().problems == [])
            _ = try await api.pool.execute("ALTER TABLE receipt_log DISABLE TRIGGER USER")
            let leaf = #"{"checksum":"0"}"#
            _ = try await api.pool.execute(
                """
                UPDATE receipt_log SET leaf = \(Array(leaf.utf8))
                WHERE receipt_id = (SELECT id FROM receipts WHERE debate_id = \(debate.text))
                """)
            let problems = try await LogVerifier(pool: api.pool).verifyAll().problems
            #expect(problems.map(\.debate) == [debate, nil])
            #expect(problems.allSatisfy { $0.reason.contains("receipt log") }, "\(problems)")
        }
    }

    @Test("a receipt whose retention has passed is not missed; one that is just gone is")
    func expired() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            _ = try await logged(api)
            _ = try await api.pool.execute("UPDATE receipts SET created_at = now() - interval '10 days'")
            let retention = ReceiptRetentionStore(pool: api.pool)
            #expect(try await retention.deleteExpired(days: 9) == 1)
            #expect(try await LogVerifier(pool: api.pool).verifyAll().problems == [])
            _ = try await api.pool.execute("DELETE FROM expired_receipts")
            #expect(try await LogVerifier(pool: api.pool).verifyAll().problemCount == 1)
        }
    }
}
