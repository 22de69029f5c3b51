// Budgets: what the organization may spend in each period, and what it did.
import { h, said } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as notice from "../lib/notice.js";
import { empty, menu } from "../lib/parts.js";
import { ago, brief, moment, usd } from "../lib/format.js";
import { ask, bar, button, card, facts, figure, figures, part, repeat, state, sure, table } from "./kit.js";

const PERIODS = [["daily", "Day"], ["weekly", "Week, from Monday"], ["monthly", "Month"], ["quarterly", "Quarter"], ["yearly", "Year"], ["total", "For ever"]];
const STATES = { active: ["good", "Within"], warning: ["warn", "Near its limit"], disabled: ["", "Switched off"], exhausted: ["bad", "Spent"] };
const REFRESH_S = 15;

export default async function view(page) {
  const list = await part(async () => {
    const [summary, all] = await Promise.all([
      api.get("/budgets/summary", { signal: page.signal }), api.get("/budgets", { query: { limit: 100 }, signal: page.signal })]);
    return { summary, all: all.budgets };
  }, (found, again) => draw(found, again, page));
  repeat(page, REFRESH_S, () => list.again());
  return h("section", { class: "stack wide" },
    h("div", { class: "row spread" }, h("h1", "Budgets"), button("Set a budget", () => create(list.again), { kind: "primary" })), list);
}

function draw({ summary, all }, again, page) {
  if (all.length === 0) {
    return empty("Nothing limits the organization", "A debate may have a limit of its own. A budget holds for all of them together, in each period.");
  }
  return h("div", { class: "stack wide" },
    figures(figure(usd(summary.total_spent), "spent in these periods"), figure(usd(summary.total_reserved), "held back", { note: "for calls in flight" }),
      figure(summary.remaining === null ? "–" : usd(summary.remaining), "left of the tightest"),
      figure(summary.exceeded_count, "spent up", { kind: summary.exceeded_count ? "bad" : "" })),
    h("div", { class: "grid" }, all.map((budget) => drawOne(budget, again, page))));
}

function drawOne(budget, again, page) {
  const share = budget.usage_percentage / 100;
  const kind = share >= 1 ? "bad" : budget.usage_percentage >= budget.alert_threshold ? "warn" : "";
  const more = h("div", { class: "part" });
  return h("article", { class: "card stack", "aria-label": budget.name },
    h("div", { class: "row spread" }, h("h2", said(budget.name)), state(...(STATES[budget.status] ?? ["", budget.status]))),
    h("div", { class: "stack tight" },
      h("p", h("strong", { class: "numeric sum" }, usd(budget.spent_amount)), h("span", { class: "muted" }, ` of ${usd(budget.limit_amount)} · ${budget.usage_percentage.toFixed(0)}\u202f%`)),
      bar(share, kind)),
    facts([
      ["Period", (PERIODS.find(([name]) => name === budget.period) ?? [null, budget.period])[1]],
      ["Until", budget.period_end ? moment(budget.period_end) : "it is begun anew by hand"],
      ["Held back", usd(budget.reserved_amount)], ["Granted, not spent", usd(budget.allocated_amount)],
      ["Left", usd(budget.remaining_amount)], ["Tells at", `${budget.alert_threshold}\u202f%`],
    ]),
    h("div", { class: "row" },
      button("Adjust", () => adjust(budget, again)),
      button("What it paid", () => transactions(budget, more, page)),
      menu("More", [
        { text: budget.enabled ? "Switch off" : "Switch on", work: async () => {
          await api.patch(`/budgets/${budget.id}`, { enabled: !budget.enabled });
          await again();
        } },
        { text: "Begin anew", work: () => sure(`Begin a new period of “${budget.name}”?`, "What was spent so far no longer counts against the limit. The entries stay.", "Begin anew", async () => {
          await api.post(`/budgets/${budget.id}/reset`);
          await again();
        }) },
        { text: "Delete", kind: "danger", work: () => sure(`Delete “${budget.name}”?`, "It limits nothing from now on.", "Delete", async () => {
          await api.del(`/budgets/${budget.id}`);
          notice.show("The budget is deleted.", "good");
          await again();
        }) },
      ])),
    more);
}

async function transactions(budget, holder, page) {
  const query = { limit: 50 };
  const [paid, alerts] = await Promise.all([
    api.get(`/budgets/${budget.id}/transactions`, { query, signal: page.signal }), api.get(`/budgets/${budget.id}/alerts`, { query, signal: page.signal })]);
  holder.replaceChildren(
    ...alerts.alerts.filter((alert) => !alert.acknowledged).map((alert) => {
      const line = h("p", { class: "notice warn" }, h("span", `${usd(alert.spent_amount)} of ${usd(alert.limit_amount)} were spent ${ago(alert.created_at)}.`),
        button("Seen", async () => {
          await api.post(`/budgets/${budget.id}/alerts/${alert.id}/acknowledge`);
          line.remove();
        }, { kind: "quiet" }));
      return line;
    }),
    paid.transactions.length === 0 ? h("p", { class: "muted" }, "It has paid for nothing yet.")
      : table({ caption: `What “${budget.name}” paid`, rows: paid.transactions, columns: [
        { title: "Debate", cell: (row) => h("a", { href: `/debates/${row.debate_id}` }, h("code", brief(row.debate_id, 10) + "…")) },
        { title: "Cost", numeric: true, cell: (row) => usd(row.amount) },
        { title: "When", cell: (row) => [ago(row.created_at), !row.final && " · not over"] },
      ] }));
}

const limits = (budget) => [
  { name: "name", label: "Name", value: budget?.name ?? "", required: true, maxlength: 100 },
  { name: "limit_amount", label: "Limit in US dollars", type: "number", min: "0.000001", step: "any", value: budget?.limit_amount ?? "", required: true, inputmode: "decimal" },
  !budget && { name: "period", label: "For each", options: PERIODS, value: "monthly" },
  { name: "alert_threshold", label: "Tell at this share of it, in percent", type: "number", min: 1, max: 100, step: 1, value: budget?.alert_threshold ?? 80, required: true },
];

function create(again) {
  return ask({ title: "Set a budget", detail: "No call of a model leaves before its worst cost is reserved under every budget.", fields: limits(null), verb: "Set it",
    submit: async (wish) => {
      await api.post("/budgets", { ...wish, limit_amount: Number(wish.limit_amount), alert_threshold: Number(wish.alert_threshold) });
      notice.show("The budget holds from now on.", "good");
      await again();
    } });
}

function adjust(budget, again) {
  return ask({ title: `Adjust “${budget.name}”`, fields: limits(budget), verb: "Save", submit: async (wish) => {
    await api.patch(`/budgets/${budget.id}`, { name: wish.name, limit_amount: Number(wish.limit_amount), alert_threshold: Number(wish.alert_threshold) });
    await again();
  } });
}
