import Crypto
import Domain
import Platform
import PostgresClient
import Storage
import TestSupport
import Testing

/// Money of calls: reserved with the intent, settled with the outcome, returned at the end, and every movement in the books.
@Suite(.needsPostgres)
struct BudgetTests {
    // MARK: Reservations

    @Test("an intent that costs something reserves its worst; its outcome settles")
    func reserveAndSettle() async throws {
        try await Bench.with { bench in
            let budget = try await bench.budget(limit: 1000)
            let (chain, holding) = try await bench.held(by: try await bench.runner())
            let result = try await bench.runs.recordIntents(
                holding, [CallKey.first.paid(100), CallKey.second.paid(50)])
            #expect(result.granted.count == 2 && result.refusal == nil)
            #expect(try await bench.account(chain.debate) == .init(reserved: 150, spent: 0))
            #expect(try await bench.usage(budget).reserved == MicroUSD(150))

            let overview = try await BudgetStore(pool: bench.pool).overview(timeout: .seconds(20))
            #expect(overview.reserved == MicroUSD(150) && overview.tightest == Ratio(0.797))  // 150 and a chunk of 53

            try await bench.runs.settle([.answered(chain.debate, CallKey.first.attempt())])
            #expect(try await bench.account(chain.debate) == .init(reserved: 50, spent: 30))
            try await bench.runs.settle([.failed(chain.debate, CallKey.second.attempt())])
            #expect(try await bench.account(chain.debate) == .init(reserved: 0, spent: 30))
            #expect(try await bench.usage(budget).spent == MicroUSD(30))
            try await bench.expectBalanced()
        }
    }

    @Test("an append settles what it consumes before it reserves the next phase, in one statement")
    func append() async throws {
        try await Bench.with { bench in
            let budget = try await bench.budget(limit: 100)
            var (chain, holding) = try await bench.held(by: try await bench.runner())
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.paid(90)])
            // 90 are reserved and 30 is what they cost: only then do 70 more fit.
            let batch = chain.batch(
                epoch: 1, call: CallKey.first.attempt(), outcomes: [.answered(chain.debate, CallKey.first.attempt())])
            #expect(
                try await bench.log.append(batch, intents: [CallKey.second.paid(70)]).granted == [
                    CallKey.second.attempt()
                ])
            #expect(try await bench.account(chain.debate) == .init(reserved: 70, spent: 30))
            #expect(try await bench.usage(budget).remainder == .zero)
            try await bench.expectBalanced()
        }
    }

    @Test("an append whose phase can not be paid is appended, without any intent")
    func appendRefused() async throws {
        try await Bench.with { bench in
            let budget = try await bench.budget(limit: 100)
            var (chain, holding) = try await bench.held(by: try await bench.runner())
            let batch = chain.batch(epoch: 1)
            #expect(
                try await bench.log.append(batch, intents: [CallKey.first.paid(60), CallKey.second.paid(41)]).refusal
                    == .organization(budget))
            #expect(try await bench.events(chain.debate).count == 2)
            #expect(try await bench.count("agent_calls") == 0)
            let result = try await bench.runs.recordIntents(holding, [CallKey.first.paid(60), CallKey.second.paid(41)])
            #expect(result.refusal == .organization(budget) && result.granted.isEmpty)
            #expect(try await bench.runs.recordIntents(holding, [CallKey.first.paid(100)]).refusal == nil)
            try await bench.expectBalanced(refusals: 2)
        }
    }

    @Test("a debate's own limit refuses what it can not cover, and is not the organization's")
    func ownLimit() async throws {
        try await Bench.with { bench in
            let (chain, holding) = try await bench.held(by: try await bench.runner())
            let result = try await bench.runs.recordIntents(holding, [CallKey.first.paid(101, of: 100)])
            #expect(result.refusal == .debate)
            #expect(try await bench.runs.recordIntents(holding, [CallKey.first.paid(100, of: 100)]).granted.count == 1)
            #expect(try await bench.account(chain.debate) == .init(reserved: 100, spent: 0))
            try await bench.expectBalanced(refusals: 1)
        }
    }

    @Test("every budget of the organization must be able to pay; when one is not, none is charged")
    func several() async throws {
        try await Bench.with { bench in
            let large = try await bench.budget(limit: 1000, .monthly)
            let small = try await bench.budget(limit: 100, .daily)
            _ = try await bench.budget(limit: 1, organization: "org_\(String(repeating: "0", count: 26))")
            let (_, holding) = try await bench.held(by: try await bench.runner())
            #expect(
                try await bench.runs.recordIntents(holding, [CallKey.first.paid(101)]).refusal == .organization(small))
            #expect(
                try await bench.usage(large)
                    == BudgetUsage(limit: MicroUSD(1000), spent: .zero, reserved: .zero, idle: .zero))
            #expect(try await bench.runs.recordIntents(holding, [CallKey.first.paid(100)]).granted.count == 1)
            try await bench.expectBalanced(refusals: 1)
        }
    }

    @Test("a free call reserves nothing and opens no account; a panel of both reserves for those that cost")
    func free() async throws {
        try await Bench.with { bench in
            _ = try await bench.budget(limit: 10)
            let (chain, holding) = try await bench.held(by: try await bench.runner())
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent])
            #expect(try await bench.count("debate_accounts") == 0)
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent, CallKey.second.paid(10)])
            #expect(try await bench.account(chain.debate) == .init(reserved: 10, spent: 0))
            try await bench.expectBalanced()
        }
    }

    @Test(
        "a grant is what the rule says, for whatever is missing and left",
        arguments: [1, 15, 16, 17, 40, 100, 1600, 100_000])
    func chunks(limit: Int64) async throws {
        try await Bench.with { bench in
            let budget = try await bench.budget(limit: limit)
            var left = limit
            for missing in [1, 7, 300] as [Int64] {
                let holding = try await bench.held(by: try await bench.runner()).holding
                let result = try await bench.runs.recordIntents(holding, [CallKey.first.paid(missing)])
                let grant = BudgetChunk.grant(missing: MicroUSD(missing), remainder: MicroUSD(left))
                #expect((grant == nil) == (result.refusal != nil))
                left -= grant?.amount ?? 0
                #expect(try await bench.usage(budget).remainder == MicroUSD(left))
            }
        }
    }

    // MARK: Nobody's fault

    @Test("the same intents again reserve nothing more")
    func again() async throws {
        try await Bench.with { bench in
            _ = try await bench.budget(limit: 1000)
            var (chain, holding) = try await bench.held(by: try await bench.runner())
            let batch = chain.batch(epoch: 1)
            _ = try await bench.log.append(batch, intents: [CallKey.first.paid(100)])
            #expect(try await bench.log.append(batch, intents: [CallKey.first.paid(100)]).granted.isEmpty)
            #expect(try await bench.runs.recordIntents(holding, [CallKey.first.paid(100)]).granted.count == 1)
            #expect(try await bench.account(chain.debate) == .init(reserved: 100, spent: 0))
            try await bench.expectBalanced()
        }
    }

    @Test("who lost the debate reserves nothing, and its outcome is settled all the same")
    func zombie() async throws {
        try await Bench.with { bench in
            _ = try await bench.budget(limit: 1000)
            let owner = try await bench.runner()
            var (chain, holding) = try await bench.held(by: owner)
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.paid(100)])
            let rival = try await bench.adopt(from: owner)
            try await bench.begin(Claim(adopted: chain.debate, epoch: rival.holding.epoch))
            // It costs its reservation until somebody knows better.
            #expect(try await bench.account(chain.debate) == .init(reserved: 0, spent: 100))

            let batch = chain.batch(
                epoch: 1, call: CallKey.first.attempt(), outcomes: [.answered(chain.debate, CallKey.first.attempt())])
            await #expect(throws: EventLogError.self) {
                _ = try await bench.log.append(batch, intents: [CallKey.second.paid(50)])
            }
            #expect(try await bench.account(chain.debate) == .init(reserved: 0, spent: 30))
            try await bench.expectBalanced()
        }
    }

    @Test("an answer that comes after the end corrects the period")
    func late() async throws {
        try await Bench.with { bench in
            let budget = try await bench.budget(limit: 1000)
            let (chain, holding) = try await bench.held(by: try await bench.runner())
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.paid(100)])
            try await bench.end(chain.debate)
            #expect(
                try await bench.usage(budget)
                    == BudgetUsage(limit: MicroUSD(1000), spent: MicroUSD(100), reserved: .zero, idle: .zero))
            try await bench.runs.settle([.answered(chain.debate, CallKey.first.attempt())])
            #expect(try await bench.usage(budget).spent == MicroUSD(30))
            // A fact is stored once.
            try await bench.runs.settle([.answered(chain.debate, CallKey.first.attempt())])
            #expect(try await bench.usage(budget).spent == MicroUSD(30))
            try await bench.expectBalanced(over: true)
        }
    }

    @Test("a call that cost more than its worst is borne by the period, and leaves less for the next")
    func overrun() async throws {
        try await Bench.with { bench in
            let budget = try await bench.budget(limit: 100)
            let (chain, holding) = try await bench.held(by: try await bench.runner())
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.paid(1)])
            try await bench.runs.settle([.answered(chain.debate, CallKey.first.attempt())])
            #expect(try await bench.usage(budget).spent == MicroUSD(30))
            #expect(
                try await bench.runs.recordIntents(holding, [CallKey.second.paid(71)]).refusal == .organization(budget))
            try await bench.expectBalanced(refusals: 1)
        }
    }

    // MARK: Ends

    @Test("an end returns what is left: nothing allocated, nothing reserved", arguments: ["cancel", "conclude"])
    func ends(how: String) async throws {
        try await Bench.with { bench in
            let budget = try await bench.budget(limit: 10_000)
            var (chain, holding) = try await bench.held(by: try await bench.runner())
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.paid(100), CallKey.second.paid(50)])
            try await bench.runs.settle([.answered(chain.debate, CallKey.first.attempt())])
            #expect(try await bench.usage(budget).idle == MicroUSD(520))
            if how == "cancel" {
                try await bench.end(chain.debate)
            } else {
                let (batch, conclusion) = chain.end(epoch: 1)
                _ = try await bench.log.conclude(batch, conclusion)
            }
            // The one that is unknown costs its reservation.
            #expect(
                try await bench.usage(budget)
                    == BudgetUsage(limit: MicroUSD(10_000), spent: MicroUSD(80), reserved: .zero, idle: .zero))
            try await bench.expectBalanced(over: true)
        }
    }

    @Test("an adopter inherits the allocation; a pause returns what is not spent")
    func inherits() async throws {
        try await Bench.with { bench in
            let budget = try await bench.budget(limit: 10_000)
            let owner = try await bench.runner()
            let (chain, holding) = try await bench.held(by: owner)
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.paid(100)])
            let rival = try await bench.adopt(from: owner)
            try await bench.begin(Claim(adopted: chain.debate, epoch: rival.holding.epoch))
            #expect(try await bench.usage(budget).idle == MicroUSD(300))
            _ = try await bench.runs.recordIntents(rival.holding, [CallKey.first.paid(100)])
            #expect(try await bench.usage(budget).idle == MicroUSD(200))
            try await bench.runs.settle([.failed(chain.debate, CallKey.first.attempt(2))])
            #expect(try await bench.runs.release(rival.holding, runner: rival.runner, to: .paused) == .released)
            #expect(
                try await bench.usage(budget)
                    == BudgetUsage(limit: MicroUSD(10_000), spent: MicroUSD(100), reserved: .zero, idle: .zero))
            try await bench.expectBalanced()
        }
    }

    @Test("a debate stays in the period it began in; the next one begins in the next")
    func rollOver() async throws {
        try await Bench.with { bench in
            let budget = try await bench.budget(limit: 100)
            let (chain, holding) = try await bench.held(by: try await bench.runner())
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.paid(60)])
            // A new period begins: by hand here, by the calendar otherwise.
            let store = BudgetStore(pool: bench.pool)
            #expect(try await store.reset(budget, in: .default))
            #expect(try await bench.usage(budget).remainder == MicroUSD(100))
            #expect(
                try await bench.runs.recordIntents(holding, [CallKey.second.paid(41)]).refusal == .organization(budget))
            let other = try await bench.held(by: try await bench.runner()).holding
            #expect(try await bench.runs.recordIntents(other, [CallKey.first.paid(100)]).refusal == nil)
            // What is learned later still goes to the old one.
            try await bench.end(chain.debate)
            try await bench.runs.settle([.answered(chain.debate, CallKey.first.attempt())])
            #expect(try await bench.usage(budget).spent == .zero)
            try await bench.expectBalanced(refusals: 1)
        }
    }

    // MARK: Two at once

    @Test("two debates that want the last of a period: one gets it, and neither more than there is")
    func race() async throws {
        try await Bench.with(poolSize: 8) { bench in
            let budget = try await bench.budget(limit: 100)
            var holdings: [Holding] = []
            for _ in 0..<8 { holdings.append(try await bench.held(by: try await bench.runner()).holding) }
            let granted = try await withThrowingTaskGroup(of: Bool.self) { group in
                for holding in holdings {
                    group.addTask {
                        try await bench.runs.recordIntents(holding, [CallKey.first.paid(30)]).refusal == nil
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(granted == 3)
            #expect(try await bench.usage(budget).remainder <= MicroUSD(10))
            try await bench.expectBalanced(refusals: 5)
        }
    }

    // MARK: Alerts and the books

    @Test("an alert is raised once for a period, and told to the debate that crossed the threshold")
    func alert() async throws {
        try await Bench.with { bench in
            let budget = try await bench.budget(limit: 100, alertThreshold: 60)
            let (chain, holding) = try await bench.held(by: try await bench.runner())
            let third = CallKey(round: 2, phase: .propose, agent: "demo-1")
            for (number, key) in [CallKey.first, .second, third].enumerated() {
                let alerts = try await bench.runs.recordIntents(holding, [key.paid(33)]).alerts
                #expect(alerts.map(\.spent) == (number == 2 ? [MicroUSD(60)] : []))
                try await bench.runs.settle([.answered(chain.debate, key.attempt())])
            }
            let store = BudgetStore(pool: bench.pool)
            let raised = try await store.alerts(of: budget, limit: 10, offset: 0)
            #expect(raised.map(\.alert.threshold) == [60] && raised.map(\.debate) == [chain.debate])
            #expect(try await store.acknowledge(raised[0].alert.number, of: budget, by: "ann"))
            #expect(try await store.alerts(of: budget, limit: 10, offset: 0).first?.acknowledgedBy == "ann")
        }
    }

    @Test("the books are append only")
    func appendOnly() async throws {
        try await Bench.with { bench in
            _ = try await bench.budget(limit: 100)
            for statement in [
                "UPDATE budget_entries SET amount_micro_usd = 1", "DELETE FROM budget_entries",
                "TRUNCATE budget_entries",
            ] as [SQL] {
                await #expect(throws: PGError.self) { _ = try await bench.pool.execute(statement) }
            }
        }
    }

    @Test("Postgres and Domain agree on where periods begin")
    func periods() async throws {
        try await Bench.with { bench in
            var random = SystemRandomNumberGenerator()
            let times =
                (0..<500).map { _ in Int64.random(in: 0..<7_258_118_400_000, using: &random) }
                + [0, 951_782_400_000, 951_868_799_999, 1_709_164_800_000, 1_735_689_599_999, 1_735_689_600_000]
            for period in BudgetPeriod.allCases {
                let rows = try await bench.pool.query(
                    """
                    SELECT (extract(epoch FROM budget_period_start(\(period.rawValue), to_timestamp(t / 1000.0))) * 1000)::bigint AS s
                    FROM unnest(\(times)) WITH ORDINALITY AS u (t, n) ORDER BY n
                    """)
                #expect(
                    try rows.map { try $0.int64("s") }
                        == times.map {
                            period.window(around: Timestamp(milliseconds: $0)).start.milliseconds
                        })
            }
        }
    }

    @Test("a budget is changed, listed and deleted in its organization only")
    func store() async throws {
        try await Bench.with { bench in
            let store = BudgetStore(pool: bench.pool)
            let budget = try await bench.budget(limit: 100)
            let stranger = try #require(OrganizationID("org_\(String(repeating: "0", count: 26))"))
            var change = BudgetStore.Change()
            change.limit = MicroUSD(250)
            #expect(try await !store.change(budget, in: stranger, to: change))
            #expect(try await store.change(budget, in: .default, to: change))
            #expect(try await store.standing(of: budget, in: .default)?.budget.limit == MicroUSD(250))
            #expect(try await store.standing(of: budget, in: stranger) == nil)
            #expect(try await !store.delete(budget, in: stranger))
            #expect(try await store.delete(budget, in: .default))
            #expect(try await store.standings(of: .default).isEmpty)
        }
    }
}

struct AccountState: Hashable {
    let reserved: Int64
    let spent: Int64
}

extension Bench {
    func budget(
        limit: Int64, _ period: BudgetPeriod = .daily, alertThreshold: Int = 80, organization: String = "org_default"
    ) async throws -> BudgetID {
        let id = BudgetID(milliseconds: WallClock.nowMilliseconds(), random: try RandomBytes.make(10))
        guard let organization = OrganizationID(organization) else { throw Surprise("no organization") }
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        let created = try await BudgetStore(pool: pool).create(
            Budget(
                id: id, organization: organization, name: "models", limit: MicroUSD(limit), period: period,
                alertThreshold: alertThreshold, createdBy: "ann", createdAt: now, updatedAt: now))
        guard created else { throw Surprise("not created") }
        return id
    }

    func usage(_ budget: BudgetID) async throws -> BudgetUsage {
        guard let standing = try await BudgetStore(pool: pool).standing(of: budget, in: .default) else {
            throw Surprise("no budget")
        }
        return standing.usage
    }

    func account(_ debate: DebateID) async throws -> AccountState {
        guard
            let row = try await pool.query(
                "SELECT reserved_micro_usd, spent_micro_usd FROM debate_accounts WHERE debate_id = \(debate.text)"
            ).first
        else { throw Surprise("no account") }
        return AccountState(reserved: try row.int64("reserved_micro_usd"), spent: try row.int64("spent_micro_usd"))
    }

    /// The books, replayed: every grant was covered, every refusal was right.
    func expectBalanced(
        refusals: Int = 0, over: Bool = false, at location: SourceLocation = #_sourceLocation
    ) async throws {
        var audit = BudgetAudit()
        for entry in try await BudgetStore(pool: pool).entries(after: 0, limit: 1000) { audit.take(entry) }
        #expect(audit.faults == [], sourceLocation: location)
        #expect(audit.refusals == refusals, sourceLocation: location)
        if over { #expect(audit.leftovers == [], sourceLocation: location) }
        for (debate, account) in audit.accounts {
            let state = try await self.account(debate)
            #expect(
                state == AccountState(reserved: account.reservedTotal, spent: account.spent), sourceLocation: location)
        }
        #expect(!audit.accounts.isEmpty, "nothing was in the books", sourceLocation: location)
    }
}

extension CallKey {
    /// An intent that may cost `worst`, of a debate that may cost `limit`.
    func paid(_ worst: Int64, of limit: Int64? = nil) -> CallIntent {
        CallIntent(
            key: self, agent: "demo-1", provider: .demo, model: "demo", round: 1,
            reservation: Reservation(amount: MicroUSD(worst), debateLimit: limit.map { MicroUSD($0) }))
    }
}
