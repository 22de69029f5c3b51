import BackupCore
import Contracts
import Platform
import ServiceKit

/// What metrics and health say of the backups: age and size of the newest verified one.
final class BackupStatus: Sendable {
    private struct State {
        var newest: BackupFolder.Entry?
        var isOverdue = false
    }

    struct Overdue: Error, CustomStringConvertible {
        let description: String
    }

    private let state = Lock(State())
    private let metrics: Metrics

    init(metrics: Metrics) {
        self.metrics = metrics
        metrics.declare(.backupRuns, .backupDuration)
        metrics.onScrape { [weak self] _ in self?.export() }
    }

    func found(_ newest: BackupFolder.Entry?) { state.withLock { $0.newest = newest } }
    func setOverdue(_ isOverdue: Bool) { state.withLock { $0.isOverdue = isOverdue } }

    func finished(_ outcome: String, newest: BackupFolder.Entry?) {
        metrics.add(.backupRuns, [outcome])
        if let newest { found(newest) }
    }

    /// One sentence for `/health`.
    /// - Throws: ``Overdue`` when the newest backup is too old.
    func report() throws -> String {
        let state = state.withLock { $0 }
        let words = state.newest.map { "newest \($0.name.file)" } ?? "none yet"
        guard !state.isOverdue else { throw Overdue(description: "overdue, \(words)") }
        return words
    }

    private func export() {
        guard let newest = state.withLock({ $0.newest }) else { return }
        metrics.set(.backupAge, to: Double(WallClock.nowMilliseconds()) / 1000 - Double(newest.name.second))
        metrics.set(.backupSize, to: Double(newest.manifest.sizeBytes))
        metrics.set(.backupLastSuccess, to: Double(newest.name.second))
    }
}
