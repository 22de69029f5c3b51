extension ReplyParser {
    /// The event that an answered call becomes.
    ///
    /// - Parameter attempt: the lowest answered attempt, whose content this is.
    package static func event(for call: PlannedCall, answer: Answer, attempt: Int) -> DebateEvent {
        let reference = CallReference(key: call.key, attempt: attempt)
        switch call.phase {
        case .propose:
            return .agentMessage(statement(call, answer, reference))
        case .revise:
            return .revision(statement(call, answer, reference), original: call.material.own ?? "")
        case .critique:
            return .critique(
                Critique(
                    agent: call.agent.name, target: call.material.others.first?.agent ?? "", round: call.round,
                    content: answer.content, severity: severity(answer.content), truncated: answer.truncated,
                    usage: answer.usage, call: reference))
        case .vote: return .vote(vote(call, answer, reference))
        case .ballot: return .sealedVote(vote(call, answer, reference))
        case .judge: return .synthesis(synthesis(call, answer, reference))
        }
    }

    private static func vote(_ call: PlannedCall, _ answer: Answer, _ reference: CallReference) -> Vote {
        let ballot = ballot(answer.content, candidates: call.material.others.map(\.agent))
        return Vote(
            agent: call.agent.name, round: call.round, choice: ballot.choice, standing: ballot.standing,
            reasoning: ballot.reasoning, confidence: ballot.confidence, continueDebate: ballot.continueDebate,
            usage: answer.usage, call: reference)
    }

    private static func synthesis(_ call: PlannedCall, _ answer: Answer, _ reference: CallReference) -> Synthesis {
        let judgement = judgement(answer.content)
        return Synthesis(
            agent: call.agent.name, provider: answer.provider, model: answer.model, round: call.round,
            content: judgement.decision, confidence: judgement.confidence, dissent: judgement.dissent,
            truncated: answer.truncated, usage: answer.usage, call: reference)
    }

    /// The event that a call becomes when it has failed for good: its agent takes no further part.
    package static func failureEvent(for call: PlannedCall, kind: CallFailure.Kind, attempt: Int) -> DebateEvent {
        .agentError(
            AgentFailure(
                agent: call.agent.name, provider: call.agent.provider, phase: call.phase, round: call.round, kind: kind,
                message: kind.sentence, call: CallReference(key: call.key, attempt: attempt)))
    }

    /// The event that a call becomes when another provider is asked from its next attempt on.
    package static func fallbackEvent(
        for call: PlannedCall, kind: CallFailure.Kind, attempt: Int, provider: ProviderKey, model: String
    ) -> DebateEvent {
        .agentFallback(
            AgentFallback(
                agent: call.agent.name, round: call.round, provider: call.agent.provider, model: call.agent.model,
                fallbackProvider: provider, fallbackModel: model, reason: kind,
                call: CallReference(key: call.key, attempt: attempt)))
    }

    private static func statement(_ call: PlannedCall, _ answer: Answer, _ reference: CallReference) -> Statement {
        Statement(
            agent: call.agent.name, provider: answer.provider, model: answer.model, role: call.agent.role,
            round: call.round, content: answer.content, truncated: answer.truncated, usage: answer.usage,
            call: reference)
    }
}
