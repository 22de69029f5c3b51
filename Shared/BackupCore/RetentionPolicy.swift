/// Which verified backups may go: a pure decision.
///
/// Kept: all of the last days; then the newest of each of the last weeks, and of the last months, that have one. The
/// newest is kept whatever its age, so that failing runs can never use up the last good one.
package struct RetentionPolicy: Sendable, Hashable {
    static let daySeconds: Int64 = 86_400

    /// Everything younger than this many days is kept.
    package let days: Int
    /// Weeks and months, this one included, of which the newest backup is kept.
    package let weeks: Int
    package let months: Int

    package init(days: Int, weeks: Int = 4, months: Int = 3) {
        self.days = days
        self.weeks = weeks
        self.months = months
    }

    /// Those of `verified` that are no longer needed, oldest first. Names from the future are kept.
    /// - Parameter now: seconds since 1970.
    package func expired(_ verified: [BackupName], now: Int64) -> [BackupName] {
        let newestFirst = verified.sorted(by: >)
        var kept = Set(newestFirst.prefix(1))
        kept.formUnion(newestFirst.filter { now - $0.second < Int64(days) * Self.daySeconds })
        kept.formUnion(newest(of: newestFirst, per: Self.week, last: weeks, now: now))
        kept.formUnion(newest(of: newestFirst, per: \.month, last: months, now: now))
        return newestFirst.filter { !kept.contains($0) }.reversed()
    }

    private func newest(
        of newestFirst: [BackupName], per period: (BackupName) -> Int64, last count: Int, now: Int64
    ) -> [BackupName] {
        let oldest = period(BackupName(second: now)) - Int64(count) + 1
        var seen: Set<Int64> = []
        return newestFirst.filter { period($0) >= oldest && seen.insert(period($0)).inserted }
    }

    /// Weeks since a Monday; 1970-01-01 was a Thursday.
    private static func week(_ name: BackupName) -> Int64 { (name.second / daySeconds + 3) / 7 }
}
