import Crypto
import Domain
import FaultSupport
import Glibc
import Platform
import PostgresClient
import ServiceKit
import Storage
import TestSupport
import Testing

@Suite("A key rotation that is killed", .needsPostgres, .timeLimit(.minutes(4)))
struct KeyRotationKillTests {
    static let old = String(repeating: "1f", count: 32)
    static let new = String(repeating: "2e", count: 32)

    private func box(_ keys: [String: String]) throws -> SecretBox {
        var reader = SettingsReader(lookup: { keys[$0] })
        return try #require(SessionSettings(reading: &reader).durableBox(derivedFrom: []))
    }

    /// Runs `aragora keys …` on the schema of the pool.
    private func keys(
        _ words: [String], on pool: PGPool, folder: String, fault: String? = nil
    ) async throws -> (end: ServiceProcess.End, said: String) {
        let schema = try #require(pool.configuration.sessionParameters["search_path"])
        let url = try #require(Backends.postgresURL)
        var environment = [
            "ARAGORA_POSTGRES_DSN": url + (url.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(schema)",
            "ARAGORA_ENCRYPTION_KEY": Self.new, "ARAGORA_ENCRYPTION_KEY_PREVIOUS": Self.old,
            "ARAGORA_KEY_ROTATION_BATCH": "4",
        ]
        environment["ARAGORA_KILL_POINT"] = fault
        let name = "keys-\(UInt32.random(in: .min ... .max))"
        let process = try ServiceProcess(
            name: name, binary: "\(StackFolder.binaries)/aragora", arguments: ["keys"] + words,
            environment: environment, logPath: "\(folder)/\(name).log")
        return (try await process.waitForEnd(), StackFolder.read("\(folder)/\(name).log"))
    }

    /// Every secret opens, before and after.
    private func openAll(_ pool: PGPool, _ box: SecretBox) async throws -> (current: Int, all: Int) {
        var (current, all) = (0, 0)
        for (table, column, purpose) in [
            ("users", "mfa_secret", "users.mfa_secret:"), ("webhook_endpoints", "secret", "webhook secret "),
            ("webhook_endpoints", "headers", "webhook headers "),
        ] {
            for row in try await pool.query("SELECT id, \(raw: column) AS sealed FROM \(raw: table)") {
                let (id, sealed) = (try row.text("id"), try row.bytes("sealed"))
                #expect(try box.open(sealed, for: purpose + id) == Array("\(column) of \(id)".utf8))
                all += 1
                current += SecretBox.version(of: sealed) == box.currentVersion ? 1 : 0
            }
        }
        return (current, all)
    }

    @Test(
        "leaves every secret readable, and the next run goes on where it was",
        arguments: [
            "after-rotation-begin:1", "inside-rotation:1", "inside-rotation:2", "inside-rotation:4",
            "after-rotation-batch:1", "after-rotation-batch:3", "before-rotation-end:1",
        ])
    func killed(_ fault: String) async throws {
        let folder = try StackFolder.make("rotation-\(UInt32.random(in: .min ... .max))")
        defer { StackFolder.remove(folder) }
        try await DebateDatabase.with { pool in
            let before = try box(["ARAGORA_ENCRYPTION_KEY": Self.old])
            let both = try box(["ARAGORA_ENCRYPTION_KEY": Self.new, "ARAGORA_ENCRYPTION_KEY_PREVIOUS": Self.old])
            for number in 0..<10 {
                let id = UserID(milliseconds: Int64(number + 1), random: [UInt8](repeating: 3, count: 10)).text
                let sealed = try before.seal(Array("mfa_secret of \(id)".utf8), for: "users.mfa_secret:\(id)")
                _ = try await pool.execute(
                    """
                    INSERT INTO users (id, email, name, org_id, role, mfa_secret, mfa_enabled)
                    VALUES (\(id), \("u\(number)@example.org"), '', 'org_default', 'member', \(sealed), true)
                    """)
                let hook = WebhookID(milliseconds: Int64(number + 1), random: [UInt8](repeating: 4, count: 10))
                let now = Timestamp(milliseconds: 1)
                _ = try await WebhookStore(pool: pool).add(
                    WebhookEndpoint(
                        id: hook, url: "https://hooks.example.org/", events: ["*"], about: nil,
                        secret: try before.seal(
                            Array("secret of \(hook.text)".utf8), for: WebhookEndpoint.secretPurpose(hook)),
                        headers: try before.seal(
                            Array("headers of \(hook.text)".utf8), for: WebhookEndpoint.headersPurpose(hook)),
                        isActive: true, createdBy: "test", createdAt: now, updatedAt: now), to: .default)
            }
            let status = try await keys(["status"], on: pool, folder: folder)
            #expect(status.end == .exited(1) && status.said.contains("previous: 30 secrets"), "\(status.said)")

            let killed = try await keys(["rotate"], on: pool, folder: folder, fault: fault)
            #expect(killed.end == .signalled(SIGKILL), "\(killed)")
            let left = try await openAll(pool, both)
            #expect(left.all == 30)
            if fault.hasPrefix("before") { #expect(left.current == 30) } else { #expect(left.current < 30) }
            if fault == "after-rotation-batch:1" { #expect(left.current == 4) }
            if fault == "inside-rotation:2" { #expect(left.current == 4) }

            // Its lease is its until it runs out: nobody else begins beside it.
            let early = try await keys(["rotate"], on: pool, folder: folder)
            #expect(early.end == .exited(0) && early.said.contains("another process is at it"), "\(early.said)")
            #expect(try await openAll(pool, both) == left)
            _ = try await pool.execute("UPDATE key_rotations SET lease_until = now() - interval '1 second'")
            let done = try await keys(["rotate"], on: pool, folder: folder)
            #expect(done.end == .exited(0) && done.said.contains("completed"), "\(done.said)")
            // Under the new key alone now.
            #expect(try await openAll(pool, try box(["ARAGORA_ENCRYPTION_KEY": Self.new])) == (30, 30))
            let row = try await pool.query("SELECT state, resealed FROM key_rotations").first
            #expect(try row?.text("state") == "completed" && row?.int64("resealed") == 30)
            let after = try await keys(["status"], on: pool, folder: folder)
            #expect(after.end == .exited(0), "\(after.said)")
        }
    }
}
