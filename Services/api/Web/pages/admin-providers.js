// Providers: circuit breakers as all processes see them together, and what each model did in the last thirty days.
import { h, said } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { compact, count, percent, plural, usd } from "../lib/format.js";
import { card, figure, figures, part, repeat, state, table } from "./kit.js";

const REFRESH_S = 5;
const PHASES = { closed: ["good", "Closed"], half_open: ["warn", "Half open"], open: ["bad", "Open"] };

export default async function view(page) {
  const options = { signal: page.signal };
  const breakers = await part(() => api.get("/circuit-breakers", options), drawBreakers);
  const readiness = await part(() => api.get("/readiness", options), drawReadiness);
  const models = await part(() => api.get("/debates/stats/agents", options), drawModels);
  repeat(page, REFRESH_S, () => breakers.again());
  return h("section", { class: "stack wide" }, h("h1", "Providers"), breakers, readiness, models);
}

function drawBreakers(found) {
  const rows = Object.entries(found.circuit_breakers);
  const summary = found.summary;
  return h("div", { class: "stack" },
    figures(figure(summary.closed, "closed"), figure(summary.half_open, "half open", { kind: summary.half_open ? "warn" : "" }),
      figure(summary.open, "open", { kind: summary.open ? "bad" : "" })),
    table({ caption: "Circuit breakers", shown: true, kind: "card tight", rows, columns: [
      { title: "Provider", cell: ([name]) => said(name) },
      { title: "Breaker", cell: ([, row]) => state(...(PHASES[row.status] ?? ["", row.status])) },
      { title: "Failures", numeric: true, cell: ([, row]) => `${row.failures} of ${row.failure_threshold}` },
      { title: "Tries again in", numeric: true, cell: ([, row]) => (row.cooldown_remaining > 0 ? `${Math.ceil(row.cooldown_remaining)} s` : null) },
      { title: "Asked us to wait", numeric: true, cell: ([, row]) => (row.paused_seconds > 0 ? `${Math.ceil(row.paused_seconds)} s` : null) },
      { title: "Calls in flight", numeric: true, cell: ([, row]) => row.in_flight ?? null },
    ] }),
    h("p", { class: "muted small" }, "Closed lets calls through. After so many failures in a row it opens: no calls, until one of them finds out (half open)."));
}

function drawReadiness(found) {
  const rows = Object.entries(found.providers);
  return h("div", { class: "stack tight" },
    found.ready_to_debate
      ? h("p", { class: "notice good" }, found.demo ? "A debate can begin: with demonstration agents, since no provider has a key." : "A debate can begin.")
      : h("p", { class: "notice bad" }, `No debate can begin: ${found.missing_required.join("; ")}.`),
    table({ caption: "Keys of providers", shown: true, kind: "card tight", rows, columns: [
      { title: "Provider", cell: ([name]) => said(name) },
      { title: "Can be asked", cell: ([, row]) => state(row.available ? "good" : "", row.available ? "Yes" : "No") },
      { title: "Why", cell: ([, row]) => said(row.reason) },
    ] }));
}

function drawModels({ agents }) {
  if (agents.length === 0) return card("Models", h("p", { class: "muted" }, "No model was called in the last thirty days."));
  return h("div", table({ caption: `What ${plural(agents.length, "model")} did in the last thirty days`, shown: true, kind: "card tight", rows: agents, columns: [
    { title: "Model", cell: (row) => [said(row.model), h("span", { class: "muted small block" }, said(row.provider))] },
    { title: "Debates", numeric: true, cell: (row) => count(row.debates) },
    { title: "Calls", numeric: true, cell: (row) => count(row.calls) },
    { title: "Answered", numeric: true, cell: (row) => percent(row.success_rate, 1) },
    { title: "Tokens in / out", numeric: true, cell: (row) => `${compact(row.tokens_in)} / ${compact(row.tokens_out)}` },
    { title: "Mean latency", numeric: true, cell: (row) => (row.average_latency_ms === null ? null : `${count(row.average_latency_ms)} ms`) },
    { title: "Cost", numeric: true, cell: (row) => usd(row.cost_usd) },
  ] }));
}
