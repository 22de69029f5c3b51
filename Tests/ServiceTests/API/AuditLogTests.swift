import Contracts
import Crypto
import Domain
import HTTP
import Platform
import PostgresClient
import Storage
import TestSupport
import Testing

@testable import aragora_api

@Suite("The audit log", .needsPostgres, .timeLimit(.minutes(3)))
struct AuditLogTests {
    static let origin = Origin(address: "10.0.0.1", userAgent: "a test", requestID: "req_1")

    @Test("its export is a chain that anybody can compute again, each line after the one before")
    func export() async throws {
        try await APIFixture.with { api in
            let admin = try await api.register("admin@example.org")
            for number in 1...4 { _ = try await api.key(of: admin, #"{"name":"key \#(number)"}"#) }
            _ = try await api.register("other@example.org", organization: "Others")
            let export = try await api.send("GET", "/api/audit/export", token: admin.access, headers: ["TE": ""])
            #expect(export.status == 200)
            let lines = export.text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("{") }
            #expect(lines.count >= 7)
            var previous = Hex.encode(AuditLog.genesis(.default))
            for (index, line) in lines.enumerated() {
                let value = try JSONParser.parse(Array(line.utf8))
                let entry = CanonicalJSON.encode(try #require(value["entry"]))
                #expect(value["prev_hash"]?.string == previous)
                let before = try #require(Hex.decode(previous))
                previous = Hex.encode(SHA256.hash(before, entry))
                #expect(value["hash"]?.string == previous)
                #expect(value["entry"]?["seq"]?.int == Int64(index + 1))
                #expect(value["entry"]?["org_id"]?.string == "org_default")
            }
            let verified = try await api.get("/api/audit/verify", token: admin.access)
            #expect(verified.json["valid"]?.bool == true)
            #expect(verified.json["chain"]?["head_hash"]?.string == previous)
        }
    }

    @Test("no row is changed or removed, and one that was anyway is found")
    func tampering() async throws {
        try await APIFixture.with { api in
            let admin = try await api.register("admin@example.org")
            for statement in [
                "UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log", "TRUNCATE audit_log",
            ] {
                await #expect(throws: PGError.self) { try await api.pool.execute(SQL(text: statement)) }
            }
            _ = try await api.pool.execute("ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only")
            _ = try await api.pool.execute(
                """
                UPDATE audit_log SET document = convert_to(replace(convert_from(document, 'UTF8'), 'admin@', 'bdmin@'),
                    'UTF8') WHERE seq = 1
                """)
            let verified = try await api.get("/api/audit/verify", token: admin.access)
            #expect(verified.json["valid"]?.bool == false && verified.json["first_broken_seq"]?.int == 1)
        }
    }

    @Test("retention removes the oldest, tells of it, and leaves a chain; a legal hold keeps all")
    func retention() async throws {
        try await APIFixture.with { api in
            let admin = try await api.register("admin@example.org")
            for number in 1...3 { _ = try await api.key(of: admin, #"{"name":"key \#(number)"}"#) }
            _ = try await api.pool.execute("ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only")
            _ = try await api.pool.execute("UPDATE audit_log SET at = at - interval '100 days' WHERE seq <= 3")
            _ = try await api.pool.execute("ALTER TABLE audit_log ENABLE TRIGGER audit_log_append_only")
            let audit = AuditLog(pool: api.pool)
            let held = try await api.post("/api/audit/legal-hold", #"{"legal_hold":true}"#, as: admin)
            #expect(held.json["legal_hold"]?.bool == true)
            #expect(try await audit.trim(olderThanDays: 90, origin: Self.origin) == 0)
            _ = try await api.post("/api/audit/legal-hold", #"{"legal_hold":false}"#, as: admin)
            #expect(try await audit.trim(olderThanDays: 90, origin: Self.origin) == 3)
            #expect(try await audit.trim(olderThanDays: 90, origin: Self.origin) == 0)
            let verified = try await api.get("/api/audit/verify", token: admin.access)
            #expect(verified.json["valid"]?.bool == true && verified.json["chain"]?["first_seq"]?.int == 4)
            let trimmed = try await api.get("/api/audit?action=audit.trimmed", token: admin.access)
            #expect(trimmed.json["entries"]?.array?.first?["entry"]?["metadata"]?["last_seq"]?.int == 3)
        }
    }

    @Test("many who write at once make one chain")
    func concurrent() async throws {
        try await APIFixture.with { api in
            let audit = AuditLog(pool: api.pool)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        try await audit.append(
                            AuditEntry(
                                .loginFailed, by: "anonymous", in: .default, on: "account", "user-\(number)",
                                from: Self.origin))
                    }
                }
                try await group.waitForAll()
            }
            let verified = try await api.get("/api/audit/verify")
            #expect(verified.json["valid"]?.bool == true && verified.json["entries_checked"]?.int == 40)
        }
    }
}
