package import Domain

/// A fixed debate with an event of every kind, for codecs and chains. Not a history that the machine would make.
package enum SampleDebate {
    package static let id = DebateID(milliseconds: 1_767_322_800_000, random: Array(1...10))
    package static let receiptID = ReceiptID(milliseconds: 1_767_322_900_000, random: Array(11...20))
    /// Of event 1; each event is a second later than the one before.
    package static let startedAt = Timestamp(milliseconds: 1_767_322_800_123)

    package static let agents = [
        AgentSpec(
            name: "claude-1", provider: .anthropic, model: "claude-sonnet-4-5", role: .proposer,
            persona: "a “careful” one"),
        AgentSpec(name: "demo-1", provider: .demo, model: "demo", role: .critic),
        AgentSpec(name: "Zoë", provider: .local, model: "llama3:8b", role: .planner),
    ]

    package static func spec() throws -> DebateSpec {
        try DebateSpec(
            topic: "Postgres or MongoDB?\nWhich, 何?", context: "A team of three \u{1F600}", agents: agents, rounds: 2,
            consensus: .majority, timeoutSeconds: 600, budget: MicroUSD(2_500_000))
    }

    package static let vote = Vote(
        agent: "Zoë", round: 1, choice: "claude-1", reasoning: "It \"holds\".", confidence: Ratio(0.8512),
        continueDebate: false,
        usage: Usage(inputTokens: 12, outputTokens: 3, cost: MicroUSD(77)), call: call("r1/vote/Zoë"))

    package static let abstention = Vote(
        agent: "demo-1", round: 1, choice: nil, reasoning: "", confidence: .zero, continueDebate: true, usage: Usage(),
        call: call("r1/vote/demo-1"))

    package static let consensus = ConsensusResult(
        round: 1, mode: .majority, threshold: Ratio(0.6), reached: true, winner: "claude-1",
        finalAnswer: "Postgres. </b>",
        agreement: Ratio(2.0 / 3.0), confidence: Ratio(0.7123), supporting: ["claude-1", "Zoë"],
        dissenting: [.init(agent: "demo-1", choice: nil, reasoning: "MongoDB\tis fine")],
        convergence: Convergence(state: .refining, similarity: Ratio(0.5)))

    package static let judged = ConsensusResult(
        round: 1, mode: .judge, threshold: Ratio(0.6), reached: false, winner: "claude-1", finalAnswer: "Postgres.",
        agreement: Ratio(0.5), confidence: Ratio(0.65), supporting: ["claude-1"], dissenting: [],
        abstained: ["Zoë"], malformed: ["demo-1"], merged: [["claude-1", "Zoë"]],
        judgement: .init(judge: "Zoë", dissent: nil),
        convergence: Convergence(
            state: .diverging, similarity: Ratio(0.25),
            agents: [.init(name: "Zoë", state: .diverging, similarity: Ratio(0.25))]))

    package static let endWithInsight = DebateEnd(
        status: .completed, reason: nil, result: "Postgres.", totalRounds: 2, roundsUsed: 1, consensusReached: false,
        confidence: Ratio(0.65), duration: Ratio(17.25), cost: MicroUSD(1234),
        insight: DebateInsight(
            sealedChoice: "Zoë", sealedShare: Ratio(2, of: 3), changedDecision: true,
            mindChanges: [.init(agent: "demo-1", from: "Zoë", to: "claude-1", round: 1, towardMajority: false)],
            herding: Ratio(-0.5), effectiveVoters: Ratio(1.5), survivingMinorities: ["Zoë"],
            effort: .init(calls: 12, cost: MicroUSD(1234)), baseline: .init(calls: 6, cost: MicroUSD(400))))

    package static let end = DebateEnd(
        status: .completed, reason: nil, result: "Postgres. </b>", totalRounds: 2, roundsUsed: 1,
        consensusReached: true,
        confidence: Ratio(0.7123), duration: Ratio(17.25), cost: MicroUSD(1234))

    /// At least one event of every type, optional parts present and absent.
    package static func events() throws -> [DebateEvent] {
        [
            .debateStart(DebateStart(spec: try spec(), engineVersion: .current)),
            .debateStart(
                DebateStart(
                    spec: try spec(), engineVersion: .current,
                    branch: Branch(
                        parent: DebateID(milliseconds: 1_767_322_700_000, random: Array(21...30)), round: 1,
                        tail: LogTail(seq: 22, hash: [UInt8](repeating: 7, count: 32))))),
            .knowledgeRecalled(
                RecalledConclusion(
                    number: 1,
                    item: KnowledgeID(milliseconds: 1_780_000_000_000, random: .init(repeating: 3, count: 10)),
                    source: DebateID(milliseconds: 1_780_000_000_000, random: .init(repeating: 3, count: 10)),
                    question: "Which database?", conclusion: String(repeating: "Postgres. ", count: 201),
                    confidence: Ratio(0.8), concludedAt: Timestamp(milliseconds: 1_780_000_000_000),
                    now: Timestamp(milliseconds: 1_781_000_000_000))),
            .roundStart(round: 1, totalRounds: 2),
            .phaseChange(from: nil, to: .propose, round: 1),
            .agentMessage(statement("claude-1", .anthropic, "r1/propose/claude-1", "Postgres.")),
            .agentMessage(statement("demo-1", .demo, "r1/propose/demo-1", "{\"json\":true} \\ /")),
            .agentError(
                AgentFailure(
                    agent: "Zoë", provider: .local, phase: .propose, round: 1, kind: .firstTokenTimeout,
                    message: "The provider did not begin to answer in time.", call: call("r1/propose/Zoë"))),
            .phaseChange(from: .propose, to: .critique, round: 1),
            .callAbandoned(call("r1/critique/demo-1/claude-1"), agent: "demo-1", round: 1),
            .agentFallback(
                AgentFallback(
                    agent: "claude-1", round: 1, provider: .anthropic, model: "claude-sonnet-4-5",
                    fallbackProvider: .openrouter, fallbackModel: "anthropic/claude-sonnet-4.5", reason: .quota,
                    call: call("r1/critique/claude-1/demo-1"))),
            .critique(
                Critique(
                    agent: "demo-1", target: "claude-1", round: 1, content: "• too short\n• e\u{301}",
                    severity: Ratio(0.4),
                    truncated: false, usage: Usage(), call: call("r1/critique/demo-1/claude-1", attempt: 2))),
            .userMessage(author: "anna", Remark("Think of backups.")),
            .userMessage(author: "anna", Remark("At most $100 a month.", kind: .constraint, firstRound: 2)),
            .debatePaused(by: "anna"),
            .debateResumed(by: "system"),
            .revision(
                statement("claude-1", .anthropic, "r1/revise/claude-1", "Postgres. </b>", truncated: true),
                original: "Postgres."),
            .vote(vote),
            .vote(abstention),
            .phaseChange(from: .critique, to: .revise, round: 1, mode: .lateralExploration),
            .sealedVote(
                Vote(
                    agent: "demo-1", round: 1, choice: nil, standing: .malformed, reasoning: "Both?",
                    confidence: Ratio(0.5), continueDebate: true, usage: Usage(), call: call("r1/ballot/demo-1"))),
            .synthesis(
                Synthesis(
                    agent: "Zoë", provider: .local, model: "llama3:8b", round: 1, content: "Postgres.\nNow.",
                    confidence: Ratio(0.65), dissent: "MongoDB for documents.", truncated: false,
                    usage: Usage(inputTokens: 9, outputTokens: 4, cost: MicroUSD(3)), call: call("r1/judge/Zoë"))),
            .earlyTerminated(EarlyTermination(round: 1, totalRounds: 2, source: .votes, measure: .one)),
            .earlyTerminated(
                EarlyTermination(
                    round: 1, totalRounds: 2, source: .budget, measure: Ratio(0.9),
                    refusedBy: .organization(BudgetID(milliseconds: 1, random: [UInt8](repeating: 7, count: 10))))),
            .budgetAlert(
                BudgetAlert(
                    number: 1, budget: BudgetID(milliseconds: 1, random: [UInt8](repeating: 7, count: 10)),
                    name: "Models", threshold: 80, spent: MicroUSD(8_100_000), limit: MicroUSD(10_000_000))),
            .consensus(consensus),
            .consensus(judged),
            .timeout(reason: "The debate took longer than 600 seconds."),
            .receiptGenerated(
                ReceiptSummary(
                    id: receiptID, verdict: .approved, confidence: Ratio(0.7123),
                    checksum: String(repeating: "0a", count: 32))),
            .debateEnd(endWithInsight),
        ]
    }

    package static func statement(
        _ agent: String, _ provider: ProviderKey, _ key: String, _ content: String, truncated: Bool = false
    ) -> Statement {
        Statement(
            agent: agent, provider: provider, model: "m", role: .proposer, round: 1, content: content,
            truncated: truncated,
            usage: Usage(inputTokens: 100, outputTokens: 20, cost: MicroUSD(600)), call: call(key))
    }

    package static func call(_ key: String, attempt: Int = 1) -> CallReference {
        CallReference(key: CallKey(key), attempt: attempt)
    }

    package static func time(ofEvent index: Int) -> Timestamp {
        Timestamp(milliseconds: startedAt.milliseconds + Int64(index) * 1000)
    }
}
