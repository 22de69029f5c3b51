import Contracts
package import Domain
import Ledger
import PostgresClient
import Storage

/// What must be true of many debates together when all is over, whatever was done to the processes: from outside, from
/// the simulated providers, and in the database. One verdict for each thing that was promised.
package struct FleetAudit: Sendable {
    /// A create by a client that had a key and did not give up.
    package struct Create: Sendable {
        package let key: String
        /// No other create asks the same.
        package let question: String
        /// What every answered repetition said.
        package var answers: [DebateID]
        package var viewers: [Viewer]

        package init(key: String, question: String, answers: [DebateID], viewers: [Viewer]) {
            self.key = key
            self.question = question
            self.answers = answers
            self.viewers = viewers
        }
    }

    /// Something that was promised, how many things were looked at, and what was wrong.
    package struct Verdict: Sendable {
        package let promise: String
        package let examined: Int
        package let problems: [String]

        package init(promise: String, examined: Int, problems: [String]) {
            self.promise = promise
            self.examined = examined
            self.problems = problems
        }
    }

    /// How debates may end.
    package static let ends: Set<DebateStatus> = [.completed, .cancelled]

    private let stack: Stack
    private let providers: SimulatedProviders
    private let creates: [Create]
    private let apis: [Stack.Member]

    package init(stack: Stack, providers: SimulatedProviders, creates: [Create], apis: [Stack.Member] = [.api(1)]) {
        self.stack = stack
        self.providers = providers
        self.creates = creates
        self.apis = apis
    }

    /// - Parameter report: hears each verdict as soon as it is there.
    package func verdicts(_ report: (Verdict) -> Void = { _ in }) async -> [Verdict] {
        var all: [Verdict] = []
        func judge(_ promise: String, _ examined: Int, _ body: () async throws -> Void) async {
            let verdict = Verdict(promise: promise, examined: examined, problems: await stack.collect(body))
            all.append(verdict)
            report(verdict)
        }
        let debates = creates.flatMap { $0.answers.prefix(1) }
        var runs: [DebateID: Stack.Run] = [:]
        var logs: [DebateID: [SealedEvent]] = [:]
        await judge("an idempotent create creates once, and nothing is there that nobody asked for", creates.count) {
            try await auditCreates()
        }
        await judge("every accepted debate reached one terminal state", debates.count) {
            for debate in debates {
                let run = try await stack.awaitEnd(debate)
                runs[debate] = run
                try await auditEnd(debate, run.status)
            }
        }
        await judge("every log is one chain from 1 to one debate_end", debates.count) {
            for (debate, run) in runs { logs[debate] = try await stack.auditLog(debate, run) }
        }
        let viewers = creates.flatMap { create in
            create.viewers.compactMap { viewer in runs[viewer.debate].map { (viewer, $0) } }
        }
        await judge("every viewer saw 1 to n without gap, repetition or reordering, to the same hash", viewers.count) {
            for (viewer, run) in viewers { try await stack.auditViewer(viewer, run) }
        }
        await judge(
            "no intent is left, and no call was sent twice by one holder", logs.values.map(\.count).reduce(0, +)
        ) {
            for (debate, events) in logs { try await stack.auditCalls(debate, events, nil) }
        }
        let sent = await providers.sentCalls(stack)
        await judge("each call was sent once, plus once for a takeover and for a failure, each attempt once", sent) {
            try await auditSent(debates)
        }
        await judge("nothing was written by who did not hold the debate, and no answered call was asked again", sent) {
            for finding in try await StackWitness.findings(stack.pool) { stack.note(finding) }
        }
        let finished = runs.filter { $0.value.status == .completed || $0.value.status == .timeout }.count
        await judge("every finished debate has a receipt that verifies, and no other has one", debates.count) {
            for (debate, run) in runs { try await stack.auditReceipt(debate, run.status, logs[debate] ?? []) }
        }
        await judge("the receipt log has every receipt once, under a signed head of its tree", finished) {
            try await stack.awaitLogged(Int64(finished))
            try await stack.auditReceiptLog(leaves: Int64(finished))
        }
        await judge("every debate can be rebuilt from what was recorded, to the same bytes", debates.count) {
            for debate in debates { try await stack.auditReplay(debate) }
        }
        await judge("no budget was overspent, the books balance, nothing is reserved", debates.count) {
            try await auditMoney()
        }
        await judge("tables, ratings and logs agree", debates.count) { try await stack.auditTables() }
        await judge("each api says of a debate what its row says", debates.count * apis.count) {
            for (debate, run) in runs { for api in apis { try await stack.auditAnswer(debate, run, api) } }
        }
        return all
    }

    /// Completed or cancelled; or failed because its agents did, which a brown-out of the providers may do.
    private func auditEnd(_ debate: DebateID, _ status: DebateStatus) async throws {
        guard !Self.ends.contains(status) else { return }
        let rows = try await stack.pool.query("SELECT end_reason FROM debates WHERE id = \(debate.text)")
        let reason = try rows.first?.optionalText("end_reason") ?? "no reason"
        let isBrownOut = status == .failed && reason.contains("agents can go on")
        stack.check(isBrownOut, "\(debate) ended as \(status): \(reason)")
    }

    private func auditCreates() async throws {
        for create in creates where Set(create.answers).count > 1 {
            stack.note("\(create.key) was answered with \(Set(create.answers).sorted())")
        }
        let rows = try await stack.pool.query("SELECT id, topic FROM debates")
        var found: [String: [String]] = [:]
        for row in rows { found[try row.text("topic"), default: []].append(try row.text("id")) }
        for create in creates {
            let ids = found.removeValue(forKey: create.question) ?? []
            if ids.isEmpty { stack.note("\(create.key) was accepted and is lost") }
            if ids.count > 1 { stack.note("\(create.key) created \(ids)") }
            if let answer = create.answers.first, let id = ids.first, ids.count == 1, id != answer.text {
                stack.note("\(create.key) was answered with \(answer), and created \(id)")
            }
        }
        for (question, ids) in found { stack.note("nobody asked for \(ids): \(question)") }
    }

    /// What the providers were sent, against what was intended, and how often its holders changed.
    private func auditSent(_ debates: [DebateID]) async throws {
        var claims: [DebateID: Int] = [:]
        for claim in try await StackWitness.claims(stack.pool) where claim.owner != nil {
            claims[claim.debate, default: 0] += 1
        }
        let (attempts, calls) = try await providers.ledger(stack)
        for (key, count) in attempts where count > 1 { stack.note("attempt \(key) was sent \(count) times") }
        let rows = try await stack.pool.query("SELECT debate_id, call_key, attempt, state FROM agent_calls")
        var intended = Set<String>()
        var failures: [String: Int] = [:]
        for row in rows {
            let call = "\(try row.text("debate_id")):\(try row.text("call_key"))"
            let attempt = "\(call):\(try row.int("attempt"))"
            let state = try row.text("state")
            intended.insert(attempt)
            if state == "failed" { failures[call, default: 0] += 1 }
            if state == "answered", attempts[attempt] == nil { stack.note("\(attempt) is answered and was never sent") }
        }
        for key in attempts.keys where !intended.contains(key) { stack.note("\(key) was sent without an intent") }
        for (call, count) in calls {
            let debate = call.split(separator: ":").first.flatMap { DebateID(String($0)) }
            let takeovers = max(0, (debate.flatMap { claims[$0] } ?? 1) - 1)
            let allowed = 1 + takeovers + (failures[call] ?? 0)
            if count > allowed { stack.note("\(call) was sent \(count) times in \(takeovers) takeovers") }
        }
    }

    private func auditMoney() async throws {
        var audit = BudgetAudit()
        var last: Int64 = 0
        let books = BudgetStore(pool: stack.pool)
        while case let page = try await books.entries(after: last, limit: BudgetStore.maxEntries), let end = page.last {
            for entry in page { audit.take(entry) }
            last = end.number
        }
        for problem in audit.faults + audit.leftovers { stack.note(problem) }
        let rows = try await stack.pool.query(
            "SELECT debate_id, sum(cost_micro_usd)::bigint AS cost FROM agent_calls GROUP BY debate_id")
        for row in rows {
            guard let debate = DebateID(try row.text("debate_id")), let account = audit.accounts[debate] else {
                continue
            }
            let cost = try row.int64("cost")
            stack.check(
                account.spent == cost, "the calls of \(debate) cost \(cost), its account bears \(account.spent)")
        }
        let spent = try await stack.pool.query(
            """
            SELECT p.budget_id, p.spent_micro_usd, p.allocated_micro_usd, b.limit_micro_usd
            FROM budget_periods p JOIN budgets b ON b.id = p.budget_id
            """)
        for row in spent {
            let (used, limit) = (try row.int64("spent_micro_usd"), try row.int64("limit_micro_usd"))
            let budget = try row.text("budget_id")
            stack.check(used <= limit, "\(budget) has spent \(used) of \(limit)")
            stack.check(try row.int64("allocated_micro_usd") == 0, "\(budget) is still allocated")
        }
    }
}

extension SimulatedProviders {
    /// How many attempts arrived in all.
    package func sentCalls(_ stack: Stack) async -> Int {
        (try? await ledger(stack))?.attempts.values.reduce(0, +) ?? 0
    }
}
