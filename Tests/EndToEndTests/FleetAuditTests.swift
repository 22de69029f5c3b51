import Contracts
import Domain
import FaultSupport
import Glibc
import HTTPClient
import Platform
import PostgresClient
import TestSupport
import Testing

@testable import aragora_chaos

/// Who guards the guards: for each promise that `make chaos` checks, a fault that the product must never make is found.
/// Those of one debate's log, calls and receipt are in ``AuditTests``.
@Suite("The audit of many debates", .needsPostgres, .needsRedis)
struct FleetAuditTests {
    /// What is done to the database behind everybody's back, in this order, and what must be said about it.
    private static let tamperings: [(statement: String, finding: String)] = [
        ("UPDATE agent_calls SET cost_micro_usd = cost_micro_usd + 1 WHERE round = 1", "its account bears"),
        ("UPDATE budget_periods SET spent_micro_usd = 2000000001", "has spent 2000000001 of"),
        ("UPDATE budget_periods SET allocated_micro_usd = 1", "is still allocated"),
        ("DELETE FROM budget_entries WHERE kind = 'close'", "is not closed"),
        ("UPDATE debate_runs SET last_seq = last_seq", "was written by e2e-test while"),
        ("UPDATE agent_calls SET content = content || ' and so on'", "can not be rebuilt"),
        ("DELETE FROM receipt_log WHERE leaf_index = 0", "stands at 0"),
        ("UPDATE debate_runs SET last_seq = last_seq - 1", "the log at"),
        ("UPDATE debate_runs SET status = 'failed'", "ended as failed"),
    ]

    @Test("finds what must never happen")
    func finds() async throws {
        let providers = try SimulatedProviders()
        defer { providers.stop() }
        try await Stack.with("fleet-audit", .init(environment: providers.environment, latencyMilliseconds: 0)) {
            stack in
            try await providers.start(stack, scenario: #"{"seed":7}"#)
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let limit: JSONValue = ["name": "ample", "limit_amount": .double(2000), "period": "total"]
            _ = try await stack.send("POST", "/api/v1/budgets", body: limit.bytes)
            var creates: [FleetAudit.Create] = []
            for number in 1...2 {
                let asked = Stack.Asked(
                    question: "Question \(number)?", rounds: 1, agents: SimulatedProviders.agents, key: "key-\(number)")
                let debate = try await stack.create(asked)
                creates.append(
                    .init(
                        key: "key-\(number)", question: asked.question, answers: [debate],
                        viewers: [stack.watch(debate)]))
            }
            let verdicts = await FleetAudit(stack: stack, providers: providers, creates: creates).verdicts()
            for problem in verdicts.flatMap(\.problems) { stack.note("nothing was done yet, and: \(problem)") }
            await findCreates(stack, providers, creates)
            try await findSent(stack, providers, creates)
            try await stack.kill(.worker(1))
            try await findTampering(stack, providers, creates)
        }
    }

    private func expect(
        _ finding: String, _ stack: Stack, _ providers: SimulatedProviders, _ creates: [FleetAudit.Create]
    ) async {
        let found = await FleetAudit(stack: stack, providers: providers, creates: creates).verdicts().flatMap(
            \.problems)
        stack.check(
            found.contains { $0.contains(finding) },
            "expected to hear \"\(finding)\", heard \(found.joined(separator: "; "))")
    }

    /// Clients that remember something else.
    private func findCreates(_ stack: Stack, _ providers: SimulatedProviders, _ creates: [FleetAudit.Create]) async {
        var lost = creates
        lost.append(.init(key: "key-3", question: "Question 3?", answers: [], viewers: []))
        await expect("key-3 was accepted and is lost", stack, providers, lost)
        await expect("nobody asked for", stack, providers, Array(creates.dropLast()))
        var two = creates
        two[0].answers.append(creates[1].answers[0])
        await expect("key-1 was answered with [", stack, providers, two)
        var other = creates
        other[0].answers = creates[1].answers
        await expect("and created", stack, providers, other)
    }

    /// Somebody pays for an answer once more, or for one that nobody intended.
    private func findSent(_ stack: Stack, _ providers: SimulatedProviders, _ creates: [FleetAudit.Create]) async throws
    {
        guard let (attempt, _) = try await providers.ledger(stack).attempts.first else {
            return stack.note("nothing sent")
        }
        let call = attempt.split(separator: ":").dropLast().joined(separator: ":")
        try await pay(attempt, call, stack, providers)
        await expect("attempt \(attempt) was sent 2 times", stack, providers, creates)
        await expect("\(call) was sent 2 times in 0 takeovers", stack, providers, creates)
        try await pay("\(call):99", call, stack, providers)
        await expect("\(call):99 was sent without an intent", stack, providers, creates)
    }

    private func pay(_ attempt: String, _ call: String, _ stack: Stack, _ providers: SimulatedProviders) async throws {
        let body: JSONValue = ["model": "gpt", "messages": [["role": "user", "content": "Well?"]]]
        let headers: HTTPClientHeaders = [
            "Authorization": "Bearer key", "Content-Type": "application/json", "Idempotency-Key": attempt,
            "X-Aragora-Call-Key": call,
        ]
        let url = (providers.environment["OPENAI_BASE_URL"] ?? "") + "/chat/completions"
        let answer = try await stack.http.send(
            HTTPClientRequest(method: "POST", url: url, headers: headers, body: body.bytes))
        stack.check(answer.status == 200, "the simulator answers \(answer.status)")
    }

    private func findTampering(
        _ stack: Stack, _ providers: SimulatedProviders, _ creates: [FleetAudit.Create]
    ) async throws {
        for table in ["agent_calls", "budget_periods", "budget_entries", "debate_runs", "receipt_log", "debate_events"]
        {
            _ = try await stack.pool.execute("ALTER TABLE \(raw: table) DISABLE TRIGGER USER")
        }
        _ = try await stack.pool.execute("ALTER TABLE debate_runs ENABLE TRIGGER e2e_status_writer")
        let run = try await stack.run(of: creates[0].answers[0])
        for (statement, finding) in Self.tamperings {
            _ = try await stack.pool.execute(SQL(text: statement))
            await expect(finding, stack, providers, creates)
        }
        let answer = await stack.collect { try await stack.auditAnswer(creates[0].answers[0], run, .api(1)) }
        stack.check(
            answer.contains { $0.contains("GET says failed") }, "another answer of the api is not found: \(answer)")
    }

    @Test("finds what a process says of itself, and how one ended")
    func processes() async throws {
        try await Stack.with("fleet-audit-logs") { stack in
            try StackFolder.write(#"{"level":"error","message":"two logs"}"#, to: "\(stack.folder)/worker-1.log")
            let found = await stack.collect { stack.auditLogs() }
            stack.check(found.contains { $0.contains("1 alarms") }, "an alarm is not found")
            try StackFolder.write("", to: "\(stack.folder)/worker-1.log")
        }
        let deaths = [
            ChaosStage.Death(member: .worker(1), at: 0, end: .exited(69)),
            ChaosStage.Death(member: .worker(2), at: 0, end: .signalled(SIGSEGV)),
        ]
        #expect(ChaosRun.crashes(deaths) == ["worker-2 was ended by signal 11"])
    }
}
