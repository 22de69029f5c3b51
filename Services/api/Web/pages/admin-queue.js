// The queue: what waits and runs, who runs it under which lease, what was given up and can be asked for again.
import { h, said, visible } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as notice from "../lib/notice.js";
import { badge, empty } from "../lib/parts.js";
import { ago, brief, cut, duration, moment, plural } from "../lib/format.js";
import { button, card, figure, figures, part, repeat, state, sure, table } from "./kit.js";

const REFRESH_S = 5;
const STATUSES = [["", "All"], ["pending", "Waiting"], ["running", "Running"], ["paused", "Paused"]];
const LIMIT = 50;

export default async function view(page, may) {
  const status = page.query.get("status") ?? "";
  const offset = Math.max(0, Number.parseInt(page.query.get("offset") ?? "0", 10) || 0);
  const options = { signal: page.signal };
  const numbers = await part(() => api.get("/queue/stats", options), drawNumbers);
  const jobs = await part(async () => {
    const [all, stale] = await Promise.all([
      api.get("/queue/jobs", { query: { status, limit: LIMIT, offset }, ...options }), api.get("/queue/stale", options)]);
    return { all, stale: new Set(stale.jobs.map((job) => job.debate_id)) };
  }, (found) => drawJobs(found, status, page));
  const workers = await part(() => api.get("/queue/workers", options), drawWorkers);
  const dead = await part(() => api.get("/queue/dlq", options), (found, again) => drawDead(found, may, () => Promise.all([again(), numbers.again()])));
  repeat(page, REFRESH_S, () => Promise.all([numbers, jobs, workers].map((one) => one.again())));
  return h("section", { class: "stack wide" }, h("h1", "Queue"), numbers, dead, jobs, workers);
}

function drawNumbers(queue) {
  return figures(
    figure(queue.pending, "waiting"), figure(queue.running, "running", { note: `of ${queue.capacity} places` }),
    figure(queue.paused, "paused"), figure(queue.workers, "workers", { note: "processes of their own" }),
    figure(queue.dlq ?? "–", "dead letters", { kind: queue.dlq > 0 ? "warn" : "", note: queue.dlq === null ? "Redis is away" : null }));
}

function drawJobs({ all, stale }, status, page) {
  const tabs = h("nav", { class: "tabs", "aria-label": "Status" }, STATUSES.map(([name, text]) =>
    h("a", { href: `/admin/queue${name ? `?status=${name}` : ""}`, "aria-current": name === status ? "page" : null }, text)));
  if (all.jobs.length === 0) return card("Debates that are not over", tabs, empty("Nothing waits, nothing runs", null));
  return card("Debates that are not over", tabs,
    table({ caption: "Debates that are not over, in the order they are taken", rows: all.jobs, columns: [
      { title: "Debate", cell: (job) => h("a", { href: `/debates/${job.debate_id}` }, said(cut(job.task, 80))) },
      { title: "Status", cell: (job) => [badge(job.status), stale.has(job.debate_id) && h("span", { class: "small warn-text block" }, "no progress for a minute")] },
      { title: "Priority", numeric: true, cell: (job) => job.priority },
      { title: "Runner", cell: (job) => (job.worker_id ? h("code", { title: job.worker_id }, "…" + job.worker_id.slice(-6), ` · epoch ${job.epoch}`) : null) },
      { title: "Takeovers", numeric: true, cell: (job) => job.attempts },
      { title: "Last progress", cell: (job) => h("time", { datetime: job.last_progress_at, title: moment(job.last_progress_at) }, ago(job.last_progress_at)) },
      { title: "Must end", cell: (job) => h("time", { datetime: job.deadline }, moment(job.deadline)) },
    ] }),
    h("div", { class: "row spread" }, h("span", { class: "muted small" }, plural(all.total, "debate")),
      h("span", { class: "row" },
        all.offset > 0 && h("button", { type: "button", onclick: () => page.setQuery({ offset: Math.max(0, all.offset - LIMIT) || null }) }, "Before"),
        all.has_more && h("button", { type: "button", onclick: () => page.setQuery({ offset: all.offset + LIMIT }) }, "After"))));
}

function drawWorkers({ workers }) {
  if (workers.length === 0) return card("Runners", h("p", { class: "notice bad" }, "No process runs debates: start a worker, or an api with an embedded runner."));
  return card("Runners", table({ caption: "Runners and their leases", rows: workers, columns: [
    { title: "Runner", cell: (row) => h("code", visible(row.worker_id)) },
    { title: "Kind", cell: (row) => (row.kind === "embedded" ? "inside an api" : "worker") },
    { title: "Lease", cell: (row) => [state(row.status === "live" ? "good" : "bad", row.status === "live" ? "Live" : "Expired"), h("span", { class: "muted small block" }, left(row))] },
    { title: "Debates", numeric: true, cell: (row) => `${row.running} of ${row.capacity}` },
    { title: "Since", cell: (row) => h("time", { datetime: row.started_at, title: moment(row.started_at) }, ago(row.started_at)) },
  ] }));
}

function left(row) {
  const seconds = (new Date(row.expires_at) - Date.now()) / 1000;
  return seconds > 0 ? `${seconds.toFixed(0)} s left` : `ended ${duration(-seconds)} ago`;
}

function drawDead({ jobs }, may, again) {
  if (jobs.length === 0) return null;
  const isAllowed = may.has("admin.manage");
  const send = async (body, told) => {
    const answer = await api.post("/queue/dlq/requeue", body);
    notice.show(answer.count === 0 ? `Nothing was asked for again: ${answer.skipped[0]?.reason ?? "somebody else was first"}.`
      : `${plural(answer.count, "debate")} asked for again.${answer.skipped.length ? ` ${answer.skipped.length} could not be.` : ""}`, answer.count ? "good" : "bad");
    await again();
  };
  return card("Dead letters",
    h("p", { class: "muted" }, "Debates that were given up after too many attempts. Asking again makes a new debate of the same question, in the name of who asked."),
    table({ caption: "Dead letters, newest first", rows: jobs, columns: [
      { title: "Debate", cell: (job) => h("a", { href: `/debates/${encodeURIComponent(job.debate_id)}` }, h("code", brief(job.debate_id, 14) + "…")) },
      { title: "Reason", cell: (job) => said(cut(job.reason, 200)) },
      { title: "Given up", cell: (job) => h("time", { datetime: job.dead_at, title: moment(job.dead_at) }, ago(job.dead_at)) },
      { title: "", cell: (job) => isAllowed && button("Ask again", () => send({ job_id: job.job_id }), { name: `Ask again for ${job.debate_id}` }) },
    ] }),
    isAllowed && jobs.length > 1 && h("div", { class: "row end" }, button(`Ask again for all ${jobs.length}`, () =>
      sure("Ask again for all of them?", `${plural(jobs.length, "debate")} will be asked anew, and cost what debates cost.`, "Ask again", () => send({})))));
}
