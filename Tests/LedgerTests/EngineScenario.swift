import Contracts
import Domain
import Ledger
import TestSupport

/// Debates played by fixed scripts, for golden logs: the same bytes on every machine.
enum EngineScenario: String, CaseIterable {
    /// Three rounds, a majority, dissent.
    case completed
    /// Positions settle; a unanimous decision fails on an abstention.
    case earlyStop = "early_stop"
    /// Two of three agents fail.
    case failedQuorum = "failed_quorum"
    /// Remarks, a pause, an abandoned call, a failed agent, answers out of order.
    case interventions
    case timeout
    case budget
    /// Every way of thinking in a round of its own.
    case full
    /// A judge fails, the next one decides; somebody abstains and somebody can not be read.
    case judged
    /// Votes that do not reach a weighted threshold.
    case weighted
    /// The ballots are decisive.
    case adaptive
    /// Two hold the same.
    case merged

    /// Those that a version's logs were made of.
    static func all(of version: EngineVersion) -> [EngineScenario] {
        version == EngineVersion(1)
            ? [.completed, .earlyStop, .failedQuorum, .interventions, .timeout, .budget] : allCases
    }

    private var spec: DebateSpec {
        get throws {
            switch self {
            case .full: try .scenario(rounds: 8, format: .full)
            case .judged: try .scenario(agents: 4, rounds: 1, consensus: .judge, judge: .voted, seed: 42)
            case .weighted: try .scenario(rounds: 1, consensus: .weighted, threshold: Ratio(0.75))
            case .adaptive: try .scenario(rounds: 5, isAdaptive: true)
            case .merged: try .scenario(agents: 4, rounds: 1)
            default: try original
            }
        }
    }

    private var original: DebateSpec {
        get throws {
            try DebateSpec(
                topic: "Should a three-person startup use Postgres or MongoDB?",
                context: self == .completed ? "They know SQL. 何?" : nil,
                agents: (1...(self == .interventions ? 4 : 3)).map {
                    AgentSpec(name: "demo-\($0)", provider: .demo, model: "demo", role: $0 == 2 ? .critic : .proposer)
                },
                rounds: self == .earlyStop ? 5 : 3, consensus: self == .earlyStop ? .unanimous : .majority,
                budget: self == .budget ? MicroUSD(500) : nil)
        }
    }

    /// Every event of the debate, with what was due after it.
    func play() throws -> [(SealedEvent, [DebateMachine.Action])] {
        var stage = Stage()
        try stage.append(.debateStart(DebateStart(spec: try spec, engineVersion: .current)))
        var turn = 0
        while !stage.machine.hasEnded {
            turn += 1
            if try intervene(turn, on: &stage) { continue }
            switch stage.machine.due.first {
            case .record(let events): for event in events { try stage.append(event) }
            case .call: try answer(turn, on: &stage)
            case .finish(let outcome): try stage.end(outcome)
            case nil: try stage.append(.debateResumed(by: "ann"))
            }
        }
        return stage.lines
    }

    private func intervene(_ turn: Int, on stage: inout Stage) throws -> Bool {
        switch (self, turn) {
        case (.interventions, 4): try stage.append(.userMessage(author: "ann", Remark("Think of backups. \u{1F600}")))
        case (.interventions, 6): try stage.append(.debatePaused(by: "ann"))
        case (.interventions, 12):
            try stage.append(
                .callAbandoned(
                    CallReference(key: CallKey("r1/critique/demo-1/demo-2"), attempt: 1), agent: "demo-1", round: 1))
        case (.timeout, 25): try stage.append(.timeout(reason: "It took longer than the 1800 seconds it was given."))
        default: return false
        }
        return true
    }

    private func answer(_ turn: Int, on stage: inout Stage) throws {
        let calls = stage.machine.due.compactMap { if case .call(let call) = $0 { call } else { nil } }
        let call = calls[self == .interventions ? turn % calls.count : 0]
        if let kind = failure(of: call) {
            return try stage.append(ReplyParser.failureEvent(for: call, kind: kind, attempt: 2))
        }
        let answer = Answer(
            content: text(for: call), provider: call.agent.provider, model: call.agent.model,
            usage: Usage(inputTokens: 40 + turn, outputTokens: 20, cost: MicroUSD(100)), truncated: turn == 7)
        try stage.append(ReplyParser.event(for: call, answer: answer, attempt: 1 + turn % 2))
    }

    private func failure(of call: PlannedCall) -> CallFailure.Kind? {
        switch (self, call.key.text) {
        case (.failedQuorum, "r1/critique/demo-1/demo-2"): .quota
        case (.failedQuorum, "r1/revise/demo-3"): .idleTimeout
        case (.judged, "r1/judge/demo-1"): .overloaded
        case (.interventions, "r1/critique/demo-3/demo-4"): .server
        default: nil
        }
    }

    private func text(for call: PlannedCall) -> String {
        let name = call.agent.name
        switch call.phase {
        case .propose, .revise:
            if self == .merged, name != "demo-1" { return "Postgres, as the team knows it." }
            if self == .earlyStop { return "\(name) says Postgres, because the team knows it and backups are proven." }
            let words = (1...12).map { "reason\(name.suffix(1))in\(call.round)\(call.phase.rawValue)n\($0)" }
            return "I hold \(words.joined(separator: " "))."
        case .critique:
            return "1. It does not say what happens at scale.\n**Severity:** \(name == "demo-1" ? "major" : "3/10")"
        case .judge:
            return
                "DECISION: Use Postgres.\nMongoDB only where documents are written once.\nCONFIDENCE: 0.65\nDISSENT: \(name) sees a case."
        case .ballot, .vote:
            if self == .judged, name == "demo-3" { return "CHOICE: abstain\nREASONING: Both are fine." }
            if self == .judged, name == "demo-4" { return "I like them all." }
            if self == .adaptive { return "CHOICE: demo-2\nCONFIDENCE: 0.9\nCONTINUE: yes\nREASONING: Clear." }
            if self == .merged { return "CHOICE: \(name)\nCONFIDENCE: 0.8\nCONTINUE: no\nREASONING: Mine." }
            if self == .earlyStop, name == "demo-3" { return "Both are fine.\nCONTINUE: no" }
            let choice = name == "demo-3" ? "Proposal 3" : "demo-1"
            return
                "CHOICE: \(choice)\nCONFIDENCE: 0.\(call.round + 6)\nCONTINUE: yes\nREASONING: \(name) finds it clearer."
        }
    }
}

/// A log in the making, a second between events, with salts that are the event's number.
private struct Stage {
    private(set) var machine = DebateMachine()
    private(set) var lines: [(SealedEvent, [DebateMachine.Action])] = []
    private var chain = EventChain(debateID: SampleDebate.id)

    private var nextTime: Timestamp { SampleDebate.time(ofEvent: lines.count) }

    mutating func append(_ event: DebateEvent) throws {
        let at = nextTime
        let due = try machine.apply(event, at: at)
        let salt = [UInt8](repeating: UInt8(truncatingIfNeeded: lines.count), count: 16)
        lines.append((chain.seal(event, at: at, epoch: lines.isEmpty ? 0 : 1, salt: salt), due))
    }

    mutating func end(_ outcome: DebateOutcome) throws {
        if outcome.needsReceipt {
            try append(
                .receiptGenerated(
                    ReceiptSummary(
                        id: SampleDebate.receiptID, verdict: outcome.verdict, confidence: outcome.confidence,
                        checksum: String(repeating: "0a", count: 32))))
        }
        try append(.debateEnd(outcome.debateEnd(at: nextTime)))
    }
}

extension DebateSpec {
    fileprivate static func scenario(
        agents: Int = 3, rounds: Int, format: DebateFormat = .light, consensus: ConsensusMode = .majority,
        threshold: Ratio? = nil, judge: JudgeSelection = .random, isAdaptive: Bool = false, seed: Int64 = 7
    ) throws -> DebateSpec {
        try DebateSpec(
            topic: "Should a three-person startup use Postgres or MongoDB?",
            agents: (1...agents).map {
                AgentSpec(
                    name: "demo-\($0)", provider: .demo, model: "demo", weight: Ratio(Double($0) / 2),
                    rating: 1500 + $0)
            },
            rounds: rounds, format: format, consensus: consensus, threshold: threshold, judge: judge,
            isAdaptive: isAdaptive, seed: seed)
    }
}
