import Contracts
import Domain
import FaultSupport
import Glibc
import Platform
import PostgresClient
import Sockets
import Storage
import TestSupport
import Testing

/// Issue 4 §4.2: many debates on one budget, over real processes that are killed, with simulated providers that are paid.
@Suite("A budget that many debates share", .needsPostgres, .needsRedis)
struct BudgetStormTests {
    private static let debates = 64
    private static let workers = 1...3
    /// Where workers die: around every statement that moves money.
    private static let points: [(KillPoint, Int)] = [
        (.afterIntent, 5), (.afterAnswerBeforeOutcome, 20), (.afterCommitBeforePublish, 30), (.insideTheEnd, 2),
        (.afterClaimSettled, 4), (.afterTheEnd, 1),
    ]
    /// Prompts differ in length from debate to debate and from call to call, hence costs.
    private static let scenario =
        #"{"seed":7,"latency":{"kind":"uniform","min_ms":5,"max_ms":120},"answer_words":90}"#

    @Test("64 debates never cost more than it, leave nothing reserved, and none was refused what was there")
    func storm() async throws {
        let providers = try SimulatedProviders()
        defer { providers.stop() }
        let settings = [
            "WORKER_MAX_ATTEMPTS": "100", "WORKER_CONCURRENCY": "32", "ARAGORA_PROVIDER_MAX_TOKENS": "256",
            "ARAGORA_PROVIDER_MAX_INFLIGHT": "200",
        ]
        let plan = Stack.Plan(environment: providers.environment.merging(settings) { $1 })
        try await Stack.with("budget-storm", plan) { stack in
            try await providers.start(stack, scenario: Self.scenario)
            try await stack.start(.api(1))
            let limit: JSONValue = ["name": "storm", "limit_amount": .double(Self.limitUSD), "period": "total"]
            let made = try await stack.send("POST", "/api/v1/budgets", body: limit.bytes)
            guard made.status == 201 else { throw Stack.Late(description: "no budget: \(made.text)") }
            var debates: [DebateID] = []
            for number in 0..<Self.debates {
                let question = "Question \(number)? " + String(repeating: "Consider this as well. ", count: number % 16)
                debates.append(
                    try await stack.create(.init(question: question, rounds: 1, agents: SimulatedProviders.agents)))
            }
            // Not waited for: they may be dead before anybody asks whether they are ready.
            for worker in Self.workers { try stack.spawn(.worker(worker), Self.fault(worker)) }
            try await kill(stack)
            for debate in debates {
                try await stack.eventually("\(debate) ends") { try await stack.run(of: debate).status.isTerminal }
            }
            try await audit(stack, providers, made.body["id"]?.string ?? "")
        }
    }

    private static let limitUSD = 2.0

    private static func fault(_ number: Int) -> [String: String] {
        let (point, nth) = points[number % points.count]
        return ["ARAGORA_KILL_POINT": "\(point.rawValue):\(nth)", "ARAGORA_KILL_POINT_SIGNAL": "KILL"]
    }

    /// Replaces whoever died at its kill point by one that dies at the next; then kills at any moment.
    private func kill(_ stack: Stack) async throws {
        for round in 1...6 {
            try await stack.loop.sleep(for: .milliseconds(Int64.random(in: 200...600)))
            let worker = Stack.Member.worker(Self.workers.lowerBound + round % Self.workers.count)
            try await stack.kill(worker)
            try stack.spawn(worker, round < 4 ? Self.fault(round + 2) : [:])
        }
        // Those that are still waiting for their kill point are replaced by ones that live.
        for worker in Self.workers {
            try await stack.kill(.worker(worker))
            try await stack.start(.worker(worker))
        }
    }

    private func audit(_ stack: Stack, _ providers: SimulatedProviders, _ budget: String) async throws {
        var audit = BudgetAudit()
        var last: Int64 = 0
        while case let page = try await BudgetStore(pool: stack.pool).entries(after: last, limit: 1000),
            let end = page.last
        {
            for entry in page { audit.take(entry) }
            last = end.number
        }
        for problem in audit.faults + audit.leftovers { stack.note(problem) }
        let limit = Int64(Self.limitUSD * 1_000_000)
        guard let period = audit.periods.values.first else { throw Stack.Late(description: "the books are empty") }
        stack.check(period.peak <= limit, "\(period.peak) of \(limit) were committed")
        stack.check(audit.accounts.count == Self.debates, "\(audit.accounts.count) debates have an account")
        stack.check(audit.refusals > 0, "the budget was never hit")
        let row = try await stack.pool.query(
            """
            SELECT (SELECT sum(cost_micro_usd) FROM agent_calls)::bigint AS cost,
                   (SELECT count(*) FROM agent_calls WHERE state = 'intent') AS open,
                   (SELECT count(*) FROM agent_calls WHERE state = 'unknown') AS lost,
                   (SELECT count(*) FROM debates WHERE end_reason LIKE 'A budget of%') AS cut,
                   (SELECT count(*) FROM receipts) AS receipts
            """)[0]
        let (cost, receipts, lost, cut) = (
            try row.int64("cost"), try row.int("receipts"), try row.int("lost"), try row.int("cut")
        )
        stack.check(cost == period.spent, "the calls cost \(cost), the period bears \(period.spent)")
        stack.check(try row.int("open") == 0, "intents are open")
        stack.check(lost > 0, "no call was lost, so nothing was killed in time")
        stack.check(receipts == Self.debates, "\(receipts) receipts")
        stack.check(cut > 0 && cut < Self.debates, "\(cut) debates were cut short")
        let shown = try await stack.get("/api/v1/budgets/\(budget)").body
        stack.check(shown["reserved_amount"]?.double == 0 && shown["allocated_amount"]?.double == 0, "\(shown)")
        stack.check(shown["spent_amount"]?.double == Double(period.spent) / 1_000_000, "\(shown)")
        for (attempt, count) in try await providers.ledger(stack).attempts where count > 1 {
            stack.note("attempt \(attempt) was sent \(count) times")
        }
        print("budget storm: \(period.spent) of \(limit) micro-USD spent, \(cut) debates cut short, \(lost) calls lost")
    }
}
