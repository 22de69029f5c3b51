import Testing

@testable import BackupCore

@Suite("Backup schedule")
struct BackupScheduleTests {
    static let waits: [(newest: Int64?, seconds: Int64)] = [
        (nil, 0), (1_000_000, 3600), (1_000_000 - 600, 3000), (1_000_000 - 3600, 0), (1_000_000 - 999_999, 0),
        (1_000_500, 3600),
    ]

    @Test(
        "the next backup is due an interval after the newest, at once without one, and a wrong clock delays by one interval",
        arguments: waits)
    func due(newest: Int64?, seconds: Int64) {
        let schedule = BackupSchedule(interval: .seconds(3600))
        #expect(schedule.wait(newest: newest, now: 1_000_000) == .seconds(seconds))
    }

    @Test("failed runs are tried again, later each time, and never later than the interval")
    func retries() {
        var schedule = BackupSchedule(interval: .seconds(86_400))
        var waits: [Duration] = []
        for _ in 0..<20 {
            schedule.failed(now: 1000)
            waits.append(schedule.wait(newest: nil, now: 1000))
            #expect(schedule.wait(newest: nil, now: 1000 + 3600) == .zero)
        }
        #expect(
            waits.prefix(7) == [
                .seconds(60), .seconds(120), .seconds(240), .seconds(480), .seconds(960), .seconds(1920),
                .seconds(3600),
            ])
        #expect(waits.allSatisfy { $0 <= .seconds(3600) })
        schedule.succeeded()
        #expect(schedule.wait(newest: nil, now: 1000) == .zero)
        var short = BackupSchedule(interval: .seconds(30))
        short.failed(now: 0)
        #expect(short.wait(newest: nil, now: 0) == .seconds(30))
    }

    @Test("a backup is overdue after one and a half intervals, and when the first one fails")
    func overdue() {
        var schedule = BackupSchedule(interval: .seconds(1000))
        #expect(!schedule.isOverdue(newest: 0, now: 1500))
        #expect(schedule.isOverdue(newest: 0, now: 1501))
        #expect(!schedule.isOverdue(newest: nil, now: 0))
        schedule.failed(now: 0)
        #expect(schedule.isOverdue(newest: nil, now: 0))
    }
}
