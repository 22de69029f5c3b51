import Contracts
import Domain
import Platform
import PostgresClient
import Storage
import TestSupport
import Testing

@testable import DebateRunner

/// Debates whose calls cost something.
@Suite("DebateRun on a budget", .needsPostgres)
struct BudgetRunTests {
    private static func worst(_ amount: Int64) -> @Sendable (PlannedCall) -> MicroUSD? { { _ in MicroUSD(amount) } }

    @Test("a debate whose first phase nobody pays for asks nobody, and ends with a receipt that says why")
    func nothing() async throws {
        try await RunBench.with { bench in
            _ = try await bench.budget(limit: 199)
            let debate = try await bench.debate()
            let model = ScriptedModel()
            let context = bench.context(model, worstCost: Self.worst(100))
            let end = try await bench.run(debate, context)
            guard case .ended(.completed) = end else { throw Surprise("\(end)") }
            #expect(model.requests.isEmpty && context.metrics.value(.budgetEnded) == 1)
            #expect(
                try await bench.types(debate) == [
                    "debate_start", "round_start", "phase_change", "debate_early_terminated", "consensus",
                    "receipt_generated", "debate_end",
                ])
            #expect(try await bench.reason(debate)?.hasPrefix("A budget of its organization did not cover") == true)
            try await bench.expectSound(debate, is: .completed)
            try await bench.expectBalanced()
        }
    }

    @Test("what can not be paid any more ends the debate by the votes there are: here the sealed ones")
    func ballots() async throws {
        try await RunBench.with { bench in
            // Two agents at 100 each: proposals and ballots cost 7 each, then 28 of 220 are gone and 200 do not fit.
            let debate = try await bench.debate(budget: MicroUSD(220))
            let model = ScriptedModel()
            let end = try await bench.run(debate, bench.context(model, worstCost: Self.worst(100)))
            guard case .ended(.completed) = end else { throw Surprise("\(end)") }
            #expect(Set(model.requests.map(\.call.phase)) == [.propose, .ballot])
            #expect(try await bench.reason(debate)?.hasPrefix("Its own budget did not cover") == true)
            let consensus = try await bench.consensus(debate)
            #expect(consensus?.winner == "demo-1" || consensus?.winner == "demo-2")
            try await bench.expectSound(debate, is: .completed)
            try await bench.expectBalanced()
        }
    }

    @Test("without any vote, what was proposed is the answer, and nothing was agreed")
    func proposalsOnly() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate(budget: MicroUSD(213))
            let end = try await bench.run(debate, bench.context(ScriptedModel(), worstCost: Self.worst(100)))
            guard case .ended(.completed) = end else { throw Surprise("\(end)") }
            let consensus = try await bench.consensus(debate)
            #expect(consensus?.reached == false && consensus?.winner == nil)
            #expect(
                consensus?.finalAnswer.contains("demo-1:\n") == true
                    && consensus?.finalAnswer.contains("demo-2:\n") == true)
            try await bench.expectSound(debate, is: .completed)
        }
    }

    @Test("a retry that can not be paid waits for what is under way, whose cost may leave enough")
    func retry() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate(budget: MicroUSD(250))
            let model = ScriptedModel(held: ["r1/propose/demo-2"]) { request in
                request.call.key.text == "r1/propose/demo-1" && request.attempt == 1
                    ? .failed(CallFailure(.cut, usage: Usage(cost: MicroUSD(100)), isPaymentUnknown: true))
                    : ScriptedModel.agreeable(request)
            }
            let runner = try await bench.runner()
            let run = DebateRun(
                try await bench.claim(debate, runner), runner: runner,
                context: bench.context(model, worstCost: Self.worst(100)))
            async let end = bench.start(run)
            await model.arrival(of: "r1/propose/demo-2")
            // 100 are spent and 100 are reserved: the second attempt does not fit until the other call is settled.
            try await bench.waitForRefusal()
            #expect(model.keys.count { $0 == "r1/propose/demo-1" } == 1)
            model.release("r1/propose/demo-2")
            guard case .ended(.completed) = await end else { throw Surprise("not completed") }
            #expect(model.keys.count { $0 == "r1/propose/demo-1" } == 2)
            try await bench.expectBalanced()
        }
    }

    @Test("an alert is in the log of the debate that crossed the threshold, once")
    func alert() async throws {
        try await RunBench.with { bench in
            _ = try await bench.budget(limit: 1000, alertThreshold: 1)
            let debate = try await bench.debate()
            _ = try await bench.run(debate, bench.context(ScriptedModel(), worstCost: Self.worst(10)))
            let other = try await bench.debate()
            _ = try await bench.run(other, bench.context(ScriptedModel(), worstCost: Self.worst(10)))
            #expect(try await bench.types(debate).count { $0 == "budget_alert" } == 1)
            #expect(try await !bench.types(other).contains("budget_alert"))
            try await bench.expectSound(debate, is: .completed)
        }
    }

    @Test("paying takes no statement more than asking for free", arguments: [nil, 100] as [Int64?])
    func statements(worst: Int64?) async throws {
        try await RunBench.with { bench in
            _ = try await bench.budget(limit: 1_000_000)
            let debate = try await bench.debate()
            let fault = Fault()
            _ = try await bench.run(
                debate, bench.context(ScriptedModel(), fault: fault, worstCost: { _ in worst.map { MicroUSD($0) } }))
            #expect(fault.writes == CrashTests.writes)
            #expect(try await bench.rows("debate_accounts") == (worst == nil ? 0 : 1))
        }
    }

    @Test(
        "a runner that dies at any of its writes leaves books that balance",
        arguments: 1...CrashTests.writes, Fault.Moment.allCases)
    func crash(write: Int, moment: Fault.Moment) async throws {
        try await RunBench.with { bench in
            let budget = try await bench.budget(limit: 10_000)
            let debate = try await bench.debate()
            let model = ScriptedModel()
            let runner = try await bench.runner()
            let fault = Fault(at: write, moment)
            _ = await bench.start(
                try await bench.claim(debate, runner), runner,
                bench.context(model, fault: fault, worstCost: Self.worst(100)))
            #expect(fault.isDead)
            if try await bench.status(debate) == "running" {
                let other = try await bench.runner()
                let end = await bench.start(
                    try await bench.adopt(from: runner, by: other), other,
                    bench.context(model, worstCost: Self.worst(100)))
                guard case .ended(.completed) = end else { throw Surprise("\(end)") }
            }
            try await bench.expectSound(debate, is: .completed)
            // Late answers: what is unknown turns out to have cost what every answer costs.
            for call in try await bench.calls(debate) where call.state == "unknown" {
                try await bench.store.settle([
                    CallSettlement(
                        debate: debate, reference: CallReference(key: CallKey(call.key), attempt: call.attempt),
                        outcome: .failed(CallFailure(.cut, usage: Usage(cost: MicroUSD(7)))), latencyMilliseconds: 1)
                ])
            }
            let attempts = try await bench.calls(debate).count
            let standing = try await BudgetStore(pool: bench.pool).standing(of: budget, in: .default)
            #expect(standing?.usage.spent == MicroUSD(Int64(attempts) * 7))
            #expect(standing?.usage.reserved == .zero && standing?.usage.idle == .zero)
            try await bench.expectBalanced(over: true)
        }
    }
}

/// Many debates on one budget, with random costs and runners that die.
@Suite("Debates that share a budget", .needsPostgres)
struct SharedBudgetTests {
    static let debates = 64
    static let limit = MicroUSD(120_000)

    /// 50 to 500, of a call whose attempts then cost anything up to it.
    private static func worst(_ seed: Int) -> @Sendable (PlannedCall) -> MicroUSD? {
        { call in
            var random = SeededRandom("\(seed)/\(call.key)")
            return MicroUSD(Int64(random.next() % 451) + 50)
        }
    }

    private static func script(_ seed: Int) -> ScriptedModel.Script {
        { request in
            var random = SeededRandom("\(seed)/\(request.debate)/\(request.call.key)/\(request.attempt)")
            let worst = Self.worst(seed)(request.call)?.amount ?? 0
            let cost = MicroUSD(Int64(random.next() % UInt64(worst + 1)))
            switch random.next() % 12 {
            case 0: return .failed(CallFailure(.overloaded))
            case 1: return .failed(CallFailure(.cut, usage: Usage(cost: MicroUSD(worst)), isPaymentUnknown: true))
            default: break
            }
            guard case .answered(let answer) = ScriptedModel.agreeable(request) else {
                return .failed(CallFailure(.cut))
            }
            return .answered(
                Answer(
                    content: answer.content, provider: answer.provider, model: answer.model,
                    usage: Usage(inputTokens: 1, outputTokens: 1, cost: cost), truncated: false))
        }
    }

    @Test(
        "64 at once never spend more than there is, leave nothing reserved, and are refused only what is not covered",
        arguments: [1, 2, 3])
    func storm(seed: Int) async throws {
        try await RunBench.with { bench in
            let budget = try await bench.budget(limit: Self.limit.amount)
            let model = ScriptedModel(Self.script(seed))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<Self.debates {
                    group.addTask { try await Self.live(number, seed: seed, model, bench) }
                }
                try await group.waitForAll()
            }
            #expect(model.violations.isEmpty)
            let audit = try await bench.expectBalanced(over: true)
            let standing = try #require(try await BudgetStore(pool: bench.pool).standing(of: budget, in: .default))
            #expect(standing.usage.reserved == .zero && standing.usage.idle == .zero)
            let period = try #require(audit.periods.values.first)
            #expect(audit.periods.count == 1 && period.peak <= Self.limit.amount)
            #expect(period.spent == standing.usage.spent.amount)
            // It was worth looking: the budget was hit, by some and not by all.
            #expect(audit.refusals > 0 && audit.accounts.count == Self.debates)
            let ends = try await bench.pool.query(
                "SELECT count(*) FILTER (WHERE end_reason LIKE '%budget%') AS cut, count(*) AS n FROM debates")[0]
            #expect(try ends.int("cut") > 0 && ends.int("cut") < ends.int("n"))
            let paid = try await bench.pool.query("SELECT sum(cost_micro_usd)::bigint AS paid FROM agent_calls")[0]
            #expect(try paid.int64("paid") == period.spent)
        }
    }

    /// One debate through as many deaths as its seed wants, to its end; then answers that come too late.
    private static func live(_ number: Int, seed: Int, _ model: ScriptedModel, _ bench: RunBench) async throws {
        var random = SeededRandom("\(seed)/\(number)")
        let debate = try await bench.debate(
            agents: 3, rounds: 2, budget: number.isMultiple(of: 8) ? MicroUSD(Int64(random.next() % 4000) + 1000) : nil)
        var runner = try await bench.runner()
        var claim = try await bench.claim(debate, runner)
        for deaths in 0... {
            let fault =
                deaths < 3 && random.next() % 4 != 0
                ? Fault(at: Int(random.next() % 12) + 1, random.next() % 2 == 0 ? .before : .after) : Fault()
            let end = await bench.start(claim, runner, bench.context(model, fault: fault, worstCost: worst(seed)))
            if case .ended = end { break }
            guard case .stopped(.unavailable) = end else { throw Surprise("\(end)") }
            guard try await bench.status(debate) == "running" else { break }
            let next = try await bench.runner()
            claim = try await bench.adopt(from: runner, by: next)
            runner = next
        }
        for call in try await bench.calls(debate) where call.state == "unknown" && random.next() % 2 == 0 {
            let worst = try await bench.pool.query(
                """
                SELECT reserved_micro_usd FROM agent_calls
                WHERE debate_id = \(debate.text) AND call_key = \(call.key) AND attempt = \(call.attempt)
                """)[0].int64("reserved_micro_usd")
            try await bench.store.settle([
                CallSettlement(
                    debate: debate, reference: CallReference(key: CallKey(call.key), attempt: call.attempt),
                    outcome: .failed(CallFailure(.cut, usage: Usage(cost: MicroUSD(worst / 3)))), latencyMilliseconds: 1
                )
            ])
        }
    }
}

extension RunBench {
    func budget(limit: Int64, alertThreshold: Int = 80) async throws -> BudgetID {
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        let id = BudgetID(milliseconds: now.milliseconds, random: (0..<10).map { _ in UInt8.random(in: .min ... .max) })
        let created = try await BudgetStore(pool: pool).create(
            Budget(
                id: id, organization: .default, name: "models", limit: MicroUSD(limit), period: .total,
                alertThreshold: alertThreshold, createdBy: "ann", createdAt: now, updatedAt: now))
        guard created else { throw Surprise("not created") }
        return id
    }

    func rows(_ table: String) async throws -> Int {
        try await pool.query("SELECT count(*) AS n FROM \(raw: table)")[0].int("n")
    }

    func reason(_ debate: DebateID) async throws -> String? {
        try await pool.query("SELECT end_reason FROM debates WHERE id = \(debate.text)")[0].optionalText("end_reason")
    }

    func consensus(_ debate: DebateID) async throws -> ConsensusResult? {
        for event in try await events(debate) {
            if case .consensus(let result) = try EventCodec.decode(event) { return result }
        }
        return nil
    }

    /// Returns when the books have a refusal.
    func waitForRefusal() async throws {
        try await poll { try await !pool.query("SELECT FROM budget_entries WHERE kind = 'refuse'").isEmpty }
    }

    /// The books, replayed.
    @discardableResult
    func expectBalanced(over: Bool = false, at location: SourceLocation = #_sourceLocation) async throws -> BudgetAudit
    {
        var audit = BudgetAudit()
        var last: Int64 = 0
        while true {
            let page = try await BudgetStore(pool: pool).entries(after: last, limit: 1000)
            for entry in page { audit.take(entry) }
            guard let end = page.last else { break }
            last = end.number
        }
        #expect(audit.faults == [], sourceLocation: location)
        #expect(!audit.accounts.isEmpty, "nothing was in the books", sourceLocation: location)
        if over { #expect(audit.leftovers == [], sourceLocation: location) }
        return audit
    }
}
