import Domain
import PostgresClient
import Storage
import TestSupport
import Testing

/// Who gets which debate.
@Suite(.needsPostgres)
struct ClaimTests {
    @Test("goes by priority, then by the organization with fewest running, then by age")
    func order() async throws {
        try await Bench.with { bench in
            let runner = try await bench.runner()
            func make(_ organization: String, _ priority: Int, age: Int64) async throws -> DebateID {
                try await bench.debate {
                    $0.organization = organization
                    $0.priority = priority
                    $0.createdAt = Timestamp(milliseconds: 1_790_000_000_000 - age)
                }.debate
            }
            let running = try await make("busy", 9, age: 0)
            #expect(try await bench.runs.claim(running, runner: runner) != nil)
            let busy = try await make("busy", 0, age: 500)
            let young = try await make("calm", 0, age: 10)
            let old = try await make("calm", 0, age: 100)
            let urgent = try await make("busy", 1, age: 0)
            for expected in [urgent, old, young, busy] {
                #expect(try await bench.runs.claim(runner: runner, limit: 1).map(\.debate) == [expected])
                // Calm stays the one with fewest running.
                if expected != busy {
                    _ = try await bench.pool.execute(
                        "UPDATE debate_runs SET org_id = 'busy' WHERE lease_owner IS NOT NULL")
                }
            }
            #expect(try await bench.runs.claim(runner: runner, limit: 1).isEmpty)
        }
    }

    @Test("two claimers at once get disjoint sets that together are everything")
    func disjoint() async throws {
        try await Bench.with(poolSize: 8) { bench in
            var all: Set<DebateID> = []
            for _ in 0..<40 { all.insert(try await bench.debate().debate) }
            let (one, two) = (try await bench.runner(), try await bench.runner())
            @Sendable func drain(_ runner: RunnerID) async throws -> [DebateID] {
                var mine: [DebateID] = []
                for _ in 0..<20 { mine += try await bench.runs.claim(runner: runner, limit: 3).map(\.debate) }
                return mine
            }
            async let first = drain(one)
            async let second = drain(two)
            let claimed = try await first + second
            #expect(claimed.count == 40)
            #expect(Set(claimed) == all)
        }
    }

    @Test("a named debate is claimed once, and only while it is queued")
    func named() async throws {
        try await Bench.with { bench in
            let runner = try await bench.runner()
            let debate = try await bench.debate().debate
            let claim = try await bench.runs.claim(debate, runner: runner)
            #expect(claim?.epoch == 1 && claim?.kind == .queued && claim?.engineVersion == .current)
            #expect(try await bench.runs.claim(debate, runner: runner) == nil)
        }
    }

    @Test("a runner without a live row may not claim, adopt or reconcile")
    func liveRunnersOnly() async throws {
        try await Bench.with { bench in
            let debate = try await bench.debate().debate
            let dead = try await bench.runner(lasting: -1)
            let holding = Holding(debate: debate, epoch: 0)
            func isExpired(_ error: any Error) -> Bool {
                if case .runnerExpired? = error as? RunStoreError { true } else { false }
            }
            await #expect { try await bench.runs.claim(runner: dead, limit: 1) } throws: { isExpired($0) }
            await #expect { try await bench.runs.claim(debate, runner: dead) } throws: { isExpired($0) }
            await #expect { try await bench.runs.adopt(runner: dead, dead: [], limit: 1) } throws: { isExpired($0) }
            await #expect { try await bench.runs.reconcile(holding, runner: dead) } throws: { isExpired($0) }
            #expect(try await bench.record(debate).status == .queued)
        }
    }

    @Test("a debate of an engine version we do not have is left alone")
    func engineVersion() async throws {
        try await Bench.with { bench in
            _ = try await bench.debate { $0.engineVersion = EngineVersion(99) }
            #expect(try await bench.runs.claim(runner: try await bench.runner(), limit: 5).isEmpty)
        }
    }

    @Test("adopts from an expired runner, one without a row and one known to be dead, but from no live one")
    func adoption() async throws {
        try await Bench.with { bench in
            let (expired, gone, dead, live) = (
                try await bench.runner(), try await bench.runner(), try await bench.runner(), try await bench.runner()
            )
            var orphans: Set<DebateID> = []
            for owner in [expired, gone, dead] { orphans.insert(try await bench.held(by: owner).chain.debate) }
            let kept = try await bench.held(by: live).chain.debate
            try await bench.expire(expired)
            _ = try await bench.pool.execute("DELETE FROM runners WHERE id = \(gone.text)")
            let adopter = try await bench.runner()
            let claims = try await bench.runs.adopt(runner: adopter, dead: [dead], limit: 10)
            #expect(Set(claims.map(\.debate)) == orphans)
            #expect(claims.allSatisfy { $0.epoch == 2 && $0.kind == .adopted })
            #expect(try await bench.record(kept).owner == live)
        }
    }

    @Test("past its attempts a debate is adopted by nobody and named for the dead stream")
    func exhausted() async throws {
        try await Bench.with { bench in
            var owner = try await bench.runner()
            let debate = try await bench.held(by: owner).chain.debate
            for _ in 1...Bench.maxAttempts { owner = try await bench.adopt(from: owner).runner }
            let reason = Takeover.Reason.exhausted(attempts: Bench.maxAttempts, dead: [])
            #expect(try await bench.takeover.due(reason, limit: 10).isEmpty)
            try await bench.expire(owner)
            let last = try await bench.runner()
            #expect(try await bench.runs.adopt(runner: last, dead: [], limit: 10).isEmpty)
            #expect(try await bench.takeover.due(reason, limit: 10) == [debate])

            let outcome = try await bench.end(debate, because: reason, as: .failed)
            guard case .ended = outcome else { throw Surprise("\(outcome)") }
            #expect(try await bench.record(debate).status == .failed)
            #expect(try await bench.takeover.due(reason, limit: 10).isEmpty)
        }
    }

    @Test("NO_RECONCILE: a claim whose answer was lost is found by the renewal and taken anew")
    func reconcile() async throws {
        try await Bench.with { bench in
            let registry = try await bench.registry()
            let runner = registry.registration.id
            var chain = try await bench.debate()
            _ = try await bench.runs.claim(chain.debate, runner: runner)  // nobody hears of it
            let lost = Holding(debate: chain.debate, epoch: 1)
            #expect(try await registry.renew() == .holdings([lost]))
            let claim = try #require(try await bench.runs.reconcile(lost, runner: runner))
            #expect(claim.epoch == 2 && claim.kind == .reconciled)
            #expect(try await bench.runs.reconcile(lost, runner: runner) == nil)
            #expect(try await registry.renew() == .holdings([Holding(debate: chain.debate, epoch: 2)]))
            let stale = TestChain(chain.debate, tail: chain.tail)
            #expect(try await bench.log.append(chain.batch(epoch: 2)) == .appended)
            var late = stale
            let batch = late.batch(epoch: 1)
            await #expect { try await bench.log.append(batch) } throws: { $0.isLost(to: 2) }
            await registry.connection.close()
        }
    }
}
