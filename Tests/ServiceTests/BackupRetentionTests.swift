import Platform
import Testing

@testable import BackupCore

@Suite("Backup retention")
struct BackupRetentionTests {
    /// 2026-05-20, a Wednesday, noon.
    static let now = second("2026-05-20T12:00:00Z")

    static func second(_ text: String) -> Int64 { (ISO8601.milliseconds(text) ?? 0) / 1000 }
    static func names(_ days: [String]) -> [BackupName] {
        days.map { BackupName(second: second("\($0)T03:00:00Z")) }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let there: [String]
        let expired: [String]
    }

    static let cases = [
        Case(testDescription: "nothing is nothing", there: [], expired: []),
        Case(testDescription: "the only one stays, however old", there: ["2020-01-01"], expired: []),
        Case(
            testDescription: "the newest stays when all are far too old", there: ["2020-01-01", "2020-01-02"],
            expired: ["2020-01-01"]),
        Case(
            testDescription: "all of the last seven days stay",
            there: ["2026-05-14", "2026-05-15", "2026-05-16", "2026-05-17", "2026-05-18", "2026-05-19", "2026-05-20"],
            expired: []),
        Case(
            testDescription: "of an earlier week the newest stays",
            there: ["2026-05-04", "2026-05-05", "2026-05-06", "2026-05-20"], expired: ["2026-05-04", "2026-05-05"]),
        Case(
            testDescription: "of an earlier month the newest stays, of a fourth one none",
            there: ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-30", "2026-04-12", "2026-04-13", "2026-05-20"],
            expired: ["2026-02-27", "2026-02-28", "2026-03-01", "2026-04-12"]),
        Case(testDescription: "one from the future stays", there: ["2026-05-20", "2030-01-01"], expired: []),
    ]

    @Test("keeps days, weeks and months", arguments: cases)
    func table(row: Case) {
        let policy = RetentionPolicy(days: 7)
        let expired = policy.expired(Self.names(row.there).shuffled(), now: Self.now)
        #expect(expired == Self.names(row.expired))
    }

    @Test("never removes the newest, whatever is there")
    func newestStays() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let there = (0..<Int.random(in: 1...40)).map { _ in
                BackupName(second: Int64.random(in: 0...(2 * Self.now), using: &generator))
            }
            let policy = RetentionPolicy(
                days: .random(in: 0...30), weeks: .random(in: 0...5), months: .random(in: 0...5))
            let expired = policy.expired(there, now: Self.now)
            #expect(!expired.contains(there.max()!))
            // Once removed, the rest is stable: a second look removes no more.
            #expect(policy.expired(there.filter { !expired.contains($0) }, now: Self.now).isEmpty)
        }
    }

    @Test("a name says its second, and is read back")
    func roundTrip() throws {
        let name = BackupName(second: Self.second("2026-01-02T03:04:05Z"))
        #expect(name.file == "aragora-20260102_030405.sql.gz")
        #expect(name.manifest == "aragora-20260102_030405.json")
        #expect(BackupName(file: name.file) == name)
    }

    @Test(
        "a file of another form is not ours",
        arguments: [
            "latest", "aragora-.sql.gz", "aragora-20260102_030405.sql.gz.partial", "aragora-20260102-030405.sql.gz",
            "aragora-20260231_030405.sql.gz", "aragora-2026010２_030405.sql.gz", "other-20260102_030405.sql.gz",
            "aragora-20260102_250405.sql.gz",
        ])
    func foreign(file: String) { #expect(BackupName(file: file) == nil) }
}
