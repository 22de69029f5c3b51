import Domain
import FaultSupport
import Platform
import PostgresClient
import Sockets
import TestSupport
import Testing

@Suite("Postgres with a replica that takes over", .needsPostgres, .needsRedis, .failover)
struct PostgresFailoverTests {
    @Test(
        "the primary dies and its synchronous replica is promoted: nothing that was answered is lost, viewers miss nothing"
    )
    func promoted() async throws {
        let loop = try EventLoop(name: "failover")
        defer { loop.stop() }
        let primary = try await PrivatePostgres.make()
        do {
            let replica = try await primary.makeReplica(isSynchronous: true, on: loop)
            do { try await Self.failOver(primary, replica) } catch {
                await replica.remove()
                throw error
            }
            await replica.remove()
        } catch {
            await primary.remove()
            throw error
        }
        await primary.remove()
    }

    private static func failOver(_ primary: PrivatePostgres, _ replica: PrivatePostgres) async throws {
        // Both servers, and whoever takes writes is the one.
        let both =
            "postgresql://postgres@127.0.0.1:\(primary.port),127.0.0.1:\(replica.port)"
            + "/postgres?target_session_attrs=read-write"
        let plan = Stack.Plan(postgresURL: both, latencyMilliseconds: 80)
        try await Stack.with("postgres-failover", plan) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1), .worker(2))
            var watched: [(debate: DebateID, viewers: [Viewer])] = []
            for _ in 1...4 {
                let debate = try await stack.create(Stack.Asked(rounds: 3))
                watched.append((debate, stack.watchEverywhere(debate)))
            }
            try await stack.awaitEvents(8, of: watched[0].debate)
            // Right up to its death: the last of these was answered milliseconds before.
            for _ in 1...10 { watched.append((try await stack.create(Stack.Asked(rounds: 1)), [])) }
            primary.crash()
            try await replica.promote(on: stack.loop)

            let pool = stack.pool
            for (debate, _) in watched {
                try await stack.eventually("\(debate), which was answered, is there") {
                    try await pool.query("SELECT 1 FROM debates WHERE id = \(debate.text)").count == 1
                }
            }
            for (debate, viewers) in watched { try await stack.audit(debate, viewers: viewers) }
            let next = try await stack.create()
            try await stack.audit(next, viewers: stack.watchEverywhere(next), takeovers: 0)
            try await stack.checkAlive(.api(1), .gateway(1), .worker(1), .worker(2))
        }
    }
}
