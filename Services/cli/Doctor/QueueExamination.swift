import Contracts
import Domain
import Messaging
import Platform
import RedisClient
import Storage

/// Looks at the debates that wait: who would run them, whether they are announced, what was given up; and whether Redis
/// is filled by this log.
struct QueueExamination: Sendable {
    typealias Check = CommandReports.Check

    /// A debate that waits for longer should have been announced; rings follow the commit at once.
    static let ringAge = Duration.seconds(10)

    let postgres: PostgresExamination.Result
    let redis: RedisConnection?
    let prefix: String

    func examine() async -> [Check] {
        guard let facts = postgres.facts, let installation = postgres.installation,
            let connection = postgres.connection
        else { return [.note("queue", "debates: not checked, Postgres comes first")] }
        let runners = runners(facts)
        guard let redis else { return [runners, .note("jobs", "announcements: not checked, there is no Redis")] }
        let keyspace = Keyspace(prefix: prefix, generation: installation.generation, lineage: installation.lineage)
        let keys = RedisInspection(connection: redis, keyspace: keyspace)
        let tables = StoreInspection(connection: connection)
        do {
            var checks = [runners]
            if facts.liveRunners > 0 { checks.append(try await announcements(tables, keys)) }
            checks.append(try await deadLetters(keys))
            checks.append(try await copies(tables, keys))
            return checks
        } catch let error as RedisError where error.serverCode == "NOPERM" {
            return [runners, .note("jobs", "announcements: not checked, Redis does not allow it (NOPERM)")]
        } catch let error as RedisError {
            return [runners, .fault(.redisUnreachable, "jobs", "Redis: \(error.message)")]
        } catch {
            return [runners, .fault(.postgresAnswer, "jobs", "PostgreSQL: \(error)")]
        }
    }

    private func runners(_ facts: StoreInspection.Facts) -> Check {
        guard facts.liveRunners > 0 else {
            return .fault(.workerMissing, "workers", "workers: none is live, \(facts.waiting) debates wait")
        }
        let words = "\(facts.liveRunners) live, for \(facts.capacity) debates; \(facts.waiting) wait"
        return Check("workers", .passed, "workers: \(words)")
    }

    private func announcements(_ tables: StoreInspection, _ keys: RedisInspection) async throws -> Check {
        let waiting = try await tables.waiting(longerThan: Self.ringAge)
        guard let announced = try await keys.announced() else {
            return .note("jobs", "announcements: too many to be read here")
        }
        let silent = waiting.filter { !announced.contains($0) }
        guard let oldest = silent.first else {
            return Check("jobs", .passed, "announcements: every waiting debate has one")
        }
        return .fault(
            .bellMissing, "jobs",
            "announcements: \(silent.count) waiting debates have none, the oldest is \(oldest.text)")
    }

    private func deadLetters(_ keys: RedisInspection) async throws -> Check {
        let (count, stream) = try await keys.dead()
        guard count > 0 else { return Check("dead_letters", .passed, "dead letters: none") }
        return .fault(.deadLetters, "dead_letters", "dead letters: \(count) in \(stream)")
    }

    /// Redis first: what it has must be in Postgres already.
    private func copies(_ tables: StoreInspection, _ keys: RedisInspection) async throws -> Check {
        let copies = try await keys.copies()
        if let foreign = copies.foreign.sorted().first {
            let more = copies.foreign.count > 1 ? " and \(copies.foreign.count - 1) others" : ""
            return .fault(.redisStale, "copies", "Redis: holds copies of generation \(foreign)\(more)")
        }
        let newest = try await tables.newest(of: copies.newest.map(\.debate))
        let ahead = copies.newest.filter { $0.seq > newest[$0.debate, default: 0] }
        guard let first = ahead.first else { return Check("copies", .passed, "Redis: its copies are of this log") }
        return .fault(
            .redisStale, "copies", "Redis: is ahead of Postgres in \(ahead.count) debates, as \(first.debate.text)")
    }
}
