package import Domain
package import Ledger
package import PostgresClient

/// Reads everything that was recorded of one debate, so that it can be rebuilt.
package struct RecordingReader: Sendable {
    private let pool: PGPool
    private let walk: LogWalk

    package init(pool: PGPool) {
        self.pool = pool
        walk = LogWalk(pool: pool)
    }

    /// The log first: what is read after it can only know more.
    ///
    /// - Returns: nil when there is no such debate.
    /// - Throws: ``StorageError``.
    package func recording(of debate: DebateID) async throws(StorageError) -> DebateRecording? {
        var events: [SealedEvent] = []
        while true {
            let page = try await walk.events(of: debate, from: Int64(events.count) + 1)
            events += page
            if page.count < PostgresEventLog.maxReadLimit { break }
        }
        guard !events.isEmpty else { return nil }
        let receipt = try await ReceiptReader(pool: pool).receipt(of: debate)
        let (calls, commands) = try await inputs(of: debate)
        return DebateRecording(
            debate: debate, events: events, calls: calls, commands: commands, receipt: receipt?.document)
    }

    /// Commands that the end rejected led to nothing.
    private func inputs(of debate: DebateID) async throws(StorageError) -> ([CallRecord], [DebateCommand]) {
        do {
            let answers = try await pool.batch([CallRows.select(debate), CommandRows.consumed(debate)])
            return (try answers[0].rows.map(CallRows.decode), try CommandRows.decode(answers[1].rows))
        } catch {
            throw StorageError.wrap(error, "recording")
        }
    }
}
