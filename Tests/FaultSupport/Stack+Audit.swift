import Contracts
import Crypto
package import Domain
import Ledger
import Platform
import PostgresClient
import Storage

/// What must be true of every debate when all is over, whatever was done to the processes.
extension Stack {
    /// Waits for the end of the debate and of its viewers, and notes everything that is not as it must be.
    ///
    /// - Parameters:
    ///   - statuses: how the debate may have ended.
    ///   - takeovers: how many holders may have lost the debate before the last one; nil for any number.
    ///   - api: the one whose answer must agree.
    package func audit(
        _ debate: DebateID, viewers: [Viewer] = [], ends statuses: Set<DebateStatus> = [.completed],
        takeovers: Int? = nil,
        asking api: Member = .api(1)
    ) async throws {
        let run = try await awaitEnd(debate)
        check(statuses.contains(run.status), "\(debate) ended as \(run.status)")
        for viewer in viewers { try await auditViewer(viewer, run) }
        let events = try await auditLog(debate, run)
        try await auditCalls(debate, events, takeovers)
        try await auditReceipt(debate, run.status, events)
        try await auditReplay(debate)
        for finding in try await StackWitness.findings(pool) { note(finding) }
        try await auditTables()
        try await auditAnswer(debate, run, api)
    }

    /// The viewer has seen what the log has, from 1 to its end, and nothing else.
    package func auditViewer(_ viewer: Viewer, _ run: Run) async throws {
        try await sawAll(viewer)
        check(viewer.problems.isEmpty, "\(viewer.name): \(viewer.problems.joined(separator: "; "))")
        check(viewer.tail == run.tail, "\(viewer.name) ended at event \(viewer.tail.seq), the log at \(run.tail.seq)")
        check(
            viewer.types.count { $0 == "debate_end" } == 1, "\(viewer.name) saw not one debate_end: \(viewer.types)")
    }

    /// What the tables must agree on, over all debates.
    package func auditTables() async throws {
        for problem in try await LogWalk(pool: pool).contradictions() { note(problem) }
        try await auditRatings()
    }

    /// Every debate that completed has one match, numbers have no gap, and the logs give the same ratings.
    private func auditRatings() async throws {
        for problem in try await RatingRebuild(pool: pool, rules: .standard).check().problems { note(problem) }
        let early = try await pool.query(
            """
            SELECT m.debate_id, r.status FROM matches m JOIN debate_runs r ON r.debate_id = m.debate_id
            WHERE r.status <> 'completed'
            """)
        for row in early { note("\(try row.text("debate_id")) is \(try row.text("status")) and has a match") }
    }

    private func sawAll(_ viewer: Viewer) async throws {
        do {
            try await eventually("\(viewer.name) sees the end") { viewer.hasEnded || !viewer.problems.isEmpty }
        } catch {
            note("\(error); it is at event \(viewer.tail.seq) after \(viewer.connections) connections")
        }
    }

    /// What was recorded leads to the same bytes, whatever happened on the way; after an erasure, as far as it is there.
    package func auditReplay(_ debate: DebateID) async throws {
        guard let recording = try await RecordingReader(pool: pool).recording(of: debate) else {
            return note("nothing of \(debate) is recorded")
        }
        let erased = recording.events.first { $0.data.isEmpty }
        do {
            _ = try ReplayedDebate(recording)
            check(erased == nil, "\(debate) was rebuilt without event \(erased?.seq ?? 0)")
        } catch {
            let isExpected = error.reason == .erased && error.seq == erased?.seq
            check(isExpected, "\(debate) can not be rebuilt: \(error)")
        }
    }

    /// One chain from 1 to the row's tail, epochs that never go back, one `debate_end`, last.
    package func auditLog(_ debate: DebateID, _ run: Run) async throws -> [SealedEvent] {
        var events: [SealedEvent] = []
        let log = PostgresEventLog(pool: pool)
        while case let page = try await log.read(debate, from: Int64(events.count) + 1, limit: 500), !page.isEmpty {
            events += page
        }
        var verifier = ChainVerifier(debateID: debate)
        for event in events {
            do { try verifier.feed(event) } catch {
                note("the log of \(debate): \(error)")
                break
            }
        }
        check(verifier.tail == run.tail, "the log ends at \(verifier.tail.seq), its row says \(run.tail.seq)")
        let ends = events.filter { $0.type == "debate_end" }
        check(ends.count == 1 && events.last?.type == "debate_end", "not one debate_end, last: \(events.map(\.type))")
        check(events.count { $0.type == "debate_start" } == 1, "not one debate_start")
        check(
            (events.last?.epoch ?? 0) == run.epoch,
            "the end is of epoch \(events.last?.epoch ?? 0), the run's is \(run.epoch)")
        return events
    }

    // MARK: Calls

    private struct Call {
        let key: String
        let attempt: Int
        let state: String
        let epoch: Int64
    }

    private func calls(of debate: DebateID) async throws -> [Call] {
        try await pool.query(
            """
            SELECT call_key, attempt, state, epoch FROM agent_calls
            WHERE debate_id = \(debate.text) ORDER BY call_key, attempt
            """
        ).map { row in
            Call(
                key: try row.text("call_key"), attempt: try row.int("attempt"), state: try row.text("state"),
                epoch: try row.int64("epoch"))
        }
    }

    /// Nothing is open, nothing answered was asked again, and no key was sent more often than holders changed.
    package func auditCalls(_ debate: DebateID, _ events: [SealedEvent], _ takeovers: Int?) async throws {
        let all = try await calls(of: debate)
        for call in all where call.state == "intent" {
            note("\(debate) has an open call after the end: \(call.key) \(call.attempt)")
        }
        for (key, attempts) in Dictionary(grouping: all, by: \.key) {
            let unretried = attempts.filter { $0.state != "failed" }
            check(
                Set(unretried.map(\.epoch)).count == unretried.count,
                "\(key) was sent twice by one holder: \(attempts.map(\.epoch))")
            if let takeovers {
                check(
                    unretried.count <= takeovers + 1,
                    "\(key) was sent \(unretried.count) times in \(takeovers) takeovers")
            }
        }
        for (key, uses) in Dictionary(grouping: events.compactMap { $0.call?.key.text }, by: { $0 })
        where uses.count > 1 {
            note("\(key) was consumed \(uses.count) times")
        }
    }

    // MARK: Receipt and answer

    package func auditReceipt(_ debate: DebateID, _ status: DebateStatus, _ events: [SealedEvent]) async throws {
        let receipt = try await ReceiptReader(pool: pool).receipt(of: debate)
        guard status == .completed || status == .timeout else {
            return check(receipt == nil, "a debate that is \(status) has a receipt")
        }
        guard let receipt else { return note("a debate that is \(status) has no receipt") }
        let found = try ReceiptVerifier(keys: try KeyRing(current: Self.signingKey)).verify(
            receipt.document, events: events)
        check(found.isProven && found.chain == .valid, "the receipt does not verify: \(found)")
    }

    package func auditAnswer(_ debate: DebateID, _ run: Run, _ api: Member) async throws {
        guard let answer = try? await get("/api/v1/debates/\(debate)", to: api) else {
            return note("the api does not answer")
        }
        check(answer.status == 200, "GET answers \(answer.status) \(answer.text)")
        check(
            answer.body["status"]?.string == run.status.rawValue,
            "GET says \(answer.body["status"]?.string ?? "nothing"), the row \(run.status)")
    }
}
