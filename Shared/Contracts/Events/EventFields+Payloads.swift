import Domain

/// Reads the payloads back that `EventCodec+Writing.swift` writes.
extension EventFields {
    func debateStart() throws(ContractError) -> DebateStart {
        DebateStart(
            spec: try debateSpec(), engineVersion: EngineVersion(try int("engine_version")), branch: try branch())
    }

    private func branch() throws(ContractError) -> Branch? {
        guard let value = object["branch"], !value.isNull else { return nil }
        let fields = try nested("branch")
        guard let parent = DebateID(try fields.text("parent_debate_id")),
            let hash = HexText.decode(try fields.text("parent_hash"), length: 32)
        else { throw ContractError(.malformed, "\(type): branch names no debate, or no hash") }
        return Branch(
            parent: parent, round: try fields.int("branch_point"),
            tail: LogTail(seq: Int64(try fields.int("parent_seq")), hash: hash))
    }

    func remark() throws(ContractError) -> Remark {
        Remark(
            try text("content"), kind: try optionalChoice("kind") ?? .message,
            firstRound: object["apply_at_round"]?.int.map { Int($0) })
    }

    func debateSpec() throws(ContractError) -> DebateSpec {
        let (topic, context, rules) = (try text("task"), try optionalText("context"), try nested("protocol"))
        let (rounds, timeout) = (try rules.int("rounds"), try rules.int("timeout_seconds"))
        let consensus: ConsensusMode = try rules.choice("consensus")
        let format: DebateFormat = try rules.optionalChoice("debate_format") ?? .light
        let judge: JudgeSelection = try rules.optionalChoice("judge_selection") ?? .random
        let threshold = try rules.optionalRatio("threshold")
        let budget = rules.object["budget_micro_usd"]?.int.map { MicroUSD($0) }
        var agents: [AgentSpec] = []
        for agent in try objects("agent_specs") { agents.append(try agent.agentSpec()) }
        do throws(ValidationFailure) {
            return try DebateSpec(
                topic: topic, context: context, agents: agents, rounds: rounds, format: format, consensus: consensus,
                threshold: threshold, judge: judge, isAdaptive: rules.object["adaptive"]?.bool ?? false,
                usesKnowledge: rules.object["knowledge"]?.bool ?? true,
                seed: rules.object["seed"]?.int ?? 0, timeoutSeconds: timeout, budget: budget)
        } catch {
            throw ContractError(.malformed, "\(type): \(ErrorBody.summary(of: error))")
        }
    }

    func agentSpec() throws(ContractError) -> AgentSpec {
        AgentSpec(
            name: try text("name"), provider: try choice("provider"), model: try text("model"),
            role: try choice("role"), persona: try optionalText("persona"),
            weight: try optionalRatio("weight") ?? .one,
            rating: object["rating"]?.int.map { Int($0) } ?? AgentSpec.standardRating)
    }

    func statement() throws(ContractError) -> Statement {
        Statement(
            agent: try text("agent"), provider: try choice("provider"), model: try text("model"),
            role: try choice("role"),
            round: try int("round"), content: try text("content"), truncated: try bool("truncated"), usage: try usage(),
            call: try call())
    }

    func critique() throws(ContractError) -> Critique {
        Critique(
            agent: try text("agent"), target: try text("target_agent"), round: try int("round"),
            content: try text("content"),
            severity: try ratio("score"), truncated: try bool("truncated"), usage: try usage(), call: try call())
    }

    func vote() throws(ContractError) -> Vote {
        Vote(
            agent: try text("agent"), round: try int("round"), choice: try optionalText("choice"),
            standing: try optionalChoice("standing"), reasoning: try text("reasoning"),
            confidence: try ratio("confidence"),
            continueDebate: try bool("continue_debate"), usage: try usage(), call: try call())
    }

    func synthesis() throws(ContractError) -> Synthesis {
        Synthesis(
            agent: try text("agent"), provider: try choice("provider"), model: try text("model"),
            round: try int("round"), content: try text("content"), confidence: try ratio("confidence"),
            dissent: try optionalText("dissent"), truncated: try bool("truncated"), usage: try usage(),
            call: try call())
    }

    func agentFailure() throws(ContractError) -> AgentFailure {
        AgentFailure(
            agent: try text("agent"), provider: try choice("provider"), phase: try choice("phase"),
            round: try int("round"),
            kind: try choice("code"), message: try text("message"), call: try call())
    }

    func agentFallback() throws(ContractError) -> AgentFallback {
        AgentFallback(
            agent: try text("agent"), round: try int("round"), provider: try choice("provider"),
            model: try text("model"), fallbackProvider: try choice("fallback_provider"),
            fallbackModel: try text("fallback_model"), reason: try choice("reason"), call: try call())
    }

    func earlyTermination() throws(ContractError) -> EarlyTermination {
        EarlyTermination(
            round: try int("round"), totalRounds: try int("total_rounds"), source: try choice("source"),
            measure: try ratio("measure"), refusedBy: try refusal())
    }

    private func refusal() throws(ContractError) -> BudgetRefusal? {
        guard let text = try optionalText("refused_by") else { return nil }
        guard let refusal = BudgetRefusal(text) else { throw ContractError(.malformed, "\(type): refused_by") }
        return refusal
    }

    func budgetAlert() throws(ContractError) -> BudgetAlert {
        guard let budget = BudgetID(try text("budget_id")) else {
            throw ContractError(.malformed, "\(type): budget_id")
        }
        return BudgetAlert(
            number: Int64(try int("alert_id")), budget: budget, name: try text("name"),
            threshold: try int("threshold_percent"),
            spent: try money("spent_micro_usd"), limit: try money("limit_micro_usd"))
    }

    func consensus() throws(ContractError) -> ConsensusResult {
        var dissenting: [ConsensusResult.Dissent] = []
        for view in try objects("dissenting_views") { dissenting.append(try view.dissent()) }
        return ConsensusResult(
            round: try int("round"), mode: try choice("mode"), threshold: try ratio("threshold"),
            reached: try bool("reached"),
            winner: try optionalText("winner"), finalAnswer: try text("result"), agreement: try ratio("agreement"),
            confidence: try ratio("confidence"), supporting: try texts("supporting_agents"), dissenting: dissenting,
            abstained: try optionalTexts("abstained"), malformed: try optionalTexts("malformed_votes"),
            merged: try merged(), judgement: try judgement(), convergence: try convergence())
    }

    private func merged() throws(ContractError) -> [[String]] {
        guard object["merged_choices"] != nil else { return [] }
        var groups: [[String]] = []
        for group in try objects("merged_choices") { groups.append(try group.texts("agents")) }
        return groups
    }

    private func judgement() throws(ContractError) -> ConsensusResult.Judgement? {
        guard object["judgement"]?.object != nil else { return nil }
        let fields = try nested("judgement")
        return .init(judge: try fields.optionalText("judge"), dissent: try fields.optionalText("dissent"))
    }

    private func convergence() throws(ContractError) -> Convergence {
        var agents: [Convergence.Agent] = []
        if object["per_agent_similarity"] != nil {
            for agent in try objects("per_agent_similarity") {
                agents.append(
                    .init(
                        name: try agent.text("agent"), state: try agent.choice("status"),
                        similarity: try agent.ratio("similarity")))
            }
        }
        return Convergence(
            state: try choice("convergence_status"), similarity: try ratio("convergence_similarity"), agents: agents)
    }

    private func dissent() throws(ContractError) -> ConsensusResult.Dissent {
        ConsensusResult.Dissent(
            agent: try text("agent"), choice: try optionalText("choice"), reasoning: try text("reasoning"))
    }

    func receiptSummary() throws(ContractError) -> ReceiptSummary {
        guard let id = ReceiptID(try text("receipt_id")) else {
            throw ContractError(.malformed, "\(type): receipt_id is no id of a receipt")
        }
        return ReceiptSummary(
            id: id, verdict: try choice("verdict"), confidence: try ratio("confidence"), checksum: try text("checksum"))
    }

    func debateEnd() throws(ContractError) -> DebateEnd {
        let status: DebateStatus = try choice("status")
        guard status.isTerminal else { throw ContractError(.malformed, "\(type): \(status) is no end") }
        return DebateEnd(
            status: status, reason: try optionalText("reason"), result: try optionalText("result"),
            totalRounds: try int("total_rounds"), roundsUsed: try int("rounds_used"),
            consensusReached: try bool("consensus_reached"), confidence: try ratio("confidence"),
            duration: try ratio("duration_seconds"), cost: try money("cost_micro_usd"), insight: try insight())
    }
}
