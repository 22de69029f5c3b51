// Debates, newest first: words, status, tag, participant, dates; every choice is in the address.
//
// Pages go by the API's cursor, which costs the same however deep, and counts nothing: "Newer" is the browser's own way back.
import { h, fill, said } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { badge, empty } from "../lib/parts.js";
import { ago, cut, duration, moment, percent, plural } from "../lib/format.js";
import { styled } from "./kit.js";

export const title = "Debates";

const STATUSES = [["", "Any status"], ["active", "Not over"], ["running", "Live"], ["pending", "Waiting"], ["paused", "Paused"],
  ["completed", "Finished"], ["failed", "Failed"], ["cancelled", "Cancelled"], ["timeout", "Timed out"]];
const SIZE = 25;
const REFRESH_MS = 10_000;
const FILTERS = ["q", "status", "tag", "agent", "since", "until"];

export default async function view(page) {
  const chosen = Object.fromEntries(FILTERS.map((name) => [name, page.query.get(name) ?? ""]));
  const cursor = page.query.get("cursor") ?? "start";
  const results = h("div", { class: "results", "aria-live": "off" });
  const [answer] = await Promise.all([load(chosen, cursor, page), styled]);
  fill(results, list(answer, chosen, cursor, page));
  if (cursor === "start") keepFresh(results, chosen, page);
  return h("section", { class: "stack wide" },
    h("div", { class: "row spread" }, h("h1", title), h("a", { class: "button primary", href: "/" }, "Ask a question")),
    filters(chosen, page), results);
}

function load(chosen, cursor, page) {
  const query = { ...chosen, since: chosen.since, until: dayAfter(chosen.until), limit: SIZE, cursor };
  return api.get("/debates", { query, signal: page.signal });
}

/** People mean "until the end of that day". */
function dayAfter(text) {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return text;
  const date = new Date(`${text}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + 1);
  return date.toISOString().slice(0, 10);
}

function filters(chosen, page) {
  const controls = {
    q: h("input", { type: "search", name: "q", value: chosen.q, maxlength: 200, placeholder: "Words of question, context, title or answer", "aria-label": "Search", autocomplete: "off", enterkeyhint: "search" }),
    status: h("select", { name: "status", "aria-label": "Status" }, STATUSES.map(([value, text]) => h("option", { value, selected: value === chosen.status }, text))),
    tag: labelled("Tag", h("input", { name: "tag", value: chosen.tag, maxlength: 64 })),
    agent: labelled("Participant or provider", h("input", { name: "agent", value: chosen.agent, maxlength: 64 })),
    since: labelled("From", h("input", { type: "date", name: "since", value: chosen.since })),
    until: labelled("To", h("input", { type: "date", name: "until", value: chosen.until })),
  };
  const apply = (form) => page.setQuery({ ...Object.fromEntries(new FormData(form)), cursor: null });
  const more = ["tag", "agent", "since", "until"];
  const used = more.filter((name) => chosen[name]).length;
  return h("form", { class: "finder", role: "search", onsubmit: (event) => { event.preventDefault(); apply(event.currentTarget); },
    onchange: (event) => { if (event.target.name !== "q" && event.target.type !== "date") apply(event.currentTarget); } },
    h("div", { class: "finder-main" }, controls.q, controls.status, h("button", { type: "submit" }, "Search")),
    h("details", { open: used > 0 }, h("summary", used ? `More filters (${used})` : "More filters"),
      h("div", { class: "fields" }, more.map((name) => controls[name])),
      h("div", { class: "row end" }, h("button", { type: "submit" }, "Apply"))));
}

function labelled(text, input) {
  return h("label", { class: "field" }, h("span", text), input);
}

function list(answer, chosen, cursor, page) {
  const isFiltered = FILTERS.some((name) => chosen[name]);
  const rows = answer.debates;
  if (rows.length === 0) return cursor !== "start" ? lastPage(page) : isFiltered ? nothingFound(page) : nothingYet();
  return [
    h("ol", { class: "found-list" }, rows.map(row)),
    h("nav", { class: "row spread", "aria-label": "Pages" },
      cursor === "start"
        ? h("span", { class: "muted small" }, answer.next_cursor ? "" : plural(rows.length, "debate"))
        : h("button", { type: "button", onclick: () => page.setQuery({ cursor: null }) }, "Newest"),
      answer.next_cursor && h("button", { type: "button", class: "next", onclick: () => page.setQuery({ cursor: answer.next_cursor }) }, "Older")),
  ];
}

function row(debate) {
  const panel = debate.agents.slice(0, 4);
  const rest = debate.agents.length - panel.length;
  return h("li", { class: "found" },
    h("a", { class: "found-title", href: `/debates/${encodeURIComponent(debate.id)}` }, said(cut(debate.title || debate.task, 180) || "Erased")),
    h("div", { class: "found-state" }, badge(debate.status)),
    h("p", { class: "found-facts muted small" },
      h("time", { datetime: debate.created_at, title: moment(debate.created_at) }, ago(debate.created_at)),
      h("span", panel.map((name, index) => [index > 0 && ", ", said(cut(name, 28))]), rest > 0 && ` and ${rest} more`),
      h("span", plural(debate.rounds_used || debate.rounds, "round")),
      debate.duration_seconds !== null && h("span", duration(debate.duration_seconds)),
      debate.demo && h("span", "demonstration")),
    h("div", { class: "found-end" }, outcome(debate)),
    debate.tags.length > 0 && h("p", { class: "found-tags" }, debate.tags.map((tag) =>
      h("a", { class: "found-tag", href: `/debates?tag=${encodeURIComponent(tag)}` }, said(cut(tag, 40))))));
}

function outcome(debate) {
  if (debate.status !== "completed") return null;
  return debate.consensus_reached
    ? h("span", { class: "good-text small" }, "Agreed", debate.confidence !== null && ` · ${percent(debate.confidence)} sure`)
    : h("span", { class: "muted small" }, "No agreement");
}

function nothingYet() {
  return empty("No debates yet", "What you and your colleagues ask is kept here, with every word of it.",
    h("a", { class: "button primary", href: "/" }, "Ask the first question"));
}

function nothingFound(page) {
  return empty("Nothing fits", "Every word has to occur as the beginning of one. Try fewer words, or another status.",
    h("button", { type: "button", onclick: () => page.go("/debates") }, "Show all debates"));
}

function lastPage(page) {
  return empty("That was the last one", null, h("button", { type: "button", onclick: () => page.setQuery({ cursor: null }) }, "Back to the newest"));
}

/** The first page stays true while somebody looks: statuses change, new ones come. */
function keepFresh(results, chosen, page) {
  let shown = null;
  const timer = setInterval(async () => {
    if (document.visibilityState !== "visible" || results.contains(document.activeElement)) return;
    const answer = await load(chosen, "start", page).catch(() => null);
    const digest = JSON.stringify(answer);
    if (!answer || digest === shown || page.signal.aborted) return;
    shown = digest;
    fill(results, list(answer, chosen, "start", page));
  }, REFRESH_MS);
  page.onleave(() => clearInterval(timer));
}
