// What a debate amounts to, event by event. No DOM: the views ask it, tests could.
//
//   const model = new DebateModel();
//   const change = model.apply(event);    // an envelope of docs/protocol.md, in order
//
// `change` says what is to be drawn: {kind, …} with kind one of start, round, phase, said, failed, abandoned, fallback,
// vote, person, state, early, knowledge, consensus, receipt, end, other. Unknown types are "other"; erased content leaves
// `data` almost empty, so every field may be missing.
export const PHASES = {
  propose: ["Propose", "proposes"], ballot: ["Sealed vote", "votes in secret"], critique: ["Criticise", "criticises"],
  revise: ["Revise", "revises"], vote: ["Vote", "votes"], judge: ["Judge", "writes the decision"],
};

export const MODES = {
  initial_analysis: "Initial analysis", skeptical_review: "Sceptical review", lateral_exploration: "Lateral exploration",
  devils_advocacy: "Devil’s advocacy", integration: "Integration", cross_examination: "Cross-examination",
  final_synthesis: "Final synthesis", adjudication: "Adjudication", context: "Context",
};

export class DebateModel {
  constructor() {
    this.id = null;
    this.task = "";
    this.context = null;
    this.agents = [];
    this.byName = new Map();
    this.protocol = {};
    this.branch = null;
    this.isDemo = false;
    this.status = "created";
    this.startedAt = null;
    this.lastAt = null;
    this.round = 0;
    this.totalRounds = 0;
    this.phase = null;
    this.mode = null;
    this.rounds = [];
    this.seq = 0;
    this.hash = null;
    this.costMicro = 0;
    this.inputTokens = 0;
    this.outputTokens = 0;
    this.calls = 0;
    this.troubles = [];
    this.changes = [];
    this.consensus = null;
    this.receipt = null;
    this.end = null;
    this.isErased = false;
  }

  apply(event) {
    const data = event.data ?? {};
    this.seq = event.seq;
    this.hash = event.hash;
    this.lastAt = event.timestamp;
    if (data.erased) this.isErased = true;
    const isCall = Number.isFinite(data.cost_micro_usd) && data.call_key;
    if (isCall) {
      this.costMicro += data.cost_micro_usd;
      this.inputTokens += data.input_tokens ?? 0;
      this.outputTokens += data.output_tokens ?? 0;
      this.calls += 1;
    }
    const change = this.#change(event, data);
    return { at: event.timestamp, round: event.round, agent: event.agent, ...change };
  }

  /** The agent of this name, also one that was never announced. */
  agent(name) {
    let agent = this.byName.get(name);
    if (!agent) {
      agent = { name: name ?? "?", index: this.agents.length % 12, choice: undefined, sealed: undefined, state: "idle" };
      if (name) this.byName.set(name, agent);
    }
    return agent;
  }

  /** How the votes of the newest voting stand: [[choice, [voters]], …], the most first. */
  tally(kind = "choice") {
    const found = new Map();
    for (const agent of this.agents) {
      if (agent[kind] === undefined) continue;
      const choice = agent[kind];
      found.set(choice, [...(found.get(choice) ?? []), agent]);
    }
    return [...found].sort((one, other) => other[1].length - one[1].length);
  }

  get isOver() { return this.end !== null; }
  get seconds() {
    if (this.end) return this.end.duration_seconds ?? 0;
    return this.startedAt ? (Date.now() - Date.parse(this.startedAt)) / 1000 : 0;
  }

  #change(event, data) {
    switch (event.type) {
      case "debate_start": return this.#start(event, data);
      case "round_start":
        this.#running();
        this.round = event.round || (data.round_number ?? this.round + 1);
        this.totalRounds = data.total_rounds ?? this.totalRounds;
        this.rounds.push({ number: this.round, at: event.timestamp, phases: [] });
        return { kind: "round", number: this.round };
      case "phase_change":
        this.#running();
        this.phase = data.to_phase ?? null;
        this.mode = data.mode ?? null;
        this.rounds.at(-1)?.phases.push({ name: this.phase, mode: this.mode, at: event.timestamp });
        for (const agent of this.agents) if (agent.state !== "failed") agent.state = this.phase === "judge" ? "idle" : "thinking";
        return { kind: "phase", phase: this.phase, mode: this.mode };
      case "agent_message": case "revision": case "critique": case "synthesis": return this.#said(event, data);
      case "sealed_vote": case "vote": return this.#vote(event, data);
      case "agent_error":
        return this.#trouble(event, data, "failed", data.message ?? data.error);
      case "call_abandoned":
        return this.#trouble(event, data, "abandoned", "The process that asked ended before the answer came; it is asked again.");
      case "agent_fallback_triggered":
        return this.#trouble(event, data, "fallback", data.message ?? data.reason);
      case "user_message":
        return { kind: "person", author: data.author, content: data.content, isConstraint: data.kind === "constraint", from: data.apply_at_round };
      case "debate_paused":
        this.status = "paused";
        return { kind: "state", state: "paused", by: data.by };
      case "debate_resumed":
        this.status = "running";
        return { kind: "state", state: "resumed", by: data.by };
      case "timeout": return { kind: "state", state: "timeout", message: data.message };
      case "debate_early_terminated": return { kind: "early", source: data.source, message: data.message, saved: data.rounds_saved };
      case "knowledge_recalled": return { kind: "knowledge", label: data.label, question: data.question, conclusion: data.conclusion, debate: data.source_debate_id, confidence: data.confidence };
      case "consensus":
        this.consensus = data;
        return { kind: "consensus", data };
      case "receipt_generated":
        this.receipt = data;
        return { kind: "receipt", data };
      case "debate_end":
        this.end = data;
        this.status = data.status ?? "completed";
        for (const agent of this.agents) if (agent.state !== "failed") agent.state = "idle";
        return { kind: "end", data };
      default: return { kind: "other", type: event.type, data };
    }
  }

  #running() {
    if (this.status === "created" || this.status === "queued") this.status = "running";
  }

  #start(event, data) {
    this.id = event.debate_id;
    this.task = data.task ?? "";
    this.context = data.context ?? null;
    this.protocol = data.protocol ?? {};
    this.branch = data.branch ?? null;
    this.isDemo = data.demo === true;
    this.totalRounds = data.total_rounds ?? 0;
    this.startedAt = event.timestamp;
    const specs = data.agent_specs ?? (data.agents ?? []).map((name) => ({ name }));
    this.agents = specs.map((spec, index) => ({ ...spec, index: index % 12, choice: undefined, sealed: undefined, state: "idle" }));
    this.byName = new Map(this.agents.map((agent) => [agent.name, agent]));
    return { kind: "start" };
  }

  #said(event, data) {
    const agent = this.agent(event.agent ?? data.agent);
    agent.state = "done";
    const phase = event.type === "agent_message" ? data.phase ?? "propose" : { revision: "revise", critique: "critique", synthesis: "judge" }[event.type];
    return {
      kind: "said", phase, agent: agent.name, key: data.call_key ?? `${event.round}/${phase}/${agent.name}/${event.seq}`,
      target: data.target_agent ?? data.target ?? null, content: data.content ?? "", original: data.original_content ?? null,
      severity: data.severity, score: data.score, confidence: data.confidence, dissent: data.dissent ?? null,
      model: data.model, provider: data.provider, cost: data.cost_micro_usd, isCut: data.truncated === true, isErased: data.erased === true,
    };
  }

  #vote(event, data) {
    const agent = this.agent(event.agent ?? data.agent);
    agent.state = "done";
    const isSealed = event.type === "sealed_vote";
    const before = isSealed ? undefined : agent.choice !== undefined ? agent.choice : agent.sealed;
    const choice = data.choice ?? null;
    if (isSealed) agent.sealed = choice;
    else agent.choice = choice;
    const hasChanged = !isSealed && before !== undefined && before !== null && choice !== null && before !== choice;
    if (hasChanged) this.changes.push({ agent: agent.name, from: before, to: choice, round: event.round });
    return {
      kind: "vote", isSealed, agent: agent.name, choice, before: hasChanged ? before : null, confidence: data.confidence,
      reasoning: data.reasoning ?? "", wantsMore: data.continue_debate, isMalformed: data.standing === "malformed",
      key: data.call_key ?? `${event.round}/${event.type}/${agent.name}`, cost: data.cost_micro_usd, isErased: data.erased === true,
    };
  }

  #trouble(event, data, kind, message) {
    const name = event.agent ?? data.agent;
    const agent = this.agent(name);
    if (kind === "failed") agent.state = "failed";
    else agent.state = "thinking";
    const trouble = {
      kind, agent: name, message: message ?? "", code: data.code ?? data.reason, at: event.timestamp, round: event.round,
      key: data.call_key, from: data.original_agent, to: data.fallback_agent,
    };
    this.troubles.push(trouble);
    return trouble;
  }
}
