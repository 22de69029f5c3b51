import Contracts
package import Domain
package import PostgresClient

/// Makes every rating again from the logs, and compares it with what is stored, or mends that.
///
/// A match keeps its number and the rules of its day. Of a debate whose texts are erased, what the match itself kept is
/// taken. Debates that completed before there were ratings, or without, get the next numbers, the oldest first.
package struct RatingRebuild: Sendable {
    /// Matches read at once.
    static let pageSize = 200

    package struct Report: Sendable, Equatable {
        /// Problems that are kept; more only raise the count.
        package static let maxProblems = 100

        package internal(set) var matches = 0
        /// Of them, those of debates whose texts are erased.
        package internal(set) var erased = 0
        package internal(set) var agents = 0
        /// Debates that got a match now.
        package internal(set) var added = 0
        package private(set) var problems: [String] = []
        package private(set) var problemCount = 0
        package var isSound: Bool { problemCount == 0 }

        mutating func add(_ problem: String) {
            problemCount += 1
            if problems.count < Self.maxProblems { problems.append(problem) }
        }
    }

    /// What the matches so far amount to.
    private struct Progress {
        var report = Report()
        var standings: [RatedAgent: AgentRating] = [:]
        var lastMatches: [RatedAgent: Int64] = [:]
        var newest: Int64 = 0
        /// The number under which the newest is stored: the same, unless numbers have a gap.
        var newestStored: Int64 = 0
        /// Matches that are stored otherwise, with the number under which they are.
        var corrections: [(stored: Int64, match: StoredMatch)] = []

        mutating func take(_ stored: StoredMatch, _ fromLog: RatedMatch?) {
            let (computed, ratings) = StoredMatch.rating(
                fromLog ?? stored.match, number: newest + 1, of: stored.debate, at: stored.at, rules: stored.rules,
                standings: standings)
            if stored.number != computed.number {
                report.add("match \(stored.number) should have the number \(computed.number)")
            } else if computed.match != stored.match {
                report.add("match \(stored.number): \(stored.debate)'s log says something else")
            } else if computed != stored {
                report.add("match \(stored.number): ratings differ from those computed again")
            }
            if computed != stored { corrections.append((stored.number, computed)) }
            for rating in ratings {
                standings[rating.agent] = rating
                lastMatches[rating.agent] = computed.number
            }
            newest = computed.number
            newestStored = stored.number
            report.matches += 1
        }
    }

    private let pool: PGPool
    private let rules: RatingRules

    /// - Parameter rules: for debates that have no match yet.
    package init(pool: PGPool, rules: RatingRules) {
        self.pool = pool
        self.rules = rules
    }

    /// Compares, and changes nothing; one snapshot, so debates may end meanwhile.
    /// - Throws: ``StorageError``.
    package func check() async throws(StorageError) -> Report {
        do {
            return try await pool.withTransaction(.readOnlySnapshot) { transaction in
                var progress = Progress()
                try await walk(&progress, in: transaction)
                try await compare(&progress, in: transaction)
                var last: Completed?
                while let next = try await unrated(after: last, in: transaction).first {
                    if try await match(of: next.debate, in: transaction).match != nil {
                        progress.report.add("\(next.debate) completed with votes and has no match")
                    }
                    last = next
                }
                return progress.report
            }
        } catch {
            throw StorageError.wrap(error, "ratings")
        }
    }

    /// Mends what is stored. Debates end meanwhile, but for the moment in which it is written.
    /// - Returns: what was found wrong, and is right now.
    /// - Throws: ``StorageError``; calling again goes on.
    package func rebuild() async throws(StorageError) -> Report {
        do {
            var progress = try await pool.withTransaction(.readOnlySnapshot) { transaction in
                var progress = Progress()
                try await walk(&progress, in: transaction)
                return progress
            }
            progress = try await pool.withTransaction { transaction in
                var progress = progress
                _ = try await transaction.query(MatchRecorder.lock)
                try await walk(&progress, in: transaction)
                try await compare(&progress, in: transaction)
                if !progress.report.isSound { try await write(progress, in: transaction) }
                return progress
            }
            try await addMissing(&progress.report)
            return progress.report
        } catch {
            throw StorageError.wrap(error, "ratings")
        }
    }

    // MARK: Matches

    /// Takes in the matches after the newest known.
    private func walk(_ progress: inout Progress, in transaction: PGTransaction) async throws {
        while true {
            let page = try await transaction.query(
                RatingRows.matches("number > \(progress.newestStored)", limit: Self.pageSize)
            ).map(RatingRows.match)
            for stored in page {
                let (match, isErased) = try await match(of: stored.debate, in: transaction)
                if isErased { progress.report.erased += 1 }
                if match == nil && !isErased {
                    progress.report.add("match \(stored.number): \(stored.debate)'s log makes none")
                }
                progress.take(stored, match)
            }
            guard page.count == Self.pageSize else { return }
        }
    }

    /// What a debate's log says of its agents; `isErased` when it says nothing any more.
    private func match(
        of debate: DebateID, in transaction: PGTransaction
    ) async throws -> (match: RatedMatch?, isErased: Bool) {
        let events = try EventRows.decode(
            try await transaction.query(EventRows.select(debate, from: 1, limit: Int(Int32.max))))
        guard !events.contains(where: { $0.isErased }) else { return (nil, true) }
        // What retention took is known as what erasure took is: by the match itself.
        if events.isEmpty, try await transaction.query(EventRetentionStore.removed(debate))[0].bool("removed") {
            return (nil, true)
        }
        var machine = DebateMachine()
        do {
            for event in events { try machine.apply(try EventCodec.decode(event), at: event.at) }
        } catch {
            return (nil, false)
        }
        return (machine.outcome(endedAs: .completed, reason: "").flatMap(RatedMatch.init), false)
    }

    // MARK: Ratings

    private func compare(_ progress: inout Progress, in transaction: PGTransaction) async throws {
        let rows = try await transaction.query("SELECT \(raw: RatingRows.ratingColumns) FROM agent_ratings")
        let stored = try rows.map(RatingRows.rating)
        progress.report.agents = progress.standings.count
        let known = Dictionary(stored.map { ($0.agent, $0) }) { first, _ in first }
        for agent in Set(known.keys).union(progress.standings.keys).sorted()
        where known[agent] != progress.standings[agent] {
            progress.report.add("\(agent): its rating differs from the one computed again")
        }
    }

    private func write(_ progress: Progress, in transaction: PGTransaction) async throws {
        for (stored, _) in progress.corrections {
            _ = try await transaction.query("DELETE FROM matches WHERE number = \(stored)")
        }
        for (_, match) in progress.corrections { _ = try await transaction.query(RatingRows.insert(match)) }
        let ratings = progress.standings.values.sorted { $0.agent < $1.agent }
        _ = try await transaction.queryPipelined([
            "DELETE FROM agent_ratings",
            RatingRows.upsert(ratings, lastMatches: ratings.map { progress.lastMatches[$0.agent] ?? 0 }),
        ])
    }

    // MARK: Debates without a match

    private struct Completed {
        let debate: DebateID
        let at: Timestamp
    }

    private func unrated(after last: Completed?, in transaction: PGTransaction) async throws -> [Completed] {
        try await transaction.query(
            """
            SELECT d.id, d.completed_at FROM debates d JOIN debate_runs r ON r.debate_id = d.id
            WHERE r.status = 'completed' AND d.completed_at IS NOT NULL
              AND (d.completed_at, d.id) > (\(last?.at ?? Timestamp(milliseconds: 0)), \(last?.debate.text ?? ""))
              AND NOT EXISTS (SELECT FROM matches m WHERE m.debate_id = d.id)
            ORDER BY d.completed_at, d.id LIMIT 1
            """
        ).map { Completed(debate: try $0.debateID("id"), at: try $0.timestamp("completed_at")) }
    }

    /// One transaction each, like an end.
    private func addMissing(_ report: inout Report) async throws {
        var last: Completed?
        while true {
            let previous = last
            let step = try await pool.withTransaction { transaction -> (Completed, isAdded: Bool)? in
                _ = try await transaction.query(MatchRecorder.lock)
                guard let next = try await unrated(after: previous, in: transaction).first else { return nil }
                guard let match = try await match(of: next.debate, in: transaction).match else { return (next, false) }
                _ = try await transaction.query(
                    MatchRecorder.rate(match, of: next.debate, at: next.at, rules: rules))
                return (next, true)
            }
            guard let step else { return }
            last = step.0
            if step.isAdded { report.added += 1 }
        }
    }
}
