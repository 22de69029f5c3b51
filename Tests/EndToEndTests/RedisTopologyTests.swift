import Domain
import FaultSupport
import Glibc
import HTTPClient
import Platform
import RedisClient
import TestSupport
import Testing

@Suite("Redis of several servers", .needsPostgres, .failover)
struct RedisTopologyTests {
    private static func plan(_ url: String, _ topology: RedisTopology, _ environment: [String: String]) -> Stack.Plan {
        var plan = Stack.Plan(environment: environment, redisURL: url, latencyMilliseconds: 100)
        plan.redisTopology = topology
        return plan
    }

    /// Debates of their own, seen live by Redis alone, and copied there.
    private static func checkLive(_ stack: Stack, _ count: Int) async throws {
        var all: [(DebateID, [Viewer])] = []
        for _ in 1...count {
            let debate = try await stack.create(Stack.Asked(rounds: 1))
            all.append((debate, stack.watchEverywhere(debate)))
        }
        for (debate, viewers) in all {
            try await stack.audit(debate, viewers: viewers, takeovers: 0)
            for viewer in viewers { stack.check(viewer.tokens > 0, "\(viewer.name) saw no live text") }
            try await stack.withRedis { connection in
                let keys = try await connection.scan(match: "*events:{\(debate)}", count: 1000, rounds: 10)
                stack.check(keys.count == 1, "Redis has no copy of \(debate): \(keys)")
            }
        }
    }

    @Test(
        "by sentinels: the primary is killed, then its successor loses its office; debates go on, viewers miss nothing",
        arguments: [false, true])
    func sentinel(isTLS: Bool) async throws {
        let redis = try await SentinelRedis.make(isTLS: isTLS)
        defer { redis.servers.stop() }
        let plan = Self.plan(redis.url, redis.topology, redis.environment)
        try await Stack.with("redis-sentinel\(isTLS ? "-tls" : "")", plan) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            try await Self.checkLive(stack, 1)
            let first = try #require(try await redis.primary())

            let debate = try await stack.create(Stack.Asked(rounds: 3))
            let viewers = stack.watchEverywhere(debate)
            try await stack.awaitEvents(6, of: debate)
            try await redis.servers.kill(first)
            let meanwhile = try await stack.create(Stack.Asked(rounds: 1))
            let patient = stack.watch(meanwhile)
            try await stack.audit(debate, viewers: viewers, takeovers: 0)
            try await stack.audit(meanwhile, viewers: [patient], takeovers: 0)
            try await stack.eventually("the sentinels name another primary") {
                try await redis.primary() != first
            }
            let second = try #require(try await redis.primary())
            try await Self.follow(stack, second)
            try await Self.checkLive(stack, 1)

            // Back as a replica, and then it is the one to take over: this time nobody dies.
            try redis.servers.start(first)
            // Refused while the last failover is young; asked again once it is accepted, it would be two.
            try await stack.eventually("a sentinel begins a failover") {
                (try? await redis.servers.ask(
                    redis.sentinels[0], "SENTINEL", "FAILOVER", SentinelRedis.name,
                    password: SentinelRedis.sentinelPassword)) != nil
            }
            try await stack.eventually("the sentinels change the primary") {
                try await redis.primary() != second
            }
            let third = try #require(try await redis.primary())
            try await Self.follow(stack, third)
            // Who had only listened would have stayed with a server that takes writes for seconds more.
            for member in ["api-1", "gateway-1", "worker-1"] {
                let log = StackFolder.read("\(stack.folder)/\(member).log")
                stack.check(
                    log.contains("the primary is \(third) now"), "\(member) was not told of the change by a sentinel")
            }
            try await Self.checkLive(stack, 2)
            try await stack.checkAlive(.api(1), .gateway(1), .worker(1))
        }
    }

    /// Every process says that it is at this primary, for commands and for messages.
    private static func follow(_ stack: Stack, _ node: RedisNode) async throws {
        for member in ["api-1", "gateway-1", "worker-1"] {
            try await stack.eventually("\(member) is at \(node)") {
                let lines = StackFolder.read("\(stack.folder)/\(member).log").split(separator: "\n")
                let last = lines.last { $0.contains("redis connected") || $0.contains("redis unavailable") }
                return last?.contains("redis connected") == true && last?.contains("\(node)") == true
            }
        }
    }

    @Test(
        "a cluster of three, each with a replica: a slot moves, a node is killed; debates go on, viewers miss nothing",
        arguments: [false, true])
    func cluster(isTLS: Bool) async throws {
        let redis = try await ClusterRedis.make(isTLS: isTLS)
        defer { redis.servers.stop() }
        let plan = Self.plan(redis.url, redis.topology, redis.environment)
        try await Stack.with("redis-cluster\(isTLS ? "-tls" : "")", plan) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            // Six of them are not on one node but once in 243 times.
            try await Self.checkLive(stack, 6)

            let moved = try await stack.create(Stack.Asked(rounds: 3))
            let viewers = stack.watchEverywhere(moved)
            let place = try await redis.place(of: "{\(moved)}")
            let target = (place.index + 1) % 3
            try await stack.awaitEvents(6, of: moved)
            try await redis.beginMove(place.slot, from: place.index, to: target)
            try await stack.awaitEvents(10, of: moved)
            try await redis.moveKeys(place.slot, from: place.index, to: target)
            try await stack.awaitEvents(14, of: moved)
            try await redis.endMove(place.slot, to: target)
            try await stack.audit(moved, viewers: viewers, takeovers: 0)

            let debate = try await stack.create(Stack.Asked(rounds: 3))
            let others = stack.watchEverywhere(debate)
            let home = try await redis.place(of: "{\(debate)}")
            try await stack.awaitEvents(6, of: debate)
            try await redis.servers.kill(redis.primaries[home.index])
            try await stack.audit(debate, viewers: others, takeovers: 0)
            try await stack.eventually("its replica has taken over, and every process is there") {
                for member in [Stack.Member.api(1), .gateway(1), .worker(1)] {
                    guard try await stack.degraded(member) == [] else { return false }
                }
                return true
            }
            // Health tells of commands; who follows debates may be a wait behind.
            let successor = redis.replicas[home.index]
            try await stack.eventually("the gateway follows debates at \(successor) too") {
                let lines = StackFolder.read("\(stack.folder)/gateway-1.log").split(separator: "\n")
                return lines.contains { $0.contains("redis subscriber connected") && $0.contains("\(successor)") }
            }
            try await Self.checkLive(stack, 6)
            try await stack.checkAlive(.api(1), .gateway(1), .worker(1))
        }
    }

    @Test("a node of a cluster that is taken for a server by itself is not half used")
    func wrongMode() async throws {
        let redis = try await ClusterRedis.make()
        defer { redis.servers.stop() }
        var plan = Self.plan(redis.url, .standalone, [:])
        plan.latencyMilliseconds = 20
        try await Stack.with("redis-wrong-mode", plan) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            for _ in 1...3 {
                let debate = try await stack.create(Stack.Asked(rounds: 1))
                try await stack.audit(debate, viewers: [stack.watch(debate)], takeovers: 0)
            }
            try await stack.eventually("the worker says what is wrong") {
                StackFolder.read("\(stack.folder)/worker-1.log").contains(
                    "a node of a cluster, which is not the mode set")
            }
        }
    }
}

extension Stack {
    /// What a process says it does without; nil when it does not answer.
    func degraded(_ member: Member) async throws -> [String]? {
        let url = "http://127.0.0.1:\(ports(of: member).metrics)/readyz"
        let answer = try await http.send(.init(url: url))
        let text = String(decoding: answer.body, as: UTF8.self)
        return text.contains(#""degraded""#) && text.contains(#""redis""#) ? ["redis"] : []
    }
}
