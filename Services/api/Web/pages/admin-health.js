// Health: every process of the installation by the register, each part that the answering api depends on, the gateway as this
// browser reaches it, the leases of those that run debates, and the service levels of the replica that answers.
import { h, said, visible } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { duration, moment, percent } from "../lib/format.js";
import * as notice from "../lib/notice.js";
import { card, facts, figure, figures, part, repeat, state, table } from "./kit.js";
import { readMetrics, value } from "./metrics.js";

const REFRESH_S = 5;
const SOCKET_MS = 5000;

const NAMES = { api: "API", database: "Postgres", redis: "Redis", schema: "Schema", gateway: "Gateway" };
const OBJECTIVES = { availability: "Availability", latency_p99: "Latency (p99)", debate_success: "Debates that end well", database: "Postgres answers" };

export default async function view(page) {
  const overview = await part(() => load(page), draw);
  const levels = await part(() => readMetrics(page), drawLevels);
  const gateway = await part(() => probe(page), drawGateway);
  repeat(page, REFRESH_S, () => Promise.all([overview.again(), levels.again()]));
  return h("section", { class: "stack wide" }, h("h1", "Health"), overview, gateway, levels);
}

async function load(page) {
  const options = { signal: page.signal };
  const [status, health, queue, workers, replicas] = await Promise.all([
    api.get("/status", options), detailed(options), api.get("/queue/stats", options), api.get("/queue/workers", options),
    api.get("/health/replicas", options),
  ]);
  return { status, health, queue, workers: workers.workers, replicas };
}

/** 503 is an answer too: it says what is wrong. */
async function detailed(options) {
  try {
    return await api.get("/api/health", options);
  } catch (error) {
    if (error.status !== 503) throw error;
    return null;
  }
}

let lastMessage = null;

function draw({ status, health, queue, workers, replicas }) {
  // Drawn again every few seconds: spoken only when it is news.
  if (lastMessage !== null && lastMessage !== status.message) notice.say(status.message);
  lastMessage = status.message;
  const isWell = status.status === "operational";
  const checks = health?.checks ?? {};
  const parts = status.components.map((component) => ({
    name: NAMES[component.id] ?? component.name, isWell: component.status === "operational",
    message: checks[component.id]?.message ?? component.message, milliseconds: component.response_time_ms,
  }));
  return h("div", { class: "stack wide" },
    h("div", { class: `notice ${isWell ? "good" : "warn"}` },
      h("strong", visible(status.message))),
    figures(
      figure(duration(status.uptime_seconds), "this replica is up", { note: `version ${visible(status.version)}` }),
      figure(queue.workers, "workers", { note: `${queue.running} of ${queue.capacity} places taken`}),
      figure(queue.pending, "waiting", { note: `${queue.paused} paused` }),
      figure(queue.dlq ?? "–", "dead letters", { kind: queue.dlq > 0 ? "warn" : "", note: queue.dlq === null ? "Redis is away" : null })),
    drawReplicas(replicas),
    (health?.warnings ?? []).concat(health?.errors ?? []).map((text) => h("p", { class: "notice warn" }, h("span", said(text)))),
    table({ caption: "What this replica depends on", shown: true, kind: "card tight", rows: parts, columns: [
      { title: "Part", cell: (row) => said(row.name) },
      { title: "State", cell: (row) => state(row.isWell ? "good" : "bad", row.isWell ? "Works" : "Does not work") },
      { title: "Says", cell: (row) => said(row.message) },
      { title: "Answered in", numeric: true, cell: (row) => `${row.milliseconds.toFixed(1)} ms` },
    ] }),
    leases(workers));
}

const SERVICES = { "api": "API", "ws-gateway": "Gateway", "debate-worker": "Workers", "backup": "Backup" };
const STANDINGS = {
  ready: ["good", "Ready"], not_ready: ["bad", "Not ready"], starting: ["waiting", "Starting"], draining: ["waiting", "Draining"], lost: ["bad", "Lost"],
};

function drawReplicas(found) {
  const alone = {
    none: "No Redis is set, so replicas keep no register: only the one that answered is listed.",
    unavailable: "Redis does not answer, so the register can not be read: only the replica that answered is listed.",
  }[found.register];
  return h("section", { class: "stack", "aria-label": "Who runs" },
    alone && h("p", { class: "notice warn" }, h("span", alone)),
    h("ul", { class: "services" }, found.services.map((one) => service(one, found.register))),
    table({ caption: "Replicas", shown: true, kind: "card tight replicas", rows: found.replicas, columns: [
      { title: "Service", cell: (row) => [said(SERVICES[row.service] ?? row.service), row.answers && h("span", { class: "muted small block" }, "answers this page")] },
      { title: "State", cell: (row) => [state(...(STANDINGS[row.status] ?? ["", row.status])), why(row)] },
      { title: "Host", cell: (row) => [h("code", visible(row.host)), h("span", { class: "muted small block" }, `process ${row.pid}, metrics at :${row.metrics_port}`)] },
      { title: "Version", cell: (row) => said(row.version) },
      { title: "Up for", numeric: true, cell: (row) => (row.status === "lost" ? null : h("time", { datetime: row.started_at, title: moment(row.started_at) }, duration((Date.parse(found.timestamp) - Date.parse(row.started_at)) / 1000))) },
    ] }),
    found.register === "shared" && h("p", { class: "muted small" }, `Each process says every ${found.beat_seconds} s that it is there. One that is silent for ${found.lost_after_seconds} s is lost, and is listed so for ${Math.round(found.forgotten_after_seconds / 60)} minutes; one that is stopped takes itself out.`));
}

function service(one) {
  const isWell = one.lost === 0 && one.ready === one.replicas && one.replicas > 0;
  const count = one.replicas === 0 ? "None left" : one.ready === one.replicas ? `${one.ready} ready` : `${one.ready} of ${one.replicas} ready`;
  return h("li", { class: `stat ${isWell ? "" : one.ready === 0 ? "bad" : "warn"}`, dataset: { service: one.service } },
    h("span", { class: "stat-name" }, said(SERVICES[one.service] ?? one.service)), h("strong", { class: "numeric" }, count),
    h("span", { class: "muted small" }, one.lost > 0 ? `${one.lost} lost` : one.versions.length > 1 ? `versions ${one.versions.map(visible).join(", ")}` : `version ${one.versions.map(visible).join("") || "unknown"}`));
}

function why(row) {
  if (row.status === "lost") return h("span", { class: "muted small block" }, `silent for ${duration(row.silent_seconds)}`);
  const words = row.reasons.length > 0 ? row.reasons : row.degraded.map((name) => `without ${name}`);
  return words.filter((text) => text !== row.status).map((text) => h("span", { class: "muted small block" }, said(text)));
}

function leases(workers) {
  return h("div", { class: "stack tight" },
    table({ caption: "Processes that run debates", shown: true, kind: "card tight", rows: workers, columns: [
      { title: "Process", cell: (row) => h("code", visible(row.worker_id)) },
      { title: "Kind", cell: (row) => (row.kind === "embedded" ? "inside an api" : "worker") },
      { title: "Lease", cell: (row) => state(row.status === "live" ? "good" : "bad", row.status === "live" ? "Live" : "Expired") },
      { title: "Debates", numeric: true, cell: (row) => `${row.running} of ${row.capacity}` },
      { title: "Since", cell: (row) => h("time", { datetime: row.started_at }, moment(row.started_at)) },
    ] }));
}

/** How long the gateway takes from the first byte to its greeting, through whatever stands between. */
function probe(page) {
  return new Promise((resolve) => {
    const begun = performance.now();
    const url = new URL("/ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    let socket;
    const done = (answer) => {
      clearTimeout(timer);
      socket?.close();
      resolve({ ...answer, milliseconds: performance.now() - begun });
    };
    const timer = setTimeout(() => done({ isWell: false, text: "did not answer within 5 s" }), SOCKET_MS);
    page.onleave(() => done({ isWell: false, text: "" }));
    import("../lib/session.js").then((session) => {
      const token = session.token();
      if (token && !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(token)) url.searchParams.set("token", token);
      const words = token && !url.search ? ["aragora-v1", `access_token.${token}`] : ["aragora-v1"];
      socket = new WebSocket(url, words);
      socket.onmessage = () => done({ isWell: true, text: "greets" });
      socket.onclose = () => done({ isWell: false, text: "closed the connection, or can not be reached" });
    });
  });
}

function drawGateway(found, again) {
  return card("Gateway", h("div", { class: "row spread" },
    h("p", state(found.isWell ? "good" : "bad", found.isWell ? "Works" : "Does not work"), " ",
      found.isWell ? `It greeted this browser after ${Math.round(found.milliseconds)} ms.` : `The gateway ${found.text}.`),
    h("button", { type: "button", class: "quiet", onclick: again }, "Try again")));
}

function drawLevels(metrics) {
  const names = Object.keys(OBJECTIVES).filter((name) => value(metrics, "aragora_slo_burn_rate", { slo_name: name }) !== null);
  if (names.length === 0) return h("p", { class: "notice" }, "This replica shows no service levels at /metrics.");
  const of = (metric, name) => value(metrics, metric, { slo_name: name });
  return h("div", { class: "stack tight" }, table({ caption: "Service levels of this replica", shown: true, kind: "card tight", rows: names, columns: [
    { title: "Objective", cell: (name) => OBJECTIVES[name] },
    { title: "Now", cell: (name) => state(of("aragora_slo_compliance", name) === 1 ? "good" : "bad", of("aragora_slo_compliance", name) === 1 ? "Met" : "Missed") },
    { title: "Budget of errors left", numeric: true, cell: (name) => percent(of("aragora_slo_error_budget_remaining", name)) },
    { title: "Burn rate", numeric: true, cell: (name) => of("aragora_slo_burn_rate", name).toFixed(2) },
  ] }),
  facts([["HTTP connections here", value(metrics, "aragora_http_connections")], ["Requests a second here", value(metrics, "aragora_http_requests_per_second")?.toFixed(1) ?? null]]));
}
