import Domain

/// What clients send about debates, and what they read.
extension Schema {
    // MARK: Requests

    private static let agentObject = input([
        "provider": .text, "model": text(0...AgentWish.maximumModelCharacters).ifGiven,
        "persona": text(0...AgentWish.maximumPersonaCharacters).ifGiven, "role": text.ifGiven, "name": text.ifGiven,
    ]).named("AgentSpec")

    /// Every field of a create; they may also sit in `config` and `protocol`.
    private static let createFields: KeyValuePairs<String, Schema> = [
        "question": topic, "task": topic, "topic": topic, "context": text(0...DebateSpec.contextCharacters).ifGiven,
        "agents": either(
            list(either(.text, agentObject), maximum: DebateSpec.agentsRange.upperBound), .text, agentObject
        ).ifGiven,
        "rounds": whole(DebateSpec.roundsRange).ifGiven, "debate_format": choice(DebateFormat.allCases.map(\.rawValue)),
        "consensus": choice(ConsensusMode.allCases.map(\.rawValue)), "threshold": number(0.5...1).ifGiven,
        "judge_selection": choice(JudgeSelection.allCases.map(\.rawValue)), "adaptive": boolean.ifGiven,
        "knowledge": boolean.ifGiven.saying("False: shown no earlier conclusions, and this one is not kept."),
        "timeout_seconds": whole(DebateSpec.timeoutSecondsRange).ifGiven,
        "budget_limit_usd": number(0.000001...CreateDebateRequest.maximumBudgetUSD).ifGiven,
        "metadata": freeObject.ifGiven.saying("Stored and given back; at most 16 KiB."),
        "auto_select": boolean.ifGiven.saying(
            "The panel is chosen from the configured providers, as it is without `agents`."),
        "auto_select_config": autoSelection,
    ]
    private static let autoSelection = object([
        "min_agents": whole(DebateSpec.agentsRange).ifGiven, "max_agents": whole(DebateSpec.agentsRange).ifGiven,
    ]).ifGiven.saying("How many are chosen; not together with `agents`.")
    private static let topic = text(DebateSpec.topicCharacters).ifGiven
    /// Words are taken in any case.
    private static func choice(_ words: [String]) -> Schema {
        let pattern = words.map { $0.map { "[\($0.uppercased())\($0)]" }.joined().replacing("[__]", with: "_") }
        return text(pattern: "^\\s*(\(pattern.joined(separator: "|")))\\s*$").ifGiven
            .saying("One of \(words.joined(separator: ", ")).")
    }

    private static let nested = freeObject.ifGiven.saying(
        "Any of these fields. The top level wins, then `config`; what does not win is not looked at.")

    /// `POST /debates`, and each item of a batch.
    package static let createDebate = input(createFields).and([
        "config": nested, "protocol": nested,
    ]).and(callbackFields).saying("`question`, `task` or `topic` is needed; they must not differ.").named(
        "CreateDebate")

    /// `POST /debates/{id}/messages`.
    package static let remark = input([
        "content": text.ifGiven, "message": text.ifGiven, "role": text.ifGiven,
        "apply_at_round": whole(DebateSpec.roundsRange).ifGiven,
    ]).saying("`role` is user or constraint.").named("Remark")

    /// `POST /debates/{id}/intervene`.
    package static let intervention = input([
        "type": text.ifGiven, "content": text.ifGiven, "message": text.ifGiven, "role": text.ifGiven,
        "apply_at_round": whole(DebateSpec.roundsRange).ifGiven,
    ]).saying("`type` is message, constraint, pause, resume or stop.").named("Intervention")

    /// `POST /debates/{id}/fork`.
    package static let fork = input([
        "branch_point": whole(0...DebateSpec.roundsRange.upperBound).ifGiven, "changes": input(createFields).ifGiven,
        "modified_context": text(0...DebateSpec.contextCharacters).ifGiven,
    ]).saying("Fields of a create are taken beside `changes` too.").named("Fork")

    /// `POST /debates/{id}/followup`.
    package static let followUp = input([
        "crux_id": text.ifGiven, "cruxId": text.ifGiven, "question": topic, "task": topic,
        "context": text(0...DebateSpec.contextCharacters).ifGiven,
    ]).saying("Without both, the first of the suggestions is taken up.").named("FollowUp")

    // MARK: Answers

    package static let debateCreated = object([
        "success": .constant(true), "debate_id": .debateID, "id": .debateID, "status": .constant("created"),
        "task": .text, "question": .text, "agents": .agentNames, "rounds": .count, "consensus": .consensusMode,
        "demo": .boolean, "websocket_url": .text, "created_at": .time, "spectate_url": text.optional,
        "webhook_secret": webhookSecret,
    ]).named("DebateCreated")

    private static let branched = debateCreated.and([
        "branch_id": .debateID, "parent_debate_id": .debateID, "branch_point": .count, "messages_inherited": .count,
        "message": .text,
    ])
    package static let forked = branched.and(["modified_context": text.orNull]).named("Forked")
    package static let followedUp = branched.and(["crux_id": text.orNull, "followup_id": .debateID]).named("FollowedUp")

    package static let forkPage = page("forks", of: debateRow.and(["branch_id": .debateID]).named("ForkRow"))
        .and(["debate_id": .debateID]).named("ForkPage")

    package static let followUpPage = page(
        "suggestions",
        of: object([
            "id": .text, "crux_id": .text, "kind": .text, "agent": text.orNull, "question": .text, "suggestion": .text,
            "statement": .text,
        ]).named("FollowUpSuggestion")
    ).and(["debate_id": .debateID, "message": .text]).named("FollowUpPage")

    package static let debateRow = object([
        "id": .debateID, "debate_id": .debateID, "slug": .text, "task": .text, "question": .text, "topic": .text,
        "title": .text, "tags": list(.text), "archived": .boolean, "status": .debateStatus, "agents": .agentNames,
        "rounds": .count, "rounds_used": .count,
        "consensus_reached": .boolean, "confidence": share.orNull, "agreement": share.orNull,
        "duration_seconds": amount.orNull, "created_at": .time, "completed_at": time.orNull, "demo": .boolean,
        "parent_id": debateID.orNull, "branch_point": count.orNull, "view_count": .count, "is_public": .boolean,
    ]).named("DebateRow")

    package static let debate = debateRow.and([
        "context": text.orNull, "in_progress": .boolean, "reason": text.orNull, "final_answer": text.orNull,
        "conclusion": text.orNull, "winning_proposal": text.orNull, "outcome": text.orNull,
        "consensus_mode": .consensusMode,
        "consensus": object([
            "mode": .consensusMode, "reached": .boolean, "agreement": share.orNull, "confidence": share.orNull,
            "final_answer": text.orNull, "conclusion": text.orNull, "winner": text.orNull,
            "supporting_agents": .agentNames, "dissenting_agents": .agentNames,
        ]),
        "agent_failures": .freeObject, "insight": insight.orNull,
        "winner": text.orNull, "cost_micro_usd": .count, "metadata": .freeObject, "grounded_verdict": any.orNull,
        "model_comparison": any.orNull, "websocket_url": .text, "erased": boolean.optional,
        "events_expired": boolean.optional.saying(
            "There only when the events were removed: their retention has passed."),
        "messages": list(message).optional, "knowledge": list(knowledgeUse).optional,
    ]).named("Debate")

    package static let debatePage = object([
        "debates": list(debateRow), "items": list(debateRow),
        "total": count.orNull.saying(
            "Null for a page by cursor, for which nothing is counted. Counted to 10,000; a longer list has at least as many as this says."
        ), "count": .count,
        "limit": .count, "offset": .count, "has_more": .boolean,
        "next_cursor": text.orNull.optional.saying("For a page by cursor: asks for the next one; null for the last."),
    ]).named("DebatePage")

    package static let activeDebates = page(
        "debates",
        of: object([
            "id": .debateID, "debate_id": .debateID, "topic": .text, "task": .text, "status": .debateStatus,
            "started_at": .time, "agents": .agentNames, "round": .count, "total_rounds": .count,
            "elapsed_seconds": .amount,
        ]).named("ActiveDebate")
    ).named("ActiveDebatePage")

    package static let message = object([
        "index": .count, "role": .text, "content": text.orNull, "agent": text.orNull, "round": .count,
        "timestamp": .time, "metadata": object(["phase": .text, "seq": .count]),
    ]).named("Message")

    package static let messagePage = page("messages", of: message).and(["debate_id": .debateID]).named("MessagePage")

    /// An event as it is stored, published and sent.
    package static let envelope = object([
        "v": .constant(1), "type": .text, "debate_id": .debateID, "loop_id": .debateID, "seq": .count, "epoch": .count,
        "round": .count, "agent": text.orNull, "timestamp": .time, "data": .freeObject, "hash": .hash,
        "prev_hash": .hash, "salt": text(pattern: "^[0-9a-f]{32}$|^$"), "data_hash": hash.optional,
    ]).named("Event")

    package static let eventPage = object([
        "debate_id": .debateID, "status": .debateStatus, "last_seq": .count, "latest_seq": .count, "count": .count,
        "has_more": .boolean, "events": list(envelope),
    ]).named("EventPage")

    package static let vote = object([
        "agent": .text, "choice": text.orNull, "reasoning": .text, "confidence": .share, "round": .count,
        "continue_debate": .boolean,
    ]).named("Vote")

    package static let dissent = object(["agent": .text, "choice": text.orNull, "reasoning": .text]).named("Dissent")

    package static let consensus = object([
        "debate_id": .debateID, "reached": .boolean, "mode": .consensusMode, "method": .consensusMode,
        "threshold": .share, "confidence": share.orNull, "agreement": share.orNull, "winner": text.orNull,
        "final_answer": text.orNull, "round": count.orNull, "supporting_agents": .agentNames,
        "dissenting_agents": .agentNames,
        "dissenting_views": list(dissent),
        "votes": list(vote),
    ]).named("Consensus")

    package static let convergence = object([
        "debate_id": .debateID, "convergence_status": .text, "convergence_similarity": .share,
        "consensus_reached": .boolean, "rounds_used": .count,
    ]).named("Convergence")

    /// Cancel, pause, resume, remark.
    package static let action = object([
        "success": .constant(true), "debate_id": .debateID, "status": .debateStatus, "message": .text,
    ]).named("ActionDone")
}
