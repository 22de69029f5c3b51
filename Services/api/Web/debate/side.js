// What stands beside the transcript: how far it is, who does what, the votes, time and money, and what a person may do.
//
//   const side = new Side(model);  side.element;  side.update();  side.bind(other);  side.close()
//
// update() may be called for every event: it draws at most once a frame, and a clock ticks once a second while the debate
// runs. `extra` are cards below (controls of lib/parts.js style).
import { h, fill, said, setText } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { MODES, PHASES } from "./model.js";

const STATES = { idle: "", thinking: "thinking", writing: "writing", done: "done", failed: "no answer" };

export class Side {
  #model;
  #frame = 0;
  #clock;
  #isStill = false;

  constructor(model, { extra = [] } = {}) {
    this.steps = h("ol", { class: "steps", "aria-label": "Rounds" });
    this.now = h("p", { class: "small muted" });
    this.panel = h("ul", { class: "panel" });
    this.cost = h("dd");
    this.time = h("dd");
    this.tokens = h("dd");
    this.calls = h("dd");
    this.tally = h("div", { class: "bars" });
    this.tallyCard = h("section", { class: "side-card", "aria-label": "Votes", hidden: true }, this.tallyTitle = h("h2", "Votes so far"), this.tally);
    this.element = h("aside", { class: "debate-side", "aria-label": "Progress" },
      h("section", { class: "side-card", "aria-label": "Rounds and phases" }, this.steps, this.now),
      h("section", { class: "side-card", "aria-label": "Panel" }, h("h2", "Panel"), this.panel),
      this.tallyCard,
      h("section", { class: "side-card", "aria-label": "Cost and time" }, h("dl", { class: "facts" },
        h("div", h("dt", "Cost"), this.cost), h("div", h("dt", "Time"), this.time),
        h("div", h("dt", "Tokens"), this.tokens), h("div", h("dt", "Calls"), this.calls))),
      extra);
    this.bind(model);
    this.#clock = setInterval(() => { if (!this.#model.isOver && !this.#isStill) this.#drawTime(); }, 1000);
  }

  /** @param isStill for a replay: the clock shows the debate's time, not ours. */
  bind(model, { isStill = false } = {}) {
    this.#model = model;
    this.#isStill = isStill;
    delete this.steps.dataset.key;
    delete this.tally.dataset.key;
    this.update();
  }

  update() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  close() {
    clearInterval(this.#clock);
    cancelAnimationFrame(this.#frame);
  }

  #draw() {
    const model = this.#model;
    setText(this.cost, format.microUSD(model.costMicro));
    setText(this.tokens, format.compact(model.inputTokens + model.outputTokens));
    setText(this.calls, format.count(model.calls));
    this.#drawTime();
    this.#drawSteps(model);
    this.#drawPanel(model);
    this.#drawTally(model);
  }

  #drawTime() {
    const model = this.#model;
    const seconds = this.#isStill && model.startedAt ? (Date.parse(model.lastAt) - Date.parse(model.startedAt)) / 1000 : model.seconds;
    setText(this.time, model.startedAt ? format.duration(seconds) : "–");
  }

  #drawSteps(model) {
    // Drawn anew only when something moved: text comes many times a second.
    const key = `${model.seq && model.rounds.length}/${model.rounds.at(-1)?.phases.length}/${model.totalRounds}/${model.status}`;
    if (this.steps.dataset.key === key) return;
    this.steps.dataset.key = key;
    const phases = (round) => {
      const known = model.rounds.find((one) => one.number === round)?.phases.map((phase) => phase.name) ?? [];
      const usual = round === 1 ? ["propose", "ballot", "critique", "revise", "vote"] : ["propose", "critique", "revise", "vote"];
      // What is to come is a guess from the usual order; what was is known.
      return model.isOver || round < model.round ? known : [...known, ...usual.slice(known.length)];
    };
    const rows = Array.from({ length: Math.max(model.totalRounds, model.round) }, (_, index) => index + 1).map((round) => {
      const known = model.rounds.find((one) => one.number === round)?.phases.length ?? 0;
      const isPast = round < model.round || model.isOver;
      return h("li", round <= model.round ? h("a", { class: "number", href: `#round-${round}`, "aria-label": `Round ${round}` }, `R${round}`) : h("span", { class: "number" }, `R${round}`),
        h("ul", { class: "segments" }, (phases(round).length ? phases(round) : ["propose"]).map((phase, index) =>
          h("li", { class: known === 0 ? "" : isPast || index < known - 1 ? "done" : index === known - 1 ? "now" : "", title: PHASES[phase]?.[0] ?? phase },
            h("span", { class: "unseen" }, `${PHASES[phase]?.[0] ?? phase}${index < known ? "" : ", to come"}`)))));
    });
    fill(this.steps, rows);
    setText(this.now, words(model));
  }

  #drawPanel(model) {
    if (this.panel.children.length !== model.agents.length || this.panel.model !== model) {
      this.panel.model = model;
      fill(this.panel, model.agents.map((agent) => h("li", { class: `a${agent.index}` },
        h("span", { class: "dot", "aria-hidden": "true" }), h("span", { class: "name" }, said(agent.name)), h("span", { class: "state" }),
        h("span", { class: "model" }, said([agent.model, agent.role].filter(Boolean).join(" · "))))));
    }
    model.agents.forEach((agent, index) => {
      const row = this.panel.children[index];
      const state = model.isOver && agent.state !== "failed" ? "idle" : agent.state;
      if (row.dataset.state === state) return;
      row.dataset.state = state;
      row.className = `a${agent.index} ${state}`;
      row.querySelector(".state").className = `state ${state}`;
      setText(row.querySelector(".state"), STATES[state] ?? "");
    });
  }

  #drawTally(model) {
    const votes = model.tally();
    const key = `${model.isOver}/${votes.map(([choice, voters]) => `${choice}=${voters.length}`).join("/")}`;
    if (this.tally.dataset.key === key) return;
    this.tally.dataset.key = key;
    this.tallyCard.hidden = votes.length === 0;
    setText(this.tallyTitle, model.isOver ? "Votes" : "Votes so far");
    const cast = votes.reduce((sum, [, voters]) => sum + voters.length, 0);
    fill(this.tally, votes.map(([choice, voters]) => {
      const agent = choice === null ? { index: 0, name: "nobody" } : model.agent(choice);
      return h("div", { class: `bar a${agent.index}` }, said(agent.name), h("span", { class: "muted numeric" }, `${voters.length} of ${cast}`),
        h("span", { class: "track", "aria-hidden": "true" }, h("i", { style: { width: `${(100 * voters.length) / cast}%` } })));
    }));
  }
}

function words(model) {
  if (model.isOver) return `${format.plural(model.end.rounds_used ?? model.round, "round")} of ${model.totalRounds}`;
  if (model.status === "paused") return "Paused: no call is begun until it is resumed.";
  if (!model.round) return "Waiting for a worker to take it.";
  const mode = model.mode ? ` (${MODES[model.mode] ?? model.mode})` : "";
  return `Round ${model.round} of ${model.totalRounds}: ${PHASES[model.phase]?.[0].toLowerCase() ?? "starting"}${mode}`;
}
