// The start: a question, who debates it and how, what that would cost.
//
// The panel that was chosen last is remembered in this browser. The estimate is asked of the API, which computes it from the
// same body that a create takes; so what is refused here would be refused there.
import { h, fill, said, uid, visible } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as format from "../lib/format.js";
import { badge, field } from "../lib/parts.js";

const PANEL_KEY = "aragora.panel";
const MOST_AGENTS = 10;
const ESTIMATE_MS = 350;
const ROLES = [
  ["proposer", "Proposer"], ["critic", "Critic"], ["synthesizer", "Synthesizer"], ["analyst", "Analyst"],
  ["devils_advocate", "Devil’s advocate"], ["planner", "Planner"], ["implementer", "Implementer"], ["judge", "Judge"],
];
const PROVIDERS = {
  anthropic: "Anthropic", openai: "OpenAI", openrouter: "OpenRouter", mistral: "Mistral", gemini: "Gemini", xai: "xAI", local: "Local model", demo: "Demonstration",
};
const MODES = [
  ["majority", "Majority", "60 % of the votes decide; without them there is no agreement."],
  ["supermajority", "Two thirds", "Two thirds of the votes decide."],
  ["unanimous", "Unanimous", "Every vote must be for the same position."],
  ["weighted", "Weighted by rating", "Like a majority, where better rated models count more."],
  ["judge", "A judge decides", "One agent writes the decision; agreement still comes from the votes."],
  ["hybrid", "Majority, else a judge", "A judge writes the decision where the votes do not settle it."],
  ["any", "Most votes", "Whoever leads, however closely."],
  ["none", "No decision", "Positions side by side, without a winner."],
];
const EXAMPLES = [
  "Should a three-person startup use Postgres or MongoDB?",
  "Should we move to a four-day week next quarter?",
  "Is it time to rewrite our billing service?",
];

export const title = "Ask";

export default async function view(page) {
  const [models, priced, recent] = await Promise.all([
    api.get("/agents", { signal: page.signal }).then((answer) => answer.items.filter((item) => item.available)),
    api.get("/models", { signal: page.signal }).then((answer) => answer.models, () => []),
    api.get("/debates", { query: { limit: 5 }, signal: page.signal }).then((answer) => answer.items, () => []),
  ]);
  const form = new AskForm(models, priced, page);
  return h("div", { class: "stack wide" },
    h("header", { class: "stack tight" }, h("h1", "What should be decided?"),
      h("p", { class: "lead" }, "Several models propose, criticise each other, revise and vote. You get a decision with its dissent, its cost, and a receipt that anyone can check.")),
    form.element, recentList(recent));
}

function recentList(items) {
  if (items.length === 0) return null;
  return h("section", { class: "stack" },
    h("div", { class: "row spread" }, h("h2", "Recent debates"), h("a", { href: "/debates" }, "All debates")),
    h("ul", { class: "recent" }, items.map((item) => h("li", h("a", { href: `/debates/${item.debate_id}` },
      h("span", { class: "grow" }, said(format.cut(item.title ?? item.task, 140))), h("span", { class: "muted small" }, format.ago(item.created_at)), badge(item.status))))));
}

class AskForm {
  #models;
  #priced;
  #page;
  #timer = 0;
  #asked = null;
  #key = randomKey();

  constructor(models, priced, page) {
    this.#models = models;
    this.#priced = priced;
    this.#page = page;
    this.question = h("textarea", { rows: 3, maxlength: 10_000, required: true, class: "question", placeholder: "Should a three-person startup use Postgres or MongoDB?" });
    this.context = h("textarea", { rows: 4, maxlength: 10_000 });
    this.seats = h("ol", { class: "seats" });
    this.add = h("button", { type: "button", class: "quiet", onclick: () => this.#addSeat() }, "Add an agent");
    this.rounds = h("input", { type: "number", min: 1, max: 12, value: 3, required: true });
    this.consensus = h("select", MODES.map(([value, text]) => h("option", { value }, text)));
    this.form = h("select", h("option", { value: "light" }, "Every step each round"), h("option", { value: "full" }, "One step a round"));
    this.budget = h("input", { type: "number", min: 0.0001, step: "any", inputmode: "decimal", placeholder: "none" });
    this.adaptive = h("input", { type: "checkbox", id: "adaptive" });
    this.problem = h("p", { class: "notice bad", role: "alert", hidden: true });
    this.estimate = h("div", { class: "stack tight", "aria-live": "polite" });
    this.submit = h("button", { type: "submit", class: "primary large" }, "Start the debate");
    this.fields = {
      question: field("Question", this.question), context: field("Context", this.context, { hint: "What the panel should know: numbers, constraints, what was tried." }),
      rounds: field("Rounds", this.rounds, { hint: "1 to 12" }), consensus: field("Decided by", this.consensus, { hint: MODES[0][2] }),
      debate_format: field("Form", this.form), budget_limit_usd: field("Budget in US dollars", this.budget, { hint: "No call begins that this does not cover." }),
    };
    this.element = this.#build();
    this.element.addEventListener("input", () => this.#changed());
    this.consensus.addEventListener("change", () => {
      this.fields.consensus.querySelector(".hint").textContent = MODES.find(([value]) => value === this.consensus.value)[2];
    });
    this.form.addEventListener("change", () => { this.rounds.value = this.form.value === "full" ? 8 : 3; });
    for (const seat of rememberedPanel(models)) this.#addSeat(seat);
    page.onleave(() => clearTimeout(this.#timer));
    this.#changed();
  }

  #build() {
    const isOnlyDemo = this.#models.every((model) => model.demo);
    return h("form", { class: "ask", onsubmit: (event) => this.#send(event) },
      h("div", { class: "stack wide" },
        this.problem,
        h("div", { class: "stack" }, this.fields.question,
          h("div", { class: "row examples" }, EXAMPLES.map((text) => h("button", { type: "button", class: "quiet", onclick: () => {
            this.question.value = text;
            this.question.focus();
            this.#changed();
          } }, text))),
          h("details", h("summary", "Add context"), this.fields.context)),
        h("fieldset", { class: "stack" },
          h("div", { class: "row spread" }, h("legend", "Panel"), this.add),
          isOnlyDemo && h("div", { class: "notice info" }, h("p", "No provider has a key yet, so built-in demonstration agents answer. Set ANTHROPIC_API_KEY, OPENAI_API_KEY or another, or point ARAGORA_LOCAL_LLM_URL at a local model.")),
          this.seats),
        h("fieldset", { class: "stack" }, h("legend", "How"),
          h("div", { class: "fields" }, this.fields.rounds, this.fields.consensus, this.fields.debate_format, this.fields.budget_limit_usd),
          h("label", { class: "row line-up", for: "adaptive" }, this.adaptive, "End as soon as another round is not expected to pay"))),
      h("aside", { class: "ask-side card", "aria-label": "Estimate" }, h("h2", "Estimate"), this.estimate, this.submit));
  }

  #addSeat(wish = {}) {
    const number = this.seats.children.length;
    if (number >= MOST_AGENTS) return;
    const wanted = wish.provider ? wish : this.#models[number % Math.max(1, this.#models.length)] ?? {};
    const names = [...new Set([...this.#models.map((item) => item.provider), ...(wanted.provider ? [wanted.provider] : [])])];
    const provider = h("select", { "aria-label": "Provider" }, names.map((name) => h("option", { value: name, selected: name === wanted.provider }, PROVIDERS[name] ?? visible(name))));
    const known = h("datalist", { id: uid("models") });
    const model = h("input", { "aria-label": "Model", list: known.id, maxlength: 200, value: wanted.model ?? "", autocomplete: "off", spellcheck: "false" });
    const suggest = () => {
      const models = this.#suggestions(provider.value);
      model.placeholder = this.#usual(provider.value);
      fill(known, models.map((item) => h("option", { value: item.model }, price(item))));
    };
    provider.addEventListener("change", () => {
      model.value = this.#usual(provider.value);
      suggest();
    });
    // A list shows only what begins like what stands there: all of them, once somebody wants to choose.
    model.addEventListener("focus", () => model.select());
    suggest();
    const role = h("select", { "aria-label": "Role" }, ROLES.map(([value, text]) => h("option", { value, selected: value === (wish.role ?? "proposer") }, text)));
    const persona = h("input", { "aria-label": "Persona", placeholder: "Persona, optional", maxlength: 200, value: wish.persona ?? "" });
    const remove = h("button", { type: "button", class: "icon-button", "aria-label": "Remove this agent", onclick: () => {
      const next = seat.nextElementSibling ?? seat.previousElementSibling;
      seat.remove();
      (next?.querySelector("select") ?? this.add).focus();
      this.#changed();
    } }, "×");
    const seat = h("li", { class: "seat-row" }, h("span", { class: "dot", "aria-hidden": "true" }), provider, model, role, persona, remove, known);
    seat.read = () => {
      const name = model.value.trim();
      return { provider: provider.value, ...(name && { model: name }), role: role.value, ...(persona.value.trim() && { persona: persona.value.trim() }) };
    };
    this.seats.append(seat);
    this.#changed();
  }

  /** What the provider is asked for when nobody names a model. */
  #usual(provider) {
    return this.#models.find((item) => item.provider === provider && item.default)?.model ?? "";
  }

  /** What has a price, and what was rated; any other name may be written. */
  #suggestions(provider) {
    const priced = this.#priced.filter((item) => item.provider === provider);
    const rated = this.#models.filter((item) => item.provider === provider && !priced.some((one) => one.model === item.model));
    return [...priced, ...rated];
  }

  #changed() {
    [...this.seats.children].forEach((seat, index) => { seat.className = `seat-row a${index % 12}`; });
    this.add.disabled = this.seats.children.length >= MOST_AGENTS;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), ESTIMATE_MS);
  }

  #body() {
    const body = {
      question: this.question.value.trim(), agents: [...this.seats.children].map((seat) => seat.read()),
      rounds: Number(this.rounds.value), consensus: this.consensus.value, debate_format: this.form.value,
    };
    if (this.context.value.trim()) body.context = this.context.value.trim();
    if (this.budget.value) body.budget_limit_usd = Number(this.budget.value);
    if (this.adaptive.checked) body.adaptive = true;
    return body;
  }

  async #ask() {
    this.#asked?.abort();
    this.#asked = new AbortController();
    const body = this.#body();
    // What a question says does not change what it costs by much; that it is missing is said when it is sent.
    if (body.question.length < 3) body.question = "What should be decided?";
    if (body.agents.length === 0) return fill(this.estimate, h("p", { class: "muted" }, "The installation chooses the panel."));
    try {
      this.#drawEstimate(await api.post("/debates/estimate", body, { signal: this.#asked.signal }));
    } catch (error) {
      if (error.name === "AbortError") return;
      fill(this.estimate, h("p", { class: "muted" }, said(error.message)), error.suggestion && h("p", { class: "muted small" }, said(error.suggestion)));
    }
  }

  #drawEstimate(answer) {
    const isFree = answer.total_estimated_cost_usd === 0;
    const verdict = answer.within_budget === false
      ? h("p", { class: "notice warn" }, h("span", `Only the first calls are sure to be covered: at worst this debate costs ${format.usd(answer.worst_cost_usd)}. It ends, with the votes there are, when the budget does.`))
      : answer.within_budget && h("p", { class: "notice good" }, h("span", "Covered, even at worst."));
    fill(this.estimate,
      h("p", { class: "figure" }, isFree ? "Free" : `≈ ${format.usd(answer.total_estimated_cost_usd)}`),
      h("p", { class: "muted small" }, `${format.plural(answer.calls, "call")}${isFree ? "" : `; at worst ${format.usd(answer.worst_cost_usd)}`}`),
      !isFree && h("table", { class: "small" }, h("caption", { class: "unseen" }, "By model"), h("tbody", answer.breakdown_by_model.map((row) => h("tr",
        h("td", said(row.model), row.price_assumed && h("span", { class: "muted" }, " (price assumed)")), h("td", { class: "numeric" }, format.usd(row.subtotal_usd)))))),
      verdict,
      h("details", { class: "small muted" }, h("summary", "How this is computed"), h("ul", (answer.assumptions ?? []).map((text) => h("li", said(text))))));
  }

  async #send(event) {
    event.preventDefault();
    this.submit.disabled = true;
    this.problem.hidden = true;
    for (const one of Object.values(this.fields)) one.refuse(null);
    const body = this.#body();
    remember(body.agents);
    try {
      const made = await api.post("/debates", body, { headers: { "Idempotency-Key": this.#key }, signal: this.#page.signal });
      this.#page.go(`/debates/${made.debate_id}`);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#refused(error);
    } finally {
      this.submit.disabled = false;
    }
  }

  #refused(error) {
    // A lost answer is asked for again under the same key; anything that was answered needs a new one.
    if (error.status > 0) this.#key = randomKey();
    let first = null;
    for (const [name, message] of Object.entries(error.fields ?? {})) {
      if (!Object.hasOwn(this.fields, name)) continue;
      const one = this.fields[name];
      one.refuse(message);
      first ??= one;
    }
    if (first) {
      first.closest("details")?.setAttribute("open", "");
      first.querySelector("input, select, textarea").focus();
      return;
    }
    fill(this.problem, h("span", said(error.message), error.suggestion && [" ", said(error.suggestion)]));
    this.problem.hidden = false;
    this.problem.scrollIntoView({ block: "center" });
  }
}

function price(item) {
  if (item.input_usd_per_million === undefined) return "";
  if (item.input_usd_per_million + item.output_usd_per_million === 0) return "free";
  const figures = `${format.usd(item.input_usd_per_million)} in, ${format.usd(item.output_usd_per_million)} out, a million tokens`;
  return item.price_assumed ? `price not known, taken for ${figures}` : figures;
}

function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The last panel as far as its providers are still there; else the models that the installation would choose, at least three seats. */
function rememberedPanel(models) {
  const providers = new Set(models.map((model) => model.provider));
  try {
    const panel = JSON.parse(localStorage.getItem(PANEL_KEY) ?? "[]").filter((seat) => providers.has(seat.provider));
    if (panel.length >= 2) return panel.slice(0, MOST_AGENTS);
  } catch { /* what was stored is no panel */ }
  const usual = models.filter((model) => !model.demo && model.default);
  const chosen = usual.length > 0 ? usual : models;
  if (chosen.length === 0) return [];
  const wanted = Math.max(3, Math.min(chosen.length, 5));
  return Array.from({ length: wanted }, (_, index) => ({ ...chosen[index % chosen.length], role: "proposer", persona: "" }));
}

function remember(panel) {
  try {
    localStorage.setItem(PANEL_KEY, JSON.stringify(panel));
  } catch { /* storage is off */ }
}
