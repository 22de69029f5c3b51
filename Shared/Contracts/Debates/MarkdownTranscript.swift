package import Domain

/// A debate as a Markdown document, for people: what was asked, what was decided and how surely, who disagrees, who
/// dropped out, and every turn. Texts of models and people are quoted, so that they can not forge our headings.
package enum MarkdownTranscript {
    /// - Parameter events: the whole log so far, ascending; erased ones have nothing to show.
    package static func text(of id: DebateID, events: [SealedEvent]) -> String {
        let told = events.map { (sealed: $0, event: try? EventCodec.decode($0)) }
        var page = Page()
        var summary = Summary()
        for (_, event) in told { if let event { summary.take(event) } }
        summary.write(id, from: events.first?.at, to: &page)
        page.heading(2, "Transcript")
        for (sealed, event) in told {
            guard let event else {
                page.line("*(\(Page.word(sealed.type)): erased)*")
                continue
            }
            turn(event, to: &page)
        }
        return page.text
    }

    // MARK: Turns

    private static func turn(_ event: DebateEvent, to page: inout Page) {
        switch event {
        case .roundStart(let round, let total): page.heading(3, "Round \(round) of \(total)")
        case .phaseChange(_, let phase, _, let mode): page.line("*\(title(of: phase, mode))*")
        case .agentMessage(let statement):
            page.said(statement.agent, "proposes", statement.content, statement.truncated)
        case .revision(let statement, _): page.said(statement.agent, "revises", statement.content, statement.truncated)
        case .critique(let critique):
            page.said(
                critique.agent, "criticises \(Page.word(critique.target)), severity \(critique.severity.value)",
                critique.content, critique.truncated)
        case .sealedVote(let vote): page.said(vote.agent, "seals a vote for \(choice(vote))", vote.reasoning, false)
        case .vote(let vote): page.said(vote.agent, "votes for \(choice(vote))", vote.reasoning, false)
        case .synthesis(let synthesis):
            page.said(
                synthesis.agent, "judges, confidence \(synthesis.confidence.value)", synthesis.content,
                synthesis.truncated)
        case .userMessage(let author, let remark):
            page.said(author, remark.kind == .constraint ? "requires" : "says", remark.content, false)
        case .agentError(let failure):
            page.line("**\(Page.word(failure.agent)) takes no further part.** \(failure.message)")
        case .agentFallback(let fallback):
            page.line(
                "**\(Page.word(fallback.agent)):** \(fallback.reason.sentence) "
                    + "\(Page.code(fallback.fallbackProvider.rawValue)) answers instead, as \(Page.code(fallback.fallbackModel))."
            )
        case .callAbandoned(_, let agent, _):
            page.line("*The runner was lost while \(Page.word(agent)) was asked.*")
        case .knowledgeRecalled(let earlier):
            page.line("*The panel is shown \(Page.word(earlier.label)), concluded \(earlier.ageDays) days ago:*")
            page.quote(earlier.conclusion)
        case .debatePaused(let by): page.line("*Paused by \(Page.word(by)).*")
        case .debateResumed(let by): page.line("*Resumed by \(Page.word(by)).*")
        case .earlyTerminated(let early):
            page.line(
                "*The remaining \(early.totalRounds - early.round) rounds were not needed (\(early.source.rawValue)).*")
        case .budgetAlert(let alert):
            page.line("*\(alert.threshold) % of the budget \(Page.word(alert.name)) are spent.*")
        case .timeout(let reason): page.line("**\(reason)**")
        case .debateStart, .consensus, .receiptGenerated, .debateEnd: break
        }
    }

    private static func title(of phase: DebatePhase, _ mode: CognitiveMode?) -> String {
        let step =
            switch phase {
            case .propose: "everyone states a position"
            case .ballot: "everyone votes alone; these votes are sealed, and no agent ever sees them"
            case .critique: "everyone criticises one other position"
            case .revise: "everyone answers the criticism and revises"
            case .vote: "everyone votes"
            case .judge: "a judge decides"
            }
        guard let mode else { return step.prefix(1).uppercased() + step.dropFirst() + "." }
        let name = mode.rawValue.replacing("_", with: " ").replacing("devils", with: "devil's")
        return "\(name.prefix(1).uppercased() + name.dropFirst()): \(step)."
    }

    private static func choice(_ vote: Vote) -> String {
        switch vote.standing {
        case .valid: "\(Page.word(vote.choice ?? "")), confidence \(vote.confidence.value)"
        case .abstained: "nobody"
        case .malformed: "nobody that could be made out"
        }
    }

    // MARK: What it comes to

    private struct Summary {
        var start: DebateStart?
        var decision: ConsensusResult?
        var receipt: ReceiptSummary?
        var end: DebateEnd?
        var failures: [String: AgentFailure] = [:]

        mutating func take(_ event: DebateEvent) {
            switch event {
            case .debateStart(let start): self.start = start
            case .agentError(let failure): failures[failure.agent] = failure
            case .consensus(let result): decision = result
            case .receiptGenerated(let summary): receipt = summary
            case .debateEnd(let end): self.end = end
            default: break
            }
        }

        func write(_ id: DebateID, from began: Timestamp?, to page: inout Page) {
            page.heading(1, start.map { Page.oneLine($0.spec.topic) } ?? id.text)
            facts(id, began, &page)
            if let context = start?.spec.context { page.quote(context) }
            if let start { panel(start.spec, &page) }
            if let decision { decided(decision, &page) }
            if let insight = end?.insight {
                page.heading(2, "Did debating help?")
                page.line(insight.sentence)
            }
        }

        private func facts(_ id: DebateID, _ began: Timestamp?, _ page: inout Page) {
            var items = ["Debate: `\(id.text)`"]
            if let began { items.append("Asked: \(began.iso8601)") }
            if let start {
                let spec = start.spec
                items.append("Format: \(spec.format.rawValue), consensus by \(spec.consensus.rawValue)")
                if let branch = start.branch {
                    items.append("Shares the first \(branch.round) rounds of `\(branch.parent.text)`")
                }
                if spec.usesDemoAgents {
                    items.append("Answered by built-in demonstration agents, not by a model")
                }
            }
            if let end {
                let cost = end.cost == .zero ? "no cost" : "\(Double(end.cost.amount) / 1e6) USD"
                items.append(
                    "Status: \(end.status.clientText) after \(end.roundsUsed) of \(end.totalRounds) rounds, "
                        + "\(end.duration.value) s, \(cost)")
                if let reason = end.reason { items.append("Reason: \(Page.oneLine(reason))") }
            } else {
                items.append("Status: not ended")
            }
            if let receipt { items.append("Receipt: `\(receipt.id.text)`, \(receipt.verdict.rawValue)") }
            page.list(items)
        }

        private func panel(_ spec: DebateSpec, _ page: inout Page) {
            page.heading(2, "Panel")
            page.list(
                spec.agents.map { agent in
                    let persona = agent.persona.map { ", asked to argue as: \(Page.oneLine($0))" } ?? ""
                    let failure = failures[agent.name].map { failure in
                        " — **dropped out** in round \(failure.round) (\(failure.phase.rawValue)): \(failure.message)"
                    }
                    return "\(Page.word(agent.name)): \(Page.code(agent.provider.rawValue)) \(Page.code(agent.model)), "
                        + "\(agent.role.rawValue.replacing("_", with: " "))\(persona)\(failure ?? "")"
                })
        }

        private func decided(_ decision: ConsensusResult, _ page: inout Page) {
            page.heading(2, "Decision")
            let by = decision.judgement?.judge.map { "; judged by \(Page.word($0))" }
            let position = decision.winner.map { "; the position of \(Page.word($0))" }
            page.line(
                "Consensus \(decision.reached ? "reached" : "not reached"), agreement \(decision.agreement.value), "
                    + "confidence \(decision.confidence.value)\(by ?? position ?? "").")
            page.quote(decision.finalAnswer)
            guard !decision.dissenting.isEmpty || decision.judgement?.dissent != nil else { return }
            page.heading(2, "Dissent")
            for dissent in decision.dissenting {
                page.said(dissent.agent, "chose \(Page.word(dissent.choice ?? "nobody"))", dissent.reasoning, false)
            }
            if let dissent = decision.judgement?.dissent {
                page.said(decision.judgement?.judge ?? "The judge", "does not follow", dissent, false)
            }
        }
    }
}

/// Markdown in the making. What is not ours comes in as a quote, as code or as a bounded word.
private struct Page {
    private(set) var text = ""

    private mutating func block(_ lines: some Sequence<String>) {
        if !text.isEmpty { text += "\n" }
        for line in lines { text += line + "\n" }
    }

    mutating func heading(_ level: Int, _ title: String) { block([String(repeating: "#", count: level) + " " + title]) }
    mutating func line(_ line: String) { block([line]) }
    mutating func list(_ items: [String]) { block(items.map { "- \($0)" }) }

    mutating func quote(_ text: String) {
        guard !text.isEmpty else { return }
        block(
            text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map {
                $0.isEmpty ? ">" : "> \($0)"
            })
    }

    mutating func said(_ who: String, _ how: String, _ text: String, _ isCut: Bool) {
        line(
            "**\(Self.word(who))** \(how)\(isCut ? " (cut: longer than an event may be)" : "")\(text.isEmpty ? "." : ":")"
        )
        quote(text)
    }

    static func oneLine(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }

    /// A name, without what Markdown would take for its own.
    static func word(_ text: String) -> String {
        oneLine(text).map { "\\`*_{}[]<>#|".contains($0) ? "\\\($0)" : String($0) }.joined()
    }

    static func code(_ text: String) -> String { "`\(oneLine(text).replacing("`", with: "'"))`" }
}
