// What is said in a debate, drawn as it comes: one section a round, one block a position with its critiques below it.
//
//   const transcript = new Transcript(model);
//   transcript.element
//   transcript.draw(change)      what DebateModel.apply returned
//   transcript.text(message)     token_start, token_delta, token_end of lib/socket.js; true when an agent began to write
//   transcript.clear(model)      begins again, with another model
//
// Text on its way is appended, never drawn anew: pieces wait in a string and go into a text node at most every BATCH_MS, in an
// animation frame, so that ten agents at once cost a few nodes a second. Each paragraph is an element of its own, because
// the browser lays a growing element out as a whole. When the stored message comes it takes the place of the text.
import { h, fill, said, visible } from "../lib/dom.js";
import { markdown } from "../lib/markdown.js";
import * as format from "../lib/format.js";
import { MODES, PHASES } from "./model.js";

const BATCH_MS = 150;
const PARAGRAPH = 500;

export class Transcript {
  #model;
  #rounds = new Map();
  #phase = null;
  #blocks = new Map();
  #writing = new Map();
  #dirty = new Set();
  #frame = 0;
  #flushedAt = 0;

  constructor(model) {
    this.element = h("div", { class: "transcript" });
    /** Called with an element that was just added, for those who follow. */
    this.onadd = () => {};
    this.clear(model);
  }

  clear(model) {
    clearTimeout(this.#frame);
    this.#frame = 0;
    this.#model = model;
    this.#rounds.clear();
    this.#blocks.clear();
    this.#writing.clear();
    this.#dirty.clear();
    this.#phase = null;
    this.element.replaceChildren();
  }

  draw(change) {
    switch (change.kind) {
      case "round": return void this.#round(change.number);
      case "phase": return this.#beginPhase(change);
      case "said": return this.#said(change);
      case "vote": return this.#vote(change);
      case "failed": case "abandoned": case "fallback": return this.#trouble(change);
      case "person": return this.#note(change.isConstraint ? "Constraint" : "Remark", change.author, change.content, "person");
      case "state": return this.#line({ paused: "Paused", resumed: "Resumed", timeout: "Out of time" }[change.state], change.by ?? change.message);
      case "early": return this.#line("Ended early", change.message ?? early(change));
      case "knowledge": return this.#note(`Recalled ${visible(change.label ?? "")}`, null, `${change.question ?? ""}\n\n${change.conclusion ?? ""}`, "recalled");
    }
  }

  // --- text on its way

  text(message) {
    const data = message.data ?? {};
    const key = data.call_id;
    if (!key || this.#blocks.get(key)?.isFinal) return false;
    let writing = this.#writing.get(key);
    if (writing && (data.epoch < writing.epoch || (data.epoch === writing.epoch && data.attempt < writing.attempt))) return false;
    const begins = !writing || data.epoch > writing.epoch || data.attempt > writing.attempt || message.type === "token_start";
    if (begins) writing = this.#beginText(key, message, data);
    if (message.type === "token_delta") {
      if (data.offset < writing.length) return begins;
      if (data.offset > writing.length) writing.pending += " … ";
      writing.pending += visible(data.delta);
      writing.length = data.offset + data.delta.length;
      if (writing.holder) {
        this.#dirty.add(writing);
        this.#schedule();
      }
    }
    return begins;
  }

  #beginText(key, message, data) {
    const agent = this.#model.agent(message.agent ?? data.agent);
    agent.state = "writing";
    const writing = { epoch: data.epoch, attempt: data.attempt, length: 0, pending: "", holder: null, node: null };
    this.#writing.set(key, writing);
    const phase = data.phase;
    // A ballot is a form, not prose: its text is of no use until it is complete.
    if (phase === "vote" || phase === "ballot") return writing;
    const target = phase === "critique" ? key.split("/").slice(3).join("/") : null;
    const block = this.#block(key, message.round, phase, agent, target);
    if (block.isFinal) return writing;
    writing.holder = h("div", { class: "writing", dir: "auto" });
    block.element.classList.add("is-writing");
    fill(block.body, writing.holder);
    return writing;
  }

  #schedule() {
    if (this.#frame) return;
    // A timer first: frames that only wait cost as much as frames that draw.
    this.#frame = setTimeout(() => requestAnimationFrame(() => {
      this.#frame = 0;
      this.#flushedAt = performance.now();
      this.#flush();
    }), Math.max(0, BATCH_MS - (performance.now() - this.#flushedAt)));
  }

  #flush() {
    for (const writing of this.#dirty) {
      if (writing.holder) appendText(writing, writing.pending);
      writing.pending = "";
    }
    this.#dirty.clear();
  }

  // --- what is stored

  #round(number) {
    const existing = this.#rounds.get(number);
    if (existing) return existing;
    const positions = h("div", { class: "positions" });
    const votes = h("div", { class: "votes" });
    const mode = h("span", { class: "muted" });
    const element = h("section", { class: "round", id: `round-${number}`, "aria-labelledby": `round-${number}-title` },
      h("div", { class: "round-head" }, h("h2", { id: `round-${number}-title` }, `Round ${number}`), mode), positions, votes);
    const round = { number, element, positions, votes, mode, seats: new Map(), lists: new Map() };
    this.#rounds.set(number, round);
    this.element.append(element);
    return round;
  }

  #current() {
    return this.#round(this.#model.round || 1);
  }

  #beginPhase(change) {
    this.#phase = change.phase;
    const round = this.#current();
    if (change.mode) fill(round.mode, MODES[change.mode] ?? said(change.mode));
    this.onadd(round.element);
  }

  /** The place of an agent in a round: its position, what became of it, and what others say of it. */
  #seat(round, agent) {
    let seat = round.seats.get(agent.name);
    if (seat) return seat;
    const positions = h("div", { class: "seat-body" });
    const critiques = h("div", { class: "critiques", hidden: true });
    const element = h("article", { class: `seat a${agent.index}`, "aria-label": `${agent.name}, round ${round.number}` },
      h("header", { class: "seat-head" }, h("span", { class: "dot", "aria-hidden": "true" }), h("h3", said(agent.name)),
        h("span", { class: "muted small" }, said(agent.model ?? agent.provider ?? ""))),
      positions, critiques);
    seat = { element, positions, critiques, agent };
    round.seats.set(agent.name, seat);
    round.positions.append(element);
    this.#order(round);
    return seat;
  }

  /** Seats stand in the order of the panel, whoever was faster. */
  #order(round) {
    const wanted = [...round.seats.values()].sort((one, other) => one.agent.index - other.agent.index);
    wanted.forEach((seat, place) => {
      if (round.positions.children[place] !== seat.element) round.positions.insertBefore(seat.element, round.positions.children[place] ?? null);
    });
  }

  #block(key, roundNumber, phase, agent, target) {
    const existing = this.#blocks.get(key);
    if (existing) return existing;
    const round = this.#round(roundNumber || this.#model.round || 1);
    const block = phase === "critique" ? this.#critique(round, agent, target)
      : phase === "judge" ? this.#synthesis(round, agent) : this.#position(round, agent, phase);
    block.phase = phase;
    this.#blocks.set(key, block);
    this.onadd(block.element);
    return block;
  }

  #position(round, agent, phase) {
    const seat = this.#seat(round, agent);
    const body = h("div", { class: "said" });
    const label = h("p", { class: "said-label" }, phase === "revise" ? "Revised" : "Position");
    const element = h("div", { class: `saying ${phase}` }, label, body);
    if (phase === "revise") foldEarlier(seat);
    seat.positions.append(element);
    return { element, body, label, seat };
  }

  #critique(round, agent, target) {
    const seat = this.#seat(round, this.#model.agent(target ?? agent.name));
    const severity = h("span", { class: "severity" });
    const body = h("div", { class: "said" });
    const summary = h("summary", h("span", { class: "dot", "aria-hidden": "true" }), h("span", { class: "grow" }, said(agent.name), " criticises"), severity);
    const element = h("details", { class: `critique a${agent.index}`, open: true }, summary, body);
    seat.critiques.hidden = false;
    seat.critiques.append(element);
    return { element, body, severity };
  }

  #synthesis(round, agent) {
    const body = h("div", { class: "said" });
    const element = h("article", { class: `seat judge a${agent.index}` },
      h("header", { class: "seat-head" }, h("span", { class: "dot", "aria-hidden": "true" }), h("h3", said(agent.name), " judges")), body);
    round.element.append(element);
    return { element, body };
  }

  #said(change) {
    const agent = this.#model.agent(change.agent);
    const block = this.#block(change.key, change.round, change.phase, agent, change.target);
    block.isFinal = true;
    this.#forget(change.key);
    block.element.classList.remove("is-writing", "has-failed");
    fill(block.body, change.isErased ? h("p", { class: "muted" }, "Erased.") : markdown(change.phase === "critique" ? tidy(change.content) : change.content),
      change.isCut && h("p", { class: "muted small" }, "Cut: the answer was longer than it may be."),
      change.dissent && h("div", { class: "notice" }, h("div", h("strong", "Dissent "), said(change.dissent))));
    if (block.severity && Number.isFinite(change.score)) {
      block.severity.className = `severity ${change.severity ?? ""}`;
      fill(block.severity, `${visible(change.severity ?? "")} ${format.percent(change.score)}`);
    }
    if (block.label && change.provider && change.provider !== agent.provider) {
      block.label.append(" · answered by ", said(`${change.provider}/${change.model}`));
    }
  }

  #forget(key) {
    const writing = this.#writing.get(key);
    if (!writing) return;
    this.#writing.delete(key);
    this.#dirty.delete(writing);
  }

  #vote(change) {
    this.#forget(change.key);
    const round = this.#round(change.round || this.#model.round);
    const kind = change.isSealed ? "sealed" : "vote";
    let list = round.lists.get(kind);
    if (!list) {
      list = h("ul", { class: "vote-list" });
      round.lists.set(kind, list);
      round.votes.append(h("div", { class: "vote-group" },
        h("h3", { class: "said-label" }, change.isSealed ? "Sealed votes, before any criticism" : "Votes"), list));
      this.onadd(list);
    }
    const agent = this.#model.agent(change.agent);
    const chosen = change.choice === null ? null : this.#model.agent(change.choice);
    list.append(h("li", { class: "ballot" },
      h("div", { class: "ballot-line" }, chip(agent), h("span", { class: "arrow", "aria-hidden": "true" }), h("span", { class: "unseen" }, "votes for"),
        chosen ? chip(chosen) : h("span", { class: "muted" }, change.isMalformed ? "no valid choice" : "nobody"),
        Number.isFinite(change.confidence) && h("span", { class: "muted small numeric" }, format.percent(change.confidence)),
        change.before !== null && h("span", { class: "badge warn changed" }, "changed from ", said(change.before))),
      change.reasoning && h("p", { class: "ballot-reason", dir: "auto" }, visible(format.cut(change.reasoning, 600)))));
  }

  #trouble(change) {
    const block = change.key ? this.#blocks.get(change.key) : null;
    if (block && !block.isFinal) {
      block.element.classList.remove("is-writing");
      block.element.classList.add("has-failed");
      this.#forget(change.key);
    }
    const agent = this.#model.agent(change.agent);
    const title = { failed: "did not answer", abandoned: "is asked again", fallback: "is stood in for" }[change.kind];
    const detail = change.kind === "fallback"
      ? [said(change.from ?? ""), " → ", said(change.to ?? ""), change.message && [": ", said(change.message)]] : said(change.message);
    this.#current().element.append(h("div", { class: `notice ${change.kind === "failed" ? "bad" : "warn"} trouble` },
      h("div", chip(agent), ` ${title}. `, detail)));
  }

  #note(label, author, content, kind) {
    const element = h("aside", { class: `note ${kind}` }, h("p", { class: "said-label" }, label, author && [" by ", said(author)]), markdown(content));
    (this.#model.round ? this.#current().element : this.element).append(element);
    this.onadd(element);
  }

  #line(label, detail) {
    (this.#model.round ? this.#current().element : this.element).append(
      h("p", { class: "line" }, h("strong", label), detail && [" · ", said(detail)]));
  }
}

/** A critique without the line that says its severity, which stands in its head, and with its headings as headings. */
function tidy(text) {
  return text.replace(/^SEVERITY:.*$/gm, "").replace(/^(ISSUES|SUGGESTIONS|REASONING):\s*$/gm, (_, word) => `**${word[0]}${word.slice(1).toLowerCase()}**\n`).trim();
}

function foldEarlier(seat) {
  for (const old of [...seat.positions.children].filter((child) => child.classList.contains("saying"))) {
    const fold = h("details", { class: "earlier" }, h("summary", "Position before the criticism"));
    old.replaceWith(fold);
    fold.append(old);
  }
}

function appendText(writing, text) {
  for (const [index, part] of text.split(/\n{2,}/).entries()) {
    if (index > 0 || !writing.node || writing.size > PARAGRAPH) {
      writing.node = document.createTextNode("");
      writing.size = 0;
      writing.holder.append(h("p", writing.node));
    }
    writing.node.appendData(part);
    writing.size += part.length;
  }
}

export function chip(agent) {
  return h("span", { class: `chip a${agent.index}` }, h("span", { class: "dot", "aria-hidden": "true" }), said(agent.name));
}

function early(change) {
  const why = { votes: "the panel does not want another round", convergence: "positions have come together", adaptive: "another round is not expected to pay", budget: "nobody pays for the calls that are due" };
  return `${why[change.source] ?? visible(change.source ?? "")}${change.saved ? `; ${format.plural(change.saved, "round")} saved` : ""}`;
}

export const phaseName = (phase) => PHASES[phase]?.[0] ?? phase ?? "";
