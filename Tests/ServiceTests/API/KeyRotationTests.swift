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

@Suite("Changing the encryption key", .needsPostgres, .timeLimit(.minutes(3)))
struct KeyRotationTests {
    static let old = String(repeating: "1f", count: 32)
    static let new = String(repeating: "2e", count: 32)
    static let both = ["ARAGORA_ENCRYPTION_KEY": new, "ARAGORA_ENCRYPTION_KEY_PREVIOUS": old]

    static func box(_ keys: [String: String]) throws -> SecretBox {
        var reader = SettingsReader(lookup: { keys[$0] })
        return try #require(SessionSettings(reading: &reader).durableBox(derivedFrom: []))
    }

    /// Users with a second factor, and webhooks, sealed by `box`.
    static func fill(_ pool: PGPool, users: Int, webhooks: Int, by box: SecretBox) async throws {
        for number in 0..<users {
            let id = UserID(milliseconds: Int64(number + 1), random: [UInt8](repeating: 3, count: 10))
            let sealed = try box.seal(Array("totp \(id.text)".utf8), for: "users.mfa_secret:\(id.text)")
            _ = try await pool.execute(
                """
                INSERT INTO users (id, email, name, org_id, role, mfa_secret, mfa_enabled, mfa_backup_codes)
                VALUES (\(id.text), \("u\(number)@example.org"), '', 'org_default', 'member', \(sealed), true,
                        \([[UInt8](repeating: 1, count: 32)]))
                """)
        }
        for number in 0..<webhooks {
            let id = WebhookID(milliseconds: Int64(number + 1), random: [UInt8](repeating: 4, count: 10))
            let now = Timestamp(milliseconds: 1)
            let endpoint = WebhookEndpoint(
                id: id, url: "https://hooks.example.org/", events: ["*"], about: nil,
                secret: try box.seal(Array("secret \(id.text)".utf8), for: WebhookEndpoint.secretPurpose(id)),
                headers: try box.seal(Array("{}".utf8), for: WebhookEndpoint.headersPurpose(id)), isActive: true,
                createdBy: "test", createdAt: now, updatedAt: now)
            #expect(try await WebhookStore(pool: pool).add(endpoint, to: .default))
        }
    }

    /// Opens every secret there is for what it was sealed for; how many the present key sealed, and how many there are.
    static func openAll(_ pool: PGPool, _ box: SecretBox) async throws -> (current: Int, all: Int) {
        var sealed: [[UInt8]] = []
        for row in try await pool.query("SELECT id, mfa_secret FROM users WHERE mfa_secret IS NOT NULL") {
            let (id, secret) = (try row.text("id"), try row.bytes("mfa_secret"))
            #expect(try box.open(secret, for: "users.mfa_secret:\(id)") == Array("totp \(id)".utf8))
            sealed.append(secret)
        }
        for row in try await pool.query("SELECT id, secret, headers FROM webhook_endpoints") {
            let id = try #require(WebhookID(try row.text("id")))
            let (secret, headers) = (try row.bytes("secret"), try row.bytes("headers"))
            #expect(try box.open(secret, for: WebhookEndpoint.secretPurpose(id)) == Array("secret \(id.text)".utf8))
            #expect(try box.open(headers, for: WebhookEndpoint.headersPurpose(id)) == Array("{}".utf8))
            sealed += [secret, headers]
        }
        return (sealed.count { SecretBox.version(of: $0) == box.currentVersion }, sealed.count)
    }

    private func scheduler(_ pool: PGPool, _ box: SecretBox, _ name: String, batch: Int = 5) -> KeyRotationScheduler {
        KeyRotationScheduler(
            store: KeyRotationStore(pool: pool), box: box, settings: KeyRotationSettings(batch: batch), loop: pool.loop,
            holder: name, log: .disabled, metrics: Metrics())
    }

    @Test("an administrator sees secrets by key, rotates them, and reads of it in the audit log; others may not")
    func routes() async throws {
        try await APIFixture.with(Self.both) { api in
            let admin = try await api.register("admin@example.org")
            let member = try await api.person("member@example.org", "member", by: admin)
            let box = try Self.box(Self.both)
            try await Self.fill(api.pool, users: 7, webhooks: 2, by: try Self.box(["ARAGORA_ENCRYPTION_KEY": Self.old]))
            // And what has another key than a row's id: a callback of a debate, and a reply on its way.
            let old = try Self.box(["ARAGORA_ENCRYPTION_KEY": Self.old])
            let debate = try await api.create()
            _ = try await api.pool.execute(
                """
                INSERT INTO debate_callbacks (debate_id, channel, org_id, target, address)
                VALUES (\(debate), 'slack', 'org_default', 'x', \(try old.seal([1], for: "callback slack \(debate)")))
                """)
            _ = try await api.pool.execute(
                """
                INSERT INTO webhook_outbox (debate_id, org_id, event_type, target, body, message_id, callback, address)
                VALUES ('', 'org_default', 'x', 'x', '', 'msg_1', 'slack', \(try old.seal([2], for: "reply msg_1")))
                """)
            let before = try await api.get("/api/v1/admin/security/keys", token: admin.access)
            let keys = try #require(before.json["keys"]?.array)
            // The last is made from the service token, for installations that had no encryption key before.
            #expect(keys.map { $0["state"]?.string } == ["current", "previous", "previous"], "\(before.text)")
            #expect(keys[1]["secrets"]?.int == 13 && before.json["previous_needed"]?.bool == true)
            #expect(keys[1]["by_store"]?["users.mfa_secret"]?.int == 7)
            #expect(before.json["previous_removable_at"]?.isNull == true)
            #expect(!before.text.contains(Self.old) && !before.text.contains(Self.new))
            let refused = try await api.post(
                "/api/v1/admin/security/rotate-key", #"{"key_type":"encryption"}"#, as: member)
            #expect(refused.status == 403)
            let wrong = try await api.post("/api/v1/admin/security/rotate-key", #"{"key_type":"jwt"}"#, as: admin)
            #expect(wrong.status == 400)
            let rotated = try await api.post(
                "/api/v1/admin/security/rotate-key", #"{"key_type":"encryption"}"#, as: admin)
            #expect(rotated.json["status"]?.string == "completed", "\(rotated.text)")
            #expect(rotated.json["rotation"]?["resealed"]?.int == 13)
            let moved = try await api.pool.query(
                "SELECT address FROM debate_callbacks UNION ALL SELECT address FROM webhook_outbox WHERE message_id = 'msg_1'"
            )
            #expect(try box.open(moved[0].bytes("address"), for: "callback slack \(debate)") == [1])
            #expect(try box.open(moved[1].bytes("address"), for: "reply msg_1") == [2])
            #expect(try moved.allSatisfy { SecretBox.version(of: try $0.bytes("address")) == box.currentVersion })
            #expect(try await Self.openAll(api.pool, box) == (11, 11))
            let after = try await api.get("/api/admin/security/keys", token: admin.access)
            #expect(after.json["previous_needed"]?.bool == false && after.json["previous_removable_at"]?.string != nil)
            let status = try await api.get("/api/admin/security/rotation-status", token: admin.access)
            #expect(status.json["status"]?.string == "idle" && status.json["rotations"]?.array?.count == 1)
            let audit = try await api.get("/api/audit?action=encryption_key.rotation_ended", token: admin.access)
            #expect(audit.json["total"]?.int == 1)
            #expect(audit.json["entries"]?.array?.first?["entry"]?["user_id"]?.string == admin.id)
            let verified = try await api.get("/api/audit/verify", token: admin.access)
            #expect(verified.json["valid"]?.bool == true)
        }
    }

    @Test("of many that look at once one rotates, and every secret opens all the while")
    func oneLeader() async throws {
        try await DebateDatabase.with(poolSize: 8) { pool in
            let box = try Self.box(Self.both)
            try await Self.fill(pool, users: 23, webhooks: 4, by: try Self.box(["ARAGORA_ENCRYPTION_KEY": Self.old]))
            let outcomes = try await withThrowingTaskGroup(of: KeyRotationScheduler.Outcome.self) { group in
                for number in 0..<6 {
                    let scheduler = scheduler(pool, box, "process-\(number)", batch: 3)
                    group.addTask { try await scheduler.rotate(requestedBy: "scheduler") }
                }
                var outcomes: [KeyRotationScheduler.Outcome] = []
                for try await outcome in group { outcomes.append(outcome) }
                return outcomes
            }
            let ended = outcomes.filter { if case .ended = $0 { true } else { false } }
            #expect(ended.count == 1, "\(outcomes)")
            #expect(try await Self.openAll(pool, box) == (31, 31))
            let rows = try await pool.query("SELECT state, resealed FROM key_rotations")
            #expect(try rows.map { try $0.text("state") } == ["completed"] && rows[0].int64("resealed") == 31)
            // Nothing is left to do, and nothing is done.
            guard case .nothing = try await scheduler(pool, box, "later").rotate(requestedBy: "scheduler") else {
                Issue.record("a second rotation")
                return
            }
        }
    }

    @Test("a process that still has the older key undoes nothing; an operator's word makes it the one again")
    func olderKey() async throws {
        try await DebateDatabase.with { pool in
            let (old, new) = (
                try Self.box(["ARAGORA_ENCRYPTION_KEY": Self.old, "ARAGORA_ENCRYPTION_KEY_PREVIOUS": Self.new]),
                try Self.box(Self.both)
            )
            try await Self.fill(pool, users: 6, webhooks: 0, by: old)
            guard case .nothing = try await scheduler(pool, old, "old").rotate(requestedBy: "scheduler") else {
                Issue.record("nothing was to be done")
                return
            }
            _ = try await scheduler(pool, new, "new").rotate(requestedBy: "scheduler")
            #expect(try await Self.openAll(pool, new) == (6, 6))
            guard case .outdated(let newest) = try await scheduler(pool, old, "old").rotate(requestedBy: "scheduler")
            else {
                Issue.record("the older key was sealed under again")
                return
            }
            #expect(newest == new.currentVersion)
            #expect(try await Self.openAll(pool, new) == (6, 6))
            _ = try await scheduler(pool, old, "old").rotate(requestedBy: "operator", isOrdered: true)
            #expect(try await Self.openAll(pool, old) == (6, 6))
        }
    }

    @Test("what no key opens stays as it is, is counted, and keeps nobody busy")
    func unreadable() async throws {
        try await DebateDatabase.with { pool in
            let lost = try Self.box(["ARAGORA_ENCRYPTION_KEY": String(repeating: "77", count: 32)])
            try await Self.fill(pool, users: 4, webhooks: 0, by: lost)
            let metrics = Metrics()
            let box = try Self.box(Self.both)
            let scheduler = KeyRotationScheduler(
                store: KeyRotationStore(pool: pool), box: box, settings: KeyRotationSettings(), loop: pool.loop,
                holder: "one", log: .disabled, metrics: metrics)
            await scheduler.check()
            #expect(try await pool.query("SELECT 1 FROM key_rotations").isEmpty)
            let text = metrics.render()
            #expect(text.contains(#"aragora_sealed_secrets{key="unreadable"} 4"#), "\(text)")
            #expect(text.contains("aragora_encryption_key_due_seconds"))
            guard case .ended(let rotation) = try await scheduler.rotate(requestedBy: "operator", isOrdered: true)
            else {
                Issue.record("an ordered rotation says what it could not do")
                return
            }
            #expect(rotation.state == .failed && rotation.unreadable == 4 && rotation.resealed == 0)
            #expect(try await Self.openAll(pool, lost) == (4, 4))
        }
    }

    @Test("every column of bytes is either reached by a rotation or known to hold no sealed secret")
    func everyColumn() async throws {
        let plain: Set<String> = [
            "api_keys.digest", "password_resets.digest", "sign_on_attempts.state_digest",
            "sign_on_attempts.browser_digest", "audit_heads.base_hash", "audit_heads.last_hash", "audit_log.document",
            "audit_log.prev_hash", "audit_log.hash", "users.mfa_backup_codes",
        ]
        try await DebateDatabase.with { pool in
            let names = try await pool.query(
                """
                SELECT table_name || '.' || column_name AS name FROM information_schema.columns
                WHERE table_schema = current_schema() AND (udt_name IN ('bytea', '_bytea'))
                  AND table_name IN (SELECT table_name FROM information_schema.tables
                                     WHERE table_schema = current_schema() AND table_type = 'BASE TABLE')
                """
            ).map { try $0.text("name") }
            let sealed = Set(SealedColumn.all.map(\.name))
            #expect(sealed.isSubset(of: names))
            let suspicious = names.filter { name in
                ["secret", "token", "header", "key", "sealed", "users.", "webhook", "slack", "callback"].contains {
                    name.contains($0)
                }
                    && !sealed.contains(name) && !plain.contains(name) && !name.hasSuffix("_hash")
                    && !name.hasSuffix(".body") && !name.hasSuffix("digest")
            }
            #expect(suspicious.isEmpty, "name them in SealedColumn.all, or here: \(suspicious)")
        }
    }

    @Test("what was sealed before there was an encryption key opens with one, and is sealed under it")
    func fromTokenToKey() async throws {
        let token = Array("a-service-token-of-the-installation".utf8)
        func box(_ keys: [String: String]) throws -> SecretBox {
            var reader = SettingsReader(lookup: { keys[$0] })
            return try #require(SessionSettings(reading: &reader).durableBox(derivedFrom: [token]))
        }
        try await DebateDatabase.with { pool in
            try await Self.fill(pool, users: 3, webhooks: 0, by: try box([:]))
            let now = try box(["ARAGORA_ENCRYPTION_KEY": Self.new])
            _ = try await scheduler(pool, now, "one").rotate(requestedBy: "scheduler")
            #expect(try await Self.openAll(pool, try Self.box(["ARAGORA_ENCRYPTION_KEY": Self.new])) == (3, 3))
        }
    }
}
