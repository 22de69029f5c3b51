// Ratings: who wins debates, how sure they may be believed to be, and how that came about.
//
//   /leaderboard            all, by Elo, with the course of the best
//   /leaderboard/{agent}    one: its course, its debates
//
// Plots are SVG drawn here from the API; beside each stands, or opens, a table that says the same.
import { h, said } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as session from "../lib/session.js";
import { empty } from "../lib/parts.js";
import { ago, count, cut, moment, percent, plural } from "../lib/format.js";
import { dots, lines } from "./plots.js";
import { bar, card, figure, figures, styled, table, trouble } from "./kit.js";

export const title = "Leaderboard";

const PAGE = 100;
const MATCH_PAGES = 5;
const DRAWN = 8;
const RELIABLE = 10;

export default async function view(page) {
  const wanted = page.params.agent;
  const [board] = await Promise.all([api.get("/leaderboard", { query: { limit: PAGE }, signal: page.signal }), styled]);
  // Ratings are open to anybody; the debates behind them are not.
  const history = await matches(page).catch((error) => {
    if (error.name === "AbortError") throw error;
    return { error, list: [] };
  });
  if (wanted !== undefined) return one(wanted, board, history, page);
  return all(board, history);
}

async function matches(page) {
  const list = [];
  let total = 0;
  for (let number = 0; number < MATCH_PAGES; number += 1) {
    const answer = await api.get("/matches/recent", { query: { limit: PAGE, offset: number * PAGE }, signal: page.signal, anonymous: !session.isSignedIn() });
    list.push(...answer.matches);
    total = answer.total;
    if (!answer.has_more) break;
  }
  return { list: list.reverse(), total };
}

/** Of each agent its ratings over time, the oldest first: a debate that it sat in twice counts once, by where it ended. */
function courses(list) {
  const found = new Map();
  for (const match of list) {
    const seats = new Map();
    for (const side of Object.values(match.agents)) {
      const key = side.name;
      if (!seats.has(key)) seats.set(key, side);
    }
    for (const [name, side] of seats) {
      if (!found.has(name)) found.set(name, []);
      found.get(name).push({ x: match.number, y: side.elo_after, before: side.elo_before, result: side.result, match });
    }
  }
  return found;
}

function all(board, history) {
  const rated = board.rankings.filter((agent) => agent.matches > 0);
  const heading = h("div", { class: "stack tight" }, h("h1", title),
    h("p", { class: "lead" }, "Each debate that ends with votes is a match between the models that took part. Elo says who wins them, calibration whether a model is as right as it says it is."));
  if (rated.length === 0) {
    return h("section", { class: "stack wide" }, heading,
      empty("No rated debates yet", "Ratings appear with the first debate that ends with votes between different models.",
        h("a", { class: "button primary", href: "/" }, "Ask a question")));
  }
  const paths = courses(history.list);
  const drawn = rated.filter((agent) => (paths.get(agent.name) ?? []).length > 0).slice(0, DRAWN);
  return h("section", { class: "stack wide" }, heading, ranking(rated),
    drawn.length > 0 && card("Course of the ratings",
      h("p", { class: "muted small" }, covers(history)),
      lines({ title: "Elo after each rated debate", unit: "Elo", x: "rated debate",
        series: drawn.map((agent) => ({ name: agent.name, colour: rated.indexOf(agent), points: withStart(paths.get(agent.name)) })) })),
    history.error && unseen(history.error),
    card("Calibration",
      h("p", { class: "muted small" }, "The Brier score of a model's own confidence: 0 is a prophet, 0.25 is a coin that says “50 %”, more is worse than that. Few forecasts say little: they are drawn hollow below ten."),
      dots({ title: "Elo and Brier score", x: "Brier score, better to the left", y: "Elo",
        points: rated.filter((agent) => agent.calibration.brier !== null).map((agent) => ({
          name: agent.name, x: agent.calibration.brier, y: agent.elo, colour: rated.indexOf(agent),
          isHollow: agent.calibration.forecasts < RELIABLE, note: plural(agent.calibration.forecasts, "forecast") })) })),
    board.has_more && h("p", { class: "muted small" }, `The best ${PAGE} of ${count(board.total)}.`));
}

function unseen(error) {
  if (error.status !== 401) return trouble(error);
  return h("p", { class: "notice" }, h("span", "The debates behind the ratings, and their course, are for those who may read them."),
    h("a", { href: `/signin?next=${encodeURIComponent(location.pathname)}` }, "Sign in"));
}

const covers = (history) => history.total > history.list.length
  ? `Of the last ${count(history.list.length)} of ${count(history.total)} rated debates.`
  : `All ${plural(history.list.length, "rated debate")} that you may see.`;

function withStart(points) {
  return points.length === 0 ? [] : [{ x: points[0].x - 1, y: points[0].before, isStart: true }, ...points];
}

function ranking(rated) {
  const low = Math.min(...rated.map((agent) => agent.elo), 1400);
  const high = Math.max(...rated.map((agent) => agent.elo), 1600);
  return table({ caption: "Agents by rating", kind: "card tight", rows: rated, columns: [
    { title: "Agent", cell: (agent) => h("span", { class: "ranked" }, h("span", { class: "rank numeric" }, agent.rank),
      h("span", { class: `swatch a${rated.indexOf(agent) % 12}`, "aria-hidden": "true" }),
      h("span", h("a", { href: `/leaderboard/${encodeURIComponent(agent.name)}` }, said(cut(agent.model, 60))),
        h("span", { class: "muted small block" }, said(agent.provider), agent.demo && " · demonstration"))) },
    { title: "Elo", numeric: true, cell: (agent) => h("span", { class: "with-meter" }, h("strong", Math.round(agent.elo)), bar((agent.elo - low) / (high - low || 1))) },
    { title: "Won", numeric: true, cell: (agent) => percent(agent.win_rate) },
    { title: "Won – drawn – lost", numeric: true, cell: (agent) => `${count(agent.wins)} – ${count(agent.draws)} – ${count(agent.losses)}` },
    { title: "Debates", numeric: true, cell: (agent) => count(agent.matches) },
    { title: "Brier", numeric: true, cell: (agent) => (agent.calibration.brier === null ? h("span", { class: "muted" }, "–") : agent.calibration.brier.toFixed(3)) },
    { title: "Consistency", cell: (agent) => h("span", { title: agent.consistency === null ? null : percent(agent.consistency) }, said(agent.consistency_class)) },
  ] });
}

function one(name, board, history, page) {
  const agent = board.rankings.find((row) => row.name === name);
  page.title = cut(name, 60);
  const back = h("p", h("a", { href: "/leaderboard" }, "All ratings"));
  if (!agent) {
    return h("section", { class: "stack" }, back, h("h1", said(name)), empty("No rating", "No model of this name has been in a rated debate, or it is not among the best hundred."));
  }
  const points = courses(history.list).get(name) ?? [];
  return h("section", { class: "stack wide" }, h("div", { class: "stack tight" }, back, h("h1", said(agent.model)),
    h("p", { class: "muted" }, said(agent.provider), agent.demo && " · demonstration")),
    figures(
      figure(Math.round(agent.elo), "Elo", { note: `rank ${agent.rank} of ${count(board.total)}` }),
      figure(percent(agent.win_rate), "won", { note: `${count(agent.wins)} won, ${count(agent.draws)} drawn, ${count(agent.losses)} lost` }),
      figure(agent.calibration.brier === null ? "–" : agent.calibration.brier.toFixed(3), "Brier score", { note: plural(agent.calibration.forecasts, "forecast") }),
      figure(agent.consistency === null ? "–" : percent(agent.consistency), "consistency", { note: agent.consistency_class })),
    points.length > 1 && card("Course", h("p", { class: "muted small" }, covers(history)),
      lines({ title: `Elo of ${name} after each rated debate`, unit: "Elo", x: "rated debate", series: [{ name, colour: board.rankings.indexOf(agent), points: withStart(points) }] })),
    history.error ? unseen(history.error) : points.length === 0
      ? h("p", { class: "muted" }, "None of the last debates that you may see had it in the panel.")
      : table({ caption: "Last rated debates", shown: true, rows: [...points].reverse().slice(0, 50), columns: [
        { title: "Debate", cell: (point) => h("a", { href: `/debates/${point.match.debate_id}` }, h("time", { datetime: point.match.created_at, title: moment(point.match.created_at) }, ago(point.match.created_at))) },
        { title: "Against", cell: (point) => said(cut([...new Set(Object.values(point.match.agents).map((side) => side.name).filter((other) => other !== name))].join(", ") || "itself", 90)) },
        { title: "Result", cell: (point) => said(point.result) },
        { title: "Change", numeric: true, cell: (point) => change(point.y - point.before) },
        { title: "Elo after", numeric: true, cell: (point) => Math.round(point.y) },
      ] }));
}

function change(points) {
  const text = `${points > 0 ? "+" : points < 0 ? "−" : "±"}${Math.abs(points).toFixed(1)}`;
  return h("span", { class: points > 0 ? "good-text" : points < 0 ? "bad-text" : "muted" }, text);
}
