import Platform
import Sockets
import TestSupport
import Testing

@testable import PostgresClient

@Suite("Pool metrics", .needsPostgres)
struct PoolMetricsTests {
    @Test("say how much of the pool is in use and how many wait, and add up over a process's pools")
    func use() async throws {
        try await TestDatabase.withSchema(poolSize: 1) { other, _ in
            let metrics = Metrics()
            var configuration = other.configuration
            configuration.acquireTimeout = .seconds(60)  // they are to wait, not to give up
            let pools = (0..<2).map { [configuration] _ in
                PGPool(configuration: configuration, loop: other.loop, log: .disabled, metrics: metrics)
            }
            for pool in pools { try await pool.open() }
            #expect(metrics.value(.postgresPoolSize) == 2)
            #expect(metrics.value(.postgresConnections) == 2)
            #expect(metrics.value(.postgresPoolInUse) == 0)

            let blocker = try await Blocker(pools[0])
            try await withThrowingTaskGroup(of: Void.self) { group in
                // One holds the only connection, two wait for it.
                for _ in 0..<3 {
                    group.addTask {
                        try await pools[0].withTransaction { transaction in
                            _ = try await transaction.query("SELECT pg_advisory_xact_lock(\(blocker.key))")
                        }
                    }
                }
                _ = try await blocker.waiter()
                repeat { await pools[0].sampleUse() } while metrics.value(.postgresPoolWaiting) < 2
                #expect(metrics.value(.postgresPoolInUse) == 1)
                await pools[1].sampleUse()
                #expect(metrics.value(.postgresPoolInUse) == 1 && metrics.value(.postgresPoolWaiting) == 2)
                await blocker.release()
                try await group.waitForAll()
            }
            await pools[0].sampleUse()
            #expect(metrics.value(.postgresPoolInUse) == 0 && metrics.value(.postgresPoolWaiting) == 0)
            for pool in pools { await pool.close() }
            #expect(metrics.value(.postgresPoolSize) == 0)
        }
    }
}
