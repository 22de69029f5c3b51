// What a debate came to: the answer, who disagrees, whether debating helped, and what can be done with it.
//
//   decision(model, record, {actions})   a section; `record` is GET /debates/{id}, or null for a shared link
import { h, s, said, visible } from "../lib/dom.js";
import { markdown } from "../lib/markdown.js";
import * as format from "../lib/format.js";
import { badge } from "../lib/parts.js";
import { chip } from "./transcript.js";

const VERDICTS = {
  APPROVED: ["good", "Approved"], APPROVED_WITH_CONDITIONS: ["warn", "Approved with conditions"], NEEDS_REVIEW: ["warn", "Needs review"],
};

export function decision(model, { actions = null } = {}) {
  const end = model.end;
  const consensus = model.consensus ?? {};
  const answer = consensus.answer ?? consensus.result ?? end.result;
  const isDecided = end.status === "completed";
  return h("section", { class: "decision", "aria-labelledby": "decision-title" },
    h("div", { class: "decision-head" },
      h("h2", { id: "decision-title" }, isDecided ? (consensus.reached ? "Decision" : "No agreement") : "Ended without a decision"),
      isDecided ? verdict(model.receipt?.verdict) : badge(end.status)),
    end.reason && h("p", { class: "muted" }, said(end.reason)),
    isDecided && outcome(model, consensus),
    answer && h("div", { class: "answer" }, markdown(answer)),
    measures(model, consensus, end),
    views(model, consensus),
    end.insight && helped(model, end.insight),
    actions);
}

function verdict(word) {
  if (!word) return null;
  const [kind, text] = VERDICTS[word] ?? ["", visible(word)];
  return h("span", { class: `badge ${kind}` }, h("i", { "aria-hidden": "true" }), text);
}

function outcome(model, consensus) {
  if (!consensus.winner) return null;
  const supporters = (consensus.supporting_agents ?? []).filter((name) => name !== consensus.winner);
  return h("p", { class: "row" }, chip(model.agent(consensus.winner)), h("span", { class: "muted" },
    consensus.method === "judge" ? "was followed by the judge" : supporters.length ? ["found the support of ", names(model, supporters)] : "leads the vote"));
}

const names = (model, list) => list.map((name, index) => [index > 0 ? ", " : "", said(name)]);

function measures(model, consensus, end) {
  const items = [
    ["Agreement", format.percent(consensus.agreement)], ["Confidence", format.percent(consensus.confidence ?? end.confidence)],
    ["Rounds", `${end.rounds_used ?? model.round} of ${end.total_rounds ?? model.totalRounds}`],
    ["Time", format.duration(end.duration_seconds)], ["Cost", format.microUSD(end.cost_micro_usd)],
  ].filter(([, value]) => value !== "–");
  return h("dl", { class: "measures" }, items.map(([name, value]) => h("div", h("dt", name), h("dd", value))));
}

function views(model, consensus) {
  const dissent = consensus.dissenting_views ?? [];
  const minorities = (model.end.insight?.surviving_minorities ?? []).filter((name) => name !== consensus.winner);
  const judged = consensus.judgement?.dissent;
  if (dissent.length === 0 && minorities.length === 0 && !judged) return null;
  return h("div", { class: "views" }, h("h3", "Dissent"),
    judged && h("div", { class: "view" }, h("p", "The judge notes"), markdown(judged)),
    dissent.map((view) => h("div", { class: `view a${model.agent(view.agent).index}` },
      h("p", { class: "row" }, chip(model.agent(view.agent)), view.choice && h("span", { class: "muted small" }, "preferred ", said(view.choice))),
      view.reasoning && markdown(view.reasoning))),
    minorities.length > 0 && h("p", { class: "muted" }, "Positions that kept a supporter to the end: ", names(model, minorities), "."));
}

function helped(model, insight) {
  const extra = insight.baseline_calls ? `${format.count(insight.calls)} calls, where a vote alone takes ${format.count(insight.baseline_calls)}` : null;
  const price = insight.baseline_cost_micro_usd ? `; ${format.microUSD(insight.cost_micro_usd)} instead of ${format.microUSD(insight.baseline_cost_micro_usd)}` : "";
  return h("div", { class: "helped" },
    h("div", { class: "stack tight" }, h("h3", "Did debating help?"), h("p", { dir: "auto" }, visible(insight.sentence ?? "")),
      extra && h("p", { class: "muted small" }, extra + price + ".")),
    picture(model));
}

/** Sealed votes on the left, last votes on the right, a line for each agent: what moved is dotted. */
function picture(model) {
  const voters = model.agents.filter((agent) => agent.sealed !== undefined && agent.choice !== undefined);
  if (voters.length === 0) return null;
  const options = [...new Set(voters.flatMap((agent) => [agent.sealed, agent.choice]))]
    .sort((one, other) => order(model, one) - order(model, other));
  const [row, top, left, right] = [38, 34, 108, 212];
  const height = top + options.length * row;
  const spread = (choice, key) => voters.filter((agent) => agent[key] === choice);
  const y = (agent, key) => {
    const list = spread(agent[key], key);
    const gap = Math.min(9, 24 / list.length);
    return top + options.indexOf(agent[key]) * row + row / 2 - 8 + (list.indexOf(agent) - (list.length - 1) / 2) * gap;
  };
  const label = (choice, x, anchor, index) => s("text", { x, y: top + index * row + row / 2 - 4, "text-anchor": anchor }, format.cut(visible(choice ?? "nobody"), 15));
  const moved = voters.filter((agent) => agent.sealed !== agent.choice).length;
  return s("svg", { viewBox: `0 0 320 ${height}`, role: "img", "aria-label": `Sealed votes and last votes: ${moved} of ${voters.length} moved.` },
    s("text", { x: left, y: 14, "text-anchor": "end" }, "before criticism"), s("text", { x: right, y: 14 }, "at the end"),
    options.map((choice, index) => [
      spread(choice, "sealed").length > 0 && label(choice, left - 12, "end", index),
      spread(choice, "choice").length > 0 && label(choice, right + 12, "start", index)]),
    voters.map((agent) => s("g", { class: `a${agent.index}` },
      s("title", `${agent.name}: ${agent.sealed ?? "nobody"} → ${agent.choice ?? "nobody"}`),
      s("path", { class: agent.sealed === agent.choice ? "flow" : "flow moved", d: `M${left} ${y(agent, "sealed")}C${left + 50} ${y(agent, "sealed")} ${right - 50} ${y(agent, "choice")} ${right} ${y(agent, "choice")}` }),
      s("circle", { cx: left, cy: y(agent, "sealed"), r: 4 }), s("circle", { cx: right, cy: y(agent, "choice"), r: 4 }))));
}

const order = (model, choice) => (choice === null ? 99 : model.agents.findIndex((agent) => agent.name === choice));
