import Crypto
import Domain
import Platform
import PostgresClient
import Sockets
import Storage
import TestSupport
import Testing

@Suite(.needsPostgres)
struct RunnerRegistryTests {
    private static let start = BootInstant(nanoseconds: 0)
    private static let settled = start.advanced(by: PresenceSweep.settling)

    @Test("a runner is visible and counted once it is registered, and its lease is renewed")
    func life() async throws {
        try await Bench.with { bench in
            let queue = QueueReader(pool: bench.pool)
            #expect(try await queue.liveWorkerCount() == 0)
            let registry = try await bench.registry()
            #expect(try await queue.liveWorkerCount() == 1)
            #expect(try await registry.renew() == .holdings([]))
            #expect(try await bench.runs.claim(runner: registry.registration.id, limit: 1).isEmpty)
            try await registry.retire()
            #expect(try await registry.renew() == .expired)
            #expect(try await queue.liveWorkerCount() == 0)
            await registry.connection.close()
        }
    }

    @Test("an expired lease may be renewed, and what was adopted meanwhile is no longer ours")
    func expiredLease() async throws {
        try await Bench.with { bench in
            let registry = try await bench.registry()
            let owner = registry.registration.id
            let kept = try await bench.held(by: owner).holding
            let taken = try await bench.held(by: owner).holding
            try await bench.expire(owner)
            let rival = try await bench.runner()
            _ = try await bench.pool.execute(
                "UPDATE debate_runs SET lease_owner = \(rival.text), lease_epoch = 2 WHERE debate_id = \(taken.debate.text)"
            )
            #expect(try await registry.renew() == .holdings([kept]))
            #expect(try await bench.runs.adopt(runner: rival, dead: [], limit: 10).isEmpty)
            await registry.connection.close()
        }
    }

    @Test("the row appears only after the presence lock is held")
    func lockFirst() async throws {
        try await Bench.with { bench in
            let key = Int64.random(in: .min ... .max)
            let rival = try await PGConnection.open(bench.pool.configuration, loop: bench.pool.loop, log: .disabled)
            _ = try await rival.query("SELECT pg_advisory_lock(\(key))")
            await #expect(throws: StorageError.self) { try await bench.registry(presenceKey: key) }
            #expect(try await bench.count("runners") == 0)
            await rival.close()
        }
    }

    @Test("a runner whose connection ended is dead after two sweeps, not after one, and not before sweeps have settled")
    func presence() async throws {
        try await Bench.with { bench in
            let victim = try await bench.registry()
            let sweeper = try await bench.registry()
            #expect(try await sweeper.sweepPresence(now: Self.start).mayAdopt == false)
            #expect(try await sweeper.sweepPresence(now: Self.settled).mayAdopt)
            await victim.connection.close()
            try await bench.untilLockIsFree(victim.registration.presenceKey)
            #expect(try await sweeper.sweepPresence(now: Self.settled).dead == [])
            #expect(try await sweeper.sweepPresence(now: Self.settled).dead == [victim.registration.id])
            await sweeper.connection.close()
        }
    }

    @Test("after Postgres restarted nobody is called dead for a lock that the restart took")
    func restarted() async throws {
        try await Bench.with { bench in
            let victim = try await bench.registry()
            let sweeper = try await bench.registry()
            await victim.connection.close()
            try await bench.untilLockIsFree(victim.registration.presenceKey)
            _ = try await bench.pool.execute(
                "UPDATE runners SET postgres_started_at = postgres_started_at - interval '1 hour'")
            _ = try await sweeper.sweepPresence(now: Self.start)
            _ = try await sweeper.sweepPresence(now: Self.settled)
            #expect(try await sweeper.sweepPresence(now: Self.settled).dead == [])
            await sweeper.connection.close()
        }
    }

    @Test("a runner that comes back on a new connection is present again")
    func comesBack() async throws {
        try await Bench.with { bench in
            let first = try await bench.registry()
            await first.connection.close()
            try await bench.untilLockIsFree(first.registration.presenceKey)
            let second = try await bench.registry(
                id: first.registration.id, presenceKey: first.registration.presenceKey)
            _ = try await second.sweepPresence(now: Self.start)
            _ = try await second.sweepPresence(now: Self.settled)
            #expect(try await second.sweepPresence(now: Self.settled).dead == [])
            #expect(try await bench.count("runners") == 1)
            await second.connection.close()
        }
    }

    @Test("a session of a runner that goes idle inside a transaction is ended by the server")
    func frozen() async throws {
        try await Bench.with { bench in
            let registry = try await bench.registry()
            let timeout = try await registry.connection.query(
                "SELECT current_setting('idle_in_transaction_session_timeout') AS t")
            #expect(try timeout[0].text("t") == "1s")
            await registry.connection.close()
        }
    }

    @Test("rows of long dead runners go once they own nothing")
    func purge() async throws {
        try await Bench.with { bench in
            let registry = try await bench.registry()
            let (idle, owner, young) = (
                try await bench.runner(), try await bench.runner(), try await bench.runner(lasting: -30)
            )
            _ = try await bench.held(by: owner)
            for runner in [idle, owner] {
                _ = try await bench.pool.execute(
                    "UPDATE runners SET expires_at = now() - interval '5 minutes' WHERE id = \(runner.text)")
            }
            try await registry.purge()
            let left = try await bench.pool.query("SELECT id FROM runners").map { try $0.text("id") }
            #expect(Set(left) == [registry.registration.id.text, owner.text, young.text])
            await registry.connection.close()
        }
    }

    @Test("counts what waits, runs and rests, and who is there")
    func queueStatus() async throws {
        try await Bench.with { bench in
            let queue = QueueReader(pool: bench.pool)
            let none = try await queue.status()
            #expect(none.waiting == 0 && none.running == 0 && none.oldestWaiting == nil && none.capacity == 0)
            let runner = try await bench.runner()
            _ = try await bench.held(by: runner)
            _ = try await bench.debate()
            let paused = try await bench.debate()
            try await bench.command(.pause, of: paused.debate)
            let status = try await queue.status()
            #expect(
                [status.waiting, status.running, status.paused, status.workers, status.capacity] == [1, 1, 1, 1, 3])
            #expect(status.oldestWaiting != nil && status.oldestRunning != nil)
        }
    }
}

@Suite
struct PresenceSweepTests {
    @Test("a suspect that is seen again in between is innocent")
    func innocent() throws {
        let runner = RunnerID(milliseconds: 1, random: [UInt8](repeating: 1, count: 10))
        let late = BootInstant(nanoseconds: 0).advanced(by: .seconds(60))
        var sweep = PresenceSweep()
        _ = sweep.saw(absent: [], now: BootInstant(nanoseconds: 0))
        #expect(sweep.saw(absent: [runner], now: late).dead == [])
        #expect(sweep.saw(absent: [], now: late).dead == [])
        #expect(sweep.saw(absent: [runner], now: late).dead == [])
        #expect(sweep.saw(absent: [runner], now: late).dead == [runner])
    }
}

extension Bench {
    /// A registered runner on a connection of its own.
    func registry(id: RunnerID? = nil, presenceKey: Int64? = nil) async throws -> RunnerRegistry {
        let connection = try await PGConnection.open(
            RunnerRegistry.configure(pool.configuration), loop: pool.loop, log: .disabled)
        let registry = RunnerRegistry(
            RunnerRegistry.Registration(
                id: try id ?? RunnerID(milliseconds: WallClock.nowMilliseconds(), random: RandomBytes.make(10)),
                kind: .worker,
                capacity: 3, presenceKey: presenceKey ?? Int64.random(in: .min ... .max), lease: .seconds(4)),
            on: connection)
        do { try await registry.register() } catch {
            await connection.close()
            throw error
        }
        return registry
    }

    /// The server frees a closed session's locks a moment later; taking the lock is the signal.
    func untilLockIsFree(_ key: Int64?) async throws {
        try await pool.withTransaction { transaction in
            _ = try await transaction.query("SELECT pg_advisory_xact_lock(\(key ?? 0))")
        }
    }
}
