import Domain
import FaultSupport
import Glibc
import Messaging
import Platform
import RedisClient
import Sockets
import TestSupport
import Testing

@Suite("Faults of stores, and of processes at any time", .needsPostgres, .needsRedis)
struct StoreFaultTests {
    /// After which events faults of one debate come: other ones in every repetition.
    private static func moments(_ count: Int, in range: ClosedRange<Int64> = 2...30) -> [Int64] {
        (0..<count).map { _ in .random(in: range) }.sorted()
    }

    @Test("a worker killed at a random time loses nothing", arguments: 1...(2 * Fault.repetitions))
    func randomKill(_ repetition: Int) async throws {
        try await Stack.with("random-kill-\(repetition)", .init(latencyMilliseconds: 60)) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1), .worker(2))
            let debate = try await stack.create(Stack.Asked(rounds: 3))
            let viewers = stack.watchEverywhere(debate)
            var kills = 0
            for worker in [1, 2] {
                let moment = Int64.random(in: 2...12) + Int64(kills * 10)
                try await stack.awaitEvents(moment, of: debate)
                try await stack.loop.sleep(for: .milliseconds(.random(in: 0...60)))
                try await stack.kill(.worker(worker))
                kills += 1
                try await stack.start(.worker(worker + 2))
            }
            try await stack.audit(debate, viewers: viewers, takeovers: kills)
        }
    }

    @Test(
        "a worker frozen at a random time holds nothing up, and writes nothing when it thaws",
        arguments: 1...(2 * Fault.repetitions))
    func randomFreeze(_ repetition: Int) async throws {
        try await Stack.with("random-freeze-\(repetition)", .init(latencyMilliseconds: 30)) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let debate = try await stack.create(Stack.Asked(rounds: 3))
            let viewers = stack.watchEverywhere(debate)
            try await stack.awaitEvents(.random(in: 2...30), of: debate)
            try await stack.loop.sleep(for: .microseconds(.random(in: 0...40_000)))
            try stack.process(.worker(1)).send(SIGSTOP)
            try await stack.start(.worker(2))
            try await stack.awaitEnd(debate)
            try stack.process(.worker(1)).send(SIGCONT)
            try await stack.audit(debate, viewers: viewers, takeovers: 1)
            try await stack.checkUsable(.worker(1), without: .worker(2))
        }
    }

    @Test(
        "a worker cut off from Postgres is followed by another, and what it had sent arrives too late",
        arguments: 1...(2 * Fault.repetitions))
    func partition(_ repetition: Int) async throws {
        try await Stack.with("partition-\(repetition)", .init(latencyMilliseconds: 40)) { stack in
            let relay = try PartitionRelay(upstream: try stack.database.port)
            defer { relay.close() }
            try await stack.start(.api(1), .gateway(1))
            let dsn = try stack.database.dsn(through: relay.port)
            try await stack.start([.worker(1)], with: ["ARAGORA_POSTGRES_DSN": dsn])
            let debate = try await stack.create(Stack.Asked(rounds: 3))
            let viewers = stack.watchEverywhere(debate)
            try await stack.awaitEvents(.random(in: 2...30), of: debate)
            try await stack.loop.sleep(for: .microseconds(.random(in: 0...40_000)))
            relay.hold(true)
            try await stack.start(.worker(2))
            let epoch = try await stack.run(of: debate).epoch
            try await stack.awaitRun(debate, "is taken over") { $0.epoch > epoch || $0.status.isTerminal }
            relay.hold(false)
            try await stack.audit(debate, viewers: viewers, takeovers: 1)
            try await stack.checkUsable(.worker(1), without: .worker(2))
        }
    }

    @Test("the gateway and the api may die under their clients, who resume", arguments: 1...Fault.repetitions)
    func frontKilled(_ repetition: Int) async throws {
        try await Stack.with("front-killed", .init(latencyMilliseconds: 120)) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let debate = try await stack.create(Stack.Asked(rounds: 3))
            let viewers = stack.watchEverywhere(debate)
            let moments = Self.moments(3)
            try await stack.awaitEvents(moments[0], of: debate)
            try await stack.kill(.gateway(1))
            try await stack.awaitEvents(moments[1], of: debate)
            try await stack.start(.gateway(1))
            try await stack.awaitEvents(moments[2], of: debate)
            try await stack.kill(.api(1))
            try await stack.start(.api(1))
            try await stack.audit(debate, viewers: viewers, takeovers: 0)
        }
    }

    @Test("Redis may lose every key while a debate runs", arguments: 1...Fault.repetitions)
    func flush(_ repetition: Int) async throws {
        try await Stack.with("redis-flush", .init(latencyMilliseconds: 80)) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let debate = try await stack.create()
            let viewers = stack.watchEverywhere(debate)
            for moment in Self.moments(4) {
                try await stack.awaitEvents(moment, of: debate)
                try await stack.withRedis { try await TestRedis.deleteAll($0, stack.redisPrefix) }
            }
            try await stack.audit(debate, viewers: viewers, takeovers: 0)
            let next = try await stack.create(Stack.Asked(rounds: 1))
            try await stack.audit(next, viewers: [stack.watch(next)], takeovers: 0)
        }
    }

    @Test("Redis may be killed and come back empty", arguments: 1...Fault.repetitions)
    func redisRestart(_ repetition: Int) async throws {
        let redis = try PrivateRedis()
        defer { redis.stop() }
        try await Stack.with("redis-restart", .init(redisURL: redis.url, latencyMilliseconds: 120)) { stack in
            try await redis.ready(stack)
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let debate = try await stack.create(Stack.Asked(rounds: 3))
            let viewers = stack.watchEverywhere(debate)
            let moments = Self.moments(2)
            try await stack.awaitEvents(moments[0], of: debate)
            try await redis.kill()
            try await stack.awaitEvents(moments[1], of: debate)
            let meanwhile = try await stack.create(Stack.Asked(rounds: 1))
            let patient = stack.watch(meanwhile)
            try await stack.awaitClaim(meanwhile)
            try redis.start()
            try await redis.ready(stack)
            try await stack.audit(debate, viewers: viewers, takeovers: 0)
            try await stack.audit(meanwhile, viewers: [patient], takeovers: 0)
            let next = try await stack.create(Stack.Asked(rounds: 1))
            try await stack.audit(next, viewers: [stack.watch(next)], takeovers: 0)
        }
    }

    @Test("Redis may hang: nobody waits for it", arguments: 1...Fault.repetitions)
    func redisHangs(_ repetition: Int) async throws {
        let redis = try PrivateRedis()
        defer { redis.stop() }
        try await Stack.with("redis-hangs", .init(redisURL: redis.url, latencyMilliseconds: 80)) { stack in
            try await redis.ready(stack)
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let debate = try await stack.create()
            let viewers = stack.watchEverywhere(debate)
            try await stack.awaitEvents(Self.moments(1)[0], of: debate)
            redis.send(SIGSTOP)
            let next = try await stack.create(Stack.Asked(rounds: 1))
            let late = stack.watch(next)
            try await stack.audit(debate, viewers: viewers, takeovers: 0)
            try await stack.audit(next, viewers: [late], takeovers: 0)
            let ready = try await stack.probe(.api(1), "/readyz")
            stack.check(ready == 200, "without Redis the api is degraded, not away: /readyz answers \(ready ?? 0)")
            redis.send(SIGCONT)
            let last = try await stack.create(Stack.Asked(rounds: 1))
            try await stack.audit(last, viewers: [stack.watch(last)], takeovers: 0)
        }
    }

    @Test("every connection to Redis may be cut", arguments: 1...Fault.repetitions)
    func redisCut(_ repetition: Int) async throws {
        let redis = try PrivateRedis()
        defer { redis.stop() }
        try await Stack.with("redis-cut", .init(redisURL: redis.url, latencyMilliseconds: 80)) { stack in
            try await redis.ready(stack)
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let debate = try await stack.create()
            let viewers = stack.watchEverywhere(debate)
            for moment in Self.moments(4) {
                try await stack.awaitEvents(moment, of: debate)
                try await stack.withRedis { connection in
                    for kind in ["normal", "pubsub"] {
                        try await connection.send(RedisCommand("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"))
                    }
                }
            }
            try await stack.audit(debate, viewers: viewers, takeovers: 0)
        }
    }

    @Test("every session of Postgres may be ended", arguments: 1...Fault.repetitions)
    func sessionsEnded(_ repetition: Int) async throws {
        try await Stack.with("sessions-ended", .init(latencyMilliseconds: 100)) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1), .worker(2))
            let debate = try await stack.create(Stack.Asked(rounds: 3))
            let viewers = stack.watchEverywhere(debate)
            for moment in Self.moments(4) {
                try await stack.awaitEvents(moment, of: debate)
                try await stack.database.endSessions(on: stack.loop)
            }
            try await stack.audit(debate, viewers: viewers)
            try await stack.checkAlive(.api(1), .gateway(1), .worker(1), .worker(2))
        }
    }

    @Test("Postgres may crash and come back", arguments: PrivatePostgres.Stop.allCases, 1...Fault.repetitions)
    func postgresRestart(_ how: PrivatePostgres.Stop, _ repetition: Int) async throws {
        let postgres = try await PrivatePostgres.make()
        do {
            try await restart(postgres, how)
        } catch {
            await postgres.remove()
            throw error
        }
        await postgres.remove()
    }

    @Test("a debate that ends every runner is given up, visibly")
    func deadLetter() async throws {
        try await Stack.with("dead-letter", .init(environment: ["WORKER_MAX_ATTEMPTS": "2"])) { stack in
            try await stack.start(.api(1), .gateway(1))
            let debate = try await stack.create()
            let viewers = stack.watchEverywhere(debate)
            let fault = Fault(point: .afterIntent, kind: .killed)
            for worker in 1...3 {
                try stack.spawn(.worker(worker), fault.environment)
                try await stack.awaitFault(.worker(worker), fault)
            }
            try await stack.start(.worker(4))
            try await stack.audit(debate, viewers: viewers, ends: [.failed], takeovers: 2)
            let keys = Keyspace(prefix: stack.redisPrefix, generation: 1)
            try await stack.withRedis { redis in
                try await stack.eventually("the job is in the dead stream") {
                    try await redis.send(RedisCommand("XLEN", keys.deadJobs)).integer == 1
                }
            }
            let next = try await stack.create(Stack.Asked(rounds: 1))
            try await stack.audit(next, takeovers: 0)
        }
    }

    private func restart(_ postgres: PrivatePostgres, _ how: PrivatePostgres.Stop) async throws {
        try await Stack.with("postgres-\(how)", .init(postgresURL: postgres.url, latencyMilliseconds: 100)) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let debate = try await stack.create(Stack.Asked(rounds: 3))
            let viewers = stack.watchEverywhere(debate)
            try await stack.awaitEvents(.random(in: 2...40), of: debate)
            try await stack.loop.sleep(for: .microseconds(.random(in: 0...100_000)))
            try await postgres.stop(how)
            try await postgres.start()
            try await stack.audit(debate, viewers: viewers)
            try await stack.checkAlive(.api(1), .gateway(1), .worker(1))
            let next = try await stack.create(Stack.Asked(rounds: 1))
            try await stack.audit(next, viewers: [stack.watch(next)])
        }
    }
}
