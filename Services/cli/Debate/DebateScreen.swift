import Contracts
import Domain

/// A debate as lines on a terminal. A value: events in, lines out; all text of models is made safe here.
struct DebateScreen {
    static let indent = "  "

    private let console: Console
    /// Leaves out the turns, and shows the decision only.
    private let isBrief: Bool
    private var outcome: ConsensusResult?

    init(console: Console, isBrief: Bool = false) {
        self.console = console
        self.isBrief = isBrief
    }

    /// Before the first event.
    func heading(_ id: DebateID, isDemo: Bool) -> [String] {
        guard isDemo else { return [] }
        return [
            console.styled(
                "Built-in demonstration agents answer here: no model is asked, and no key is needed.", .yellow)
        ]
    }

    mutating func lines(for event: SealedEvent) -> [String] {
        guard let decoded = try? EventCodec.decode(event) else {
            // Newer than this program, or erased: it still counts in the chain.
            let what = TerminalText.safeLine(event.type) + (event.isErased ? ", erased" : "")
            return isBrief ? [] : [console.styled("(\(what))", .dim)]
        }
        return lines(for: decoded)
    }

    mutating func lines(for event: DebateEvent) -> [String] {
        switch event {
        case .consensus(let result):
            outcome = result
            return decision(result)
        case .debateEnd(let end): return ending(end)
        case .receiptGenerated(let receipt):
            let name = "\(receipt.id.text)  \(receipt.verdict.rawValue), confidence \(Self.percent(receipt.confidence))"
            return ["", rule("Receipt"), name]
        case .timeout(let reason): return ["", console.styled(TerminalText.safeLine(reason), .yellow)]
        default: return isBrief ? [] : turn(event)
        }
    }

    // MARK: Turns

    private func turn(_ event: DebateEvent) -> [String] {
        switch event {
        case .debateStart(let start): question(start)
        case .roundStart(let round, let total): ["", rule("Round \(round) of \(total)")]
        case .agentMessage(let statement): said(statement.agent, "proposes", statement.content, statement.truncated)
        case .revision(let statement, _): said(statement.agent, "revises", statement.content, statement.truncated)
        case .critique(let critique):
            said(
                critique.agent, "on \(critique.target), severity \(Self.percent(critique.severity))", critique.content,
                critique.truncated)
        case .vote(let vote):
            said(
                vote.agent, "votes for \(vote.choice ?? "nobody"), confidence \(Self.percent(vote.confidence))",
                vote.reasoning, false)
        case .sealedVote(let vote):
            [
                "",
                console.styled(
                    "\(name(vote.agent)) seals a vote for \(vote.choice.map(name) ?? "nobody")", .dim),
            ]
        case .synthesis(let synthesis):
            said(
                synthesis.agent, "judges, confidence \(Self.percent(synthesis.confidence))", synthesis.content,
                synthesis.truncated)
        case .phaseChange(_, _, _, let mode?):
            ["", console.styled(mode.rawValue.replacing("_", with: " "), .dim)]
        case .agentError(let failure):
            [
                "",
                console.styled(
                    "\(name(failure.agent)) takes no further part: \(TerminalText.safeLine(failure.message))", .red),
            ]
        case .userMessage(let author, let remark):
            said(author, remark.kind == .constraint ? "requires" : "says", remark.content, false)
        case .debatePaused(let by): ["", console.styled("paused by \(name(by))", .yellow)]
        case .debateResumed(let by): ["", console.styled("resumed by \(name(by))", .yellow)]
        case .knowledgeRecalled(let earlier):
            [
                console.styled(
                    "the panel is shown [\(name(earlier.label))], concluded \(earlier.ageDays) days ago by \(earlier.source)",
                    .dim)
            ]
        case .agentFallback(let fallback):
            [
                console.styled(
                    "\(name(fallback.agent)): \(fallback.reason.sentence) \(name(fallback.fallbackProvider.rawValue)) answers instead, as \(name(fallback.fallbackModel))",
                    .yellow)
            ]
        case .callAbandoned(_, let agent, _):
            [console.styled("\(name(agent)) is asked again: its runner was lost", .dim)]
        case .earlyTerminated(let early) where early.refusedBy != nil:
            ["", console.styled(early.refusedBy?.sentence ?? "", .yellow)]
        case .budgetAlert(let alert):
            [
                "",
                console.styled(
                    "the budget \(TerminalText.safeLine(alert.name)) has passed \(alert.threshold)%", .yellow),
            ]
        case .earlyTerminated(let early):
            ["", console.styled("the remaining rounds are not needed (\(early.source.rawValue))", .dim)]
        default: []
        }
    }

    private func question(_ start: DebateStart) -> [String] {
        let spec = start.spec
        let panel = spec.agents.map { "\(name($0.name)) (\(name($0.model)), \($0.role.rawValue))" }.joined(
            separator: ", ")
        let facts = "\(spec.rounds) round\(spec.rounds == 1 ? "" : "s"), \(spec.consensus.rawValue); \(panel)"
        return [""] + TerminalText.wrap(spec.topic, width: console.width).map { console.styled($0, .bold) }
            + TerminalText.wrap(facts, width: console.width).map { console.styled($0, .dim) }
    }

    private func said(_ who: String, _ how: String, _ text: String, _ isCut: Bool) -> [String] {
        let head = "\(console.styled(name(who), .bold, .cyan)) \(console.styled(TerminalText.safeLine(how), .dim))"
        return ["", head] + body(text)
            + (isCut ? [console.styled("\(Self.indent)(cut: longer than an event may be)", .dim)] : [])
    }

    // MARK: The end

    private func decision(_ result: ConsensusResult) -> [String] {
        let how = result.reached ? console.styled("agreed", .green) : console.styled("no agreement", .yellow)
        let numbers = "agreement \(Self.percent(result.agreement)), confidence \(Self.percent(result.confidence))"
        var lines = ["", rule("Decision"), "\(how) by \(result.mode.rawValue) in round \(result.round), \(numbers)"]
        if let judge = result.judgement?.judge {
            lines.append("judged by \(name(judge)):")
        } else if let winner = result.winner {
            lines.append("position of \(name(winner)):")
        }
        lines += body(result.finalAnswer)
        guard !result.dissenting.isEmpty else { return lines + ["", rule("Dissent"), "none"] }
        lines += ["", rule("Dissent")]
        for dissent in result.dissenting {
            lines.append(
                "\(console.styled(name(dissent.agent), .bold)) \(dissent.choice.map { "preferred \(name($0))" } ?? "did not choose")"
            )
            lines += body(dissent.reasoning)
        }
        return lines
    }

    private func ending(_ end: DebateEnd) -> [String] {
        let seconds = "\(end.duration.value) s"
        let cost = end.cost == .zero ? "no cost" : "cost $\(Self.dollars(end.cost))"
        let status =
            end.status == .completed ? console.styled("completed", .green) : console.styled(end.status.rawValue, .red)
        let reason = end.reason.map { ": \(TerminalText.safeLine($0))" } ?? ""
        let insight = end.insight.map { [""] + TerminalText.wrap($0.sentence, width: console.width) } ?? []
        return insight + [
            "", "\(status)\(reason) after \(end.roundsUsed) of \(end.totalRounds) rounds in \(seconds), \(cost)",
        ]
    }

    // MARK: Pieces

    private func name(_ text: String) -> String { TerminalText.safeLine(text) }

    private func body(_ text: String) -> [String] {
        TerminalText.wrap(text, width: console.width - Self.indent.count).map { $0.isEmpty ? "" : Self.indent + $0 }
    }

    private func rule(_ title: String) -> String {
        let dashes = String(repeating: "─", count: max(3, console.width - title.count - 4))
        return "\(console.styled("──", .dim)) \(console.styled(title, .bold)) \(console.styled(dashes, .dim))"
    }

    static func percent(_ ratio: Ratio) -> String { "\((ratio.tenThousandths + 50) / 100) %" }

    static func dollars(_ cost: MicroUSD) -> String {
        let digits = String(abs(cost.amount) % 1_000_000)
        return "\(cost.amount / 1_000_000).\(String(repeating: "0", count: 6 - digits.count))\(digits)"
    }
}
