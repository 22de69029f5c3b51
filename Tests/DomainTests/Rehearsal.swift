import Domain

/// Plays a debate against the machine in memory: what a runner does, without stores, processes or time.
struct Rehearsal {
    private(set) var machine = DebateMachine()
    private(set) var log: [(event: DebateEvent, at: Timestamp)] = []
    private(set) var calls: [CallKey] = []
    private var clock: Int64 = 1_700_000_000_000

    init(_ spec: DebateSpec, engine: EngineVersion = .current) throws {
        try append(.debateStart(DebateStart(spec: spec, engineVersion: engine)))
    }

    mutating func append(_ event: DebateEvent) throws {
        clock += 7
        let at = Timestamp(milliseconds: clock)
        try machine.apply(event, at: at)
        log.append((event, at))
    }

    /// Applies every due record.
    mutating func settle() throws {
        while case .record(let events) = machine.due.first {
            for event in events { try append(event) }
        }
    }

    var dueCalls: [PlannedCall] {
        machine.due.compactMap { if case .call(let call) = $0 { call } else { nil } }
    }

    var outcome: DebateOutcome? {
        if case .finish(let outcome) = machine.due.first { outcome } else { nil }
    }

    mutating func answer(_ call: PlannedCall, _ text: String) throws {
        calls.append(call.key)
        try append(ReplyParser.event(for: call, answer: .text(text), attempt: 1))
    }

    mutating func fail(_ call: PlannedCall, _ kind: CallFailure.Kind = .server) throws {
        calls.append(call.key)
        try append(ReplyParser.failureEvent(for: call, kind: kind, attempt: 1))
    }

    /// Answers every call until the debate is over or `limit` calls were made.
    mutating func run(limit: Int = 1_000, reply: (PlannedCall) -> String? = Script.disagreeing) throws {
        try settle()
        while outcome == nil, calls.count < limit {
            guard let call = dueCalls.first else { return }
            if let text = reply(call) { try answer(call, text) } else { try fail(call) }
            try settle()
        }
    }

    mutating func end() throws {
        guard let outcome else { return }
        if outcome.needsReceipt {
            try append(
                .receiptGenerated(
                    ReceiptSummary(
                        id: ReceiptID(milliseconds: clock, random: Array(repeating: 1, count: 10)),
                        verdict: outcome.verdict,
                        confidence: outcome.confidence, checksum: "")))
        }
        try append(.debateEnd(outcome.debateEnd(at: Timestamp(milliseconds: clock + 7))))
    }
}

enum Script {
    /// New words every round, and votes for the first agent that want to go on.
    static func disagreeing(_ call: PlannedCall) -> String? {
        switch call.phase {
        case .propose, .revise:
            (0..<20).map { "\(call.agent.name)r\(call.round)\(call.phase)w\($0)" }.joined(separator: " ")
        case .critique: "Too vague.\nSEVERITY: 0.4"
        case .judge: "DECISION: Use Postgres.\nCONFIDENCE: 0.7\nDISSENT: demo-2 may be right about cost."
        case .ballot, .vote:
            "CHOICE: \(call.material.others[0].agent)\nCONFIDENCE: 0.8\nCONTINUE: yes\nREASONING: It is clear."
        }
    }

    /// The same position in every round.
    static func settled(_ call: PlannedCall) -> String? {
        switch call.phase {
        case .propose, .revise: "Use Postgres, because \(call.agent.name) knows it well."
        default: disagreeing(call)
        }
    }
}

extension Answer {
    static func text(_ content: String, cost: Int64 = 10) -> Answer {
        Answer(
            content: content, provider: .demo, model: "demo",
            usage: Usage(inputTokens: 3, outputTokens: 5, cost: MicroUSD(cost)),
            truncated: false)
    }
}

extension DebateSpec {
    static func sample(
        agents: Int = 3, rounds: Int = 3, consensus: ConsensusMode = .majority, budget: Int64? = nil
    ) throws -> DebateSpec {
        try DebateSpec(
            topic: "Postgres or MongoDB?",
            agents: (1...agents).map { AgentSpec(name: "demo-\($0)", provider: .demo, model: "demo") }, rounds: rounds,
            consensus: consensus, budget: budget.map { MicroUSD($0) })
    }
}
