import Contracts
import Crypto
import Platform
import PostgresClient
import Sockets
import Storage
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora

/// What `doctor` says of stored secrets, on a real table.
@Suite("Stored secrets, for doctor", .needsPostgres)
struct SecretsExaminationTests {
    typealias Keys = KeyRotationTests

    static func checks(_ pool: PGPool, _ box: SecretBox?) async throws -> [CommandReports.Check] {
        let connection = try await PGConnection.open(pool.configuration, loop: pool.loop, log: .disabled)
        let found = try await SecretInspection(connection: connection).examine(box)
        await connection.close()
        return SecretsExamination.checks(found, box)
    }

    @Test("secrets are counted by key and column, and those of the present key are well")
    func well() async throws {
        try await DebateDatabase.with { pool in
            let box = try Keys.box(["ARAGORA_ENCRYPTION_KEY": Keys.new])
            #expect(try await Self.checks(pool, box).map(\.message) == ["stored secrets: none"])
            #expect(try await Self.checks(pool, nil).map(\.status) == [.passed])
            try await Keys.fill(pool, users: 3, webhooks: 2, by: box)
            let found = try await Self.checks(pool, box)
            #expect(found.map(\.status) == [.passed] && found.map(\.code) == [nil])
            for words in [
                box.currentVersion, "users.mfa_secret 3", "webhook_endpoints.secret 2", "webhook_endpoints.headers 2",
            ] {
                #expect(found[0].message.contains(words), "\(found[0].message)")
            }
        }
    }

    @Test("secrets under a previous key are advice, and under a key that is not set a fault that names rows")
    func keys() async throws {
        try await DebateDatabase.with { pool in
            let old = try Keys.box(["ARAGORA_ENCRYPTION_KEY": Keys.old])
            try await Keys.fill(pool, users: 5, webhooks: 1, by: old)
            let both = try await Self.checks(pool, try Keys.box(Keys.both))
            #expect(both.map(\.code) == ["ARA-D315"] && both.map(\.status) == [.warning])
            #expect(both[0].message.contains("\(old.currentVersion) (users.mfa_secret 5"), "\(both[0].message)")
            for box in [try Keys.box(["ARAGORA_ENCRYPTION_KEY": Keys.new]), nil] {
                let lost = try await Self.checks(pool, box)
                #expect(lost.map(\.code) == ["ARA-D314"] && lost.map(\.status) == [.failed])
                #expect(lost[0].message.contains("stored secrets: 7 open with no key"), "\(lost[0].message)")
                #expect(lost[0].message.contains("users.mfa_secret of usr_"), "\(lost[0].message)")
                #expect(lost[0].message.contains("…") && lost[0].message.contains(old.currentVersion))
            }
        }
    }

    @Test("a secret that was changed, or put into another row, is found by opening it, and only named")
    func changed() async throws {
        try await DebateDatabase.with { pool in
            let box = try Keys.box(["ARAGORA_ENCRYPTION_KEY": Keys.new])
            try await Keys.fill(pool, users: 2, webhooks: 2, by: box)
            _ = try await pool.execute(
                """
                UPDATE webhook_endpoints w SET secret = o.secret FROM webhook_endpoints o
                WHERE o.id <> w.id AND w.id = (SELECT min(id) FROM webhook_endpoints)
                """)
            _ = try await pool.execute(
                """
                UPDATE users SET mfa_secret = set_byte(mfa_secret, length(mfa_secret) - 1, 255 - get_byte(mfa_secret, length(mfa_secret) - 1))
                WHERE id = (SELECT max(id) FROM users)
                """)
            let hook = try await pool.query("SELECT min(id) AS id FROM webhook_endpoints")[0].text("id")
            let user = try await pool.query("SELECT max(id) AS id FROM users")[0].text("id")
            let found = try await Self.checks(pool, box)
            #expect(found.map(\.code) == [nil, "ARA-D314"])
            #expect(
                found[1].message
                    == "stored secrets: 2 open with no key that is set: users.mfa_secret of \(user), webhook_endpoints.secret of \(hook)",
                "\(found[1].message)")
        }
    }
}
