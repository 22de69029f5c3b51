// One debate on the screen, whoever looks at it: head, transcript, side, decision, player.
//
//   const screen = new Screen(record, { signal, go, canAct });
//   screen.element
//   screen.take(event)   an event of the log, in order
//   screen.text(message) text on its way
//   screen.reset()       the log was replaced
//   screen.linkState(state)   of lib/socket.js
import { h, fill, said, setText } from "../lib/dom.js";
import * as notice from "../lib/notice.js";
import * as format from "../lib/format.js";
import { badge } from "../lib/parts.js";
import { DebateModel, PHASES } from "./model.js";
import { Transcript } from "./transcript.js";
import { Side } from "./side.js";
import { Controls } from "./controls.js";
import { decision } from "./decision.js";
import { actions } from "./actions.js";
import { Player } from "./player.js";

/** What a script scrolls, the style sheet does not hold still. */
const isStill = matchMedia("(prefers-reduced-motion: reduce)");

export class Screen {
  #events = [];
  #go;
  #canAct;
  #player = null;
  #follows = true;
  #isReplaying = false;
  #isLive = false;

  constructor(record, { signal, go, canAct = true }) {
    this.#go = go;
    this.#canAct = canAct;
    this.model = new DebateModel();
    this.transcript = new Transcript(this.model);
    this.transcript.onadd = (element) => { if (this.#follows && !this.model.isOver && this.#isLive) element.scrollIntoView({ block: "nearest", behavior: isStill.matches ? "auto" : "smooth" }); };
    this.controls = canAct ? new Controls(record.debate_id ?? record.id) : null;
    this.side = new Side(this.model, { extra: this.controls ? [this.controls.element] : [] });
    this.title = h("h1", said(record.title ?? record.task ?? ""));
    this.state = h("div", { class: "row" });
    this.link = h("span", { class: "link-state" }, h("i", { "aria-hidden": "true" }), h("span", "Connecting…"));
    this.about = h("div", { class: "stack tight" });
    this.decision = h("div", { hidden: true });
    this.waiting = h("div", { class: "empty" }, h("h2", "Waiting to begin"), h("p", { class: "muted" }, "The first free worker takes it; nothing has to stay open for that."));
    this.follow = h("input", { type: "checkbox", id: "follow", checked: true });
    this.follow.addEventListener("change", () => { this.#follows = this.follow.checked; });
    this.#stopFollowing(signal);
    this.followLabel = h("label", { class: "row small", for: "follow" }, this.follow, "Follow");
    this.playerHolder = h("div", { class: "player-holder" });
    this.element = h("div", { class: "debate" },
      h("div", { class: "debate-head" }, h("div", { class: "row" }, this.state, this.link, this.followLabel, canAct && h("a", { class: "button quiet to-controls", href: "#take-part" }, "Take part")), this.title, this.about),
      h("div", { class: "debate-main" }, this.decision, this.waiting, this.transcript.element, this.playerHolder),
      this.side.element);
    this.#drawState();
    if (this.controls) this.controls.element.id = "take-part";
    signal.addEventListener("abort", () => {
      this.side.close();
      this.#player?.stop();
    });
  }

  get last() { return this.#events.at(-1) ?? null; }

  take(event) {
    this.#events.push(event);
    if (this.#isReplaying) return;
    this.#draw(event, true);
  }

  text(message) {
    if (this.#isReplaying || this.model.isOver) return;
    if (this.transcript.text(message)) this.side.update();
  }

  reset() {
    this.#events = [];
    this.#player?.stop();
    this.#isReplaying = false;
    this.#begin();
    notice.show("The log of this debate was replaced by an older one (a restore). It is read anew.");
  }

  linkState(state) {
    // What is caught up with at once is not scrolled to one by one.
    if (state.name !== "replaying" && state.name !== "connecting") this.#isLive = true;
    const text = {
      connecting: "Connecting…", replaying: "Catching up…", live: "Connected", polling: "Connected, by polling", ended: "",
      refused: state.message, waiting: `Connection lost; trying again${state.until ? ` in ${Math.max(1, Math.round((state.until - Date.now()) / 1000))} s` : ""}`,
    }[state.name];
    // Catching up takes a moment: said only when it lasts, so that nothing flickers.
    if (state.name === "connecting" && this.#events.length > 0 && state.attempt === 0) return;
    this.link.className = `link-state ${state.name}`;
    this.link.dataset.state = state.name;
    setText(this.link.lastChild, text);
    if (state.name === "waiting" && state.attempt === 1) notice.say("Connection lost. Trying again.");
  }

  /** Whoever scrolls wants to read, not to be carried along. */
  #stopFollowing(signal) {
    const stop = () => {
      this.#follows = false;
      this.follow.checked = false;
    };
    for (const kind of ["wheel", "touchmove"]) addEventListener(kind, stop, { signal, passive: true });
    addEventListener("keydown", (event) => {
      if (["PageUp", "PageDown", "Home", "End", "ArrowUp", "ArrowDown", " "].includes(event.key) && event.target === document.body) stop();
    }, { signal });
  }

  #begin() {
    this.model = new DebateModel();
    this.transcript.clear(this.model);
    this.side.bind(this.model, { isStill: this.#isReplaying });
    this.decision.hidden = true;
  }

  #draw(event, isLive) {
    const change = this.model.apply(event);
    this.transcript.draw(change);
    this.side.update();
    this.waiting.hidden = this.model.round > 0 || this.model.isOver;
    if (isLive) this.#announce(change);
    if (["start", "state", "end", "round", "phase"].includes(change.kind)) this.#drawState();
    if (change.kind === "start") this.#drawAbout();
    if (change.kind === "end") this.#ended();
  }

  #drawState() {
    fill(this.state, badge(this.model.status), this.model.isDemo && h("span", { class: "badge" }, "Demonstration agents"));
    // A replay shows what was: there is no connection to speak of, and nothing to take part in.
    const isOver = this.model.isOver || this.#isReplaying;
    this.controls?.update(this.model);
    if (this.controls && this.#isReplaying) this.controls.element.hidden = true;
    this.followLabel.hidden = this.model.isOver;
    this.link.hidden = isOver;
    this.element?.classList.toggle("is-over", isOver);
  }

  #drawAbout() {
    const { model } = this;
    fill(this.title, said(model.task));
    const facts = [format.plural(model.agents.length, "agent"), format.plural(model.totalRounds, "round"), model.protocol.consensus, format.moment(model.startedAt)];
    fill(this.about, h("p", { class: "muted small" }, facts.filter(Boolean).map((fact, index) => [index > 0 ? " · " : "", said(fact)])),
      model.branch && h("p", { class: "small" }, "Branched off ", h("a", { href: `/debates/${model.branch.parent_debate_id}` }, "an earlier debate"), model.branch.branch_point ? ` after round ${model.branch.branch_point}` : ""),
      model.context && h("details", { class: "small" }, h("summary", { class: "muted" }, "Context"), h("p", { dir: "auto", style: { "white-space": "pre-wrap", "max-width": "68ch" } }, said(model.context))));
  }

  #announce(change) {
    if (change.kind === "phase") notice.say(`Round ${this.model.round}: ${PHASES[change.phase]?.[0] ?? change.phase}`);
    if (change.kind === "vote" && !change.isSealed) notice.say(`${change.agent} votes for ${change.choice ?? "nobody"}`);
    if (change.kind === "failed") notice.say(`${change.agent} did not answer`);
    if (change.kind === "end") notice.say(change.data.status === "completed" ? "The debate has a decision." : `The debate is ${change.data.status}.`);
  }

  #ended() {
    const bar = this.#canAct && !this.#isReplaying
      ? actions(this.model, { go: this.#go, replay: () => this.#replay() })
      : h("div", { class: "actions" }, h("button", { type: "button", onclick: () => this.#replay() }, "Replay"));
    fill(this.decision, decision(this.model, { actions: bar }));
    this.decision.hidden = false;
  }

  #replay() {
    this.#isReplaying = true;
    this.#player?.stop();
    let shown = 0;
    this.#player = new Player(this.#events, {
      show: (position) => {
        if (position < shown || shown === 0) {
          this.#begin();
          shown = 0;
        }
        for (; shown < position; shown += 1) this.#draw(this.#events[shown], false);
        if (this.#follows || position < this.#events.length) this.#scrollToNewest();
      },
      close: () => this.#endReplay(),
    });
    fill(this.playerHolder, this.#player.element);
    this.#player.play();
    this.#player.toggle.focus({ preventScroll: true });
  }

  #scrollToNewest() {
    const rounds = this.transcript.element.lastElementChild;
    if (rounds) rounds.lastElementChild?.scrollIntoView({ block: "nearest" });
  }

  #endReplay() {
    this.#player?.stop();
    this.#player = null;
    this.#isReplaying = false;
    fill(this.playerHolder);
    this.#begin();
    for (const event of this.#events) this.#draw(event, false);
    scrollTo(0, 0);
  }
}
