// The receipt log's head: signed by whom, and whether it goes on from the head that this browser saw last.
//
// The last head is kept in localStorage. A log that was cut back, or rewritten, can not prove that it begins with what was
// seen (RFC 6962 §2.1.2): that is said plainly, and the old head is kept as evidence until somebody decides.
import { h, said } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as notice from "../lib/notice.js";
import { copyButton } from "../lib/parts.js";
import { ago, brief, count, moment } from "../lib/format.js";
import { button, card, facts, figure, figures, part, repeat, state, sure, table } from "./kit.js";
import { consistent, signed } from "./merkle.js";

const KEY = "aragora.receipt-head";
const REFRESH_S = 30;

export default async function view(page) {
  const head = await part(() => look(page), draw);
  const stats = await part(() => api.get("/receipts/stats", { signal: page.signal }), drawStats);
  const entries = await part(async () => {
    const { tree_size: treeSize } = await api.get("/receipt-log/entries", { query: { limit: 1 }, signal: page.signal });
    return api.get("/receipt-log/entries", { query: { start: Math.max(0, treeSize - 10), limit: 10 }, signal: page.signal });
  }, drawEntries);
  repeat(page, REFRESH_S, () => head.again());
  return h("section", { class: "stack wide" }, h("h1", "Receipt log"), head, stats, entries);
}

async function look(page) {
  const options = { signal: page.signal };
  const [head, keys] = await Promise.all([api.get("/receipt-log/head", options), api.get("/api/receipts/signing-key", options)]);
  const before = remembered();
  const signature = await signed(head, keys.keys);
  const course = await compare(before, head, options);
  if (signature === "good" && (course.kind === "first" || course.kind === "same" || course.kind === "grown")) remember(head);
  return { head, before, signature, course };
}

/** Whether `head` goes on from `before`. */
async function compare(before, head, options) {
  if (!globalThis.crypto?.subtle) return { kind: "unable" };
  if (!before) return { kind: "first" };
  if (before.origin !== head.origin) return { kind: "other" };
  if (head.tree_size < before.tree_size) return { kind: "shrunk" };
  if (head.tree_size === before.tree_size) return { kind: head.root_hash === before.root_hash ? "same" : "changed" };
  if (before.tree_size === 0) return { kind: "grown" };
  const proof = await api.get("/receipt-log/consistency", { query: { first: before.tree_size, second: head.tree_size }, ...options });
  return { kind: (await consistent(before, head, proof.path)) ? "grown" : "changed" };
}

function remembered() {
  try {
    const head = JSON.parse(localStorage.getItem(KEY));
    return Number.isInteger(head?.tree_size) && typeof head.root_hash === "string" ? head : null;
  } catch {
    return null;
  }
}

function remember(head) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...head, seen: new Date().toISOString() }));
  } catch { /* storage is off: the next visit is a first one again */ }
}

const SIGNATURES = {
  good: ["good", "Signed by a published key"], wrong: ["bad", "The signature is wrong"],
  unknown: ["bad", "Signed by a key that is not published"], unsigned: ["warn", "Not signed"], unable: ["warn", "This browser can not check Ed25519"],
};

function draw({ head, before, signature, course }, again) {
  const told = {
    unable: ["warn", "This browser checks nothing at an address without HTTPS."],
    first: ["info", "This browser sees the log for the first time. It keeps this head, and will compare the next one with it."],
    same: ["good", `The same as when this browser looked ${before && ago(before.seen)}.`],
    grown: ["good", `It goes on from the ${before && count(before.tree_size)} leaves that this browser saw ${before && ago(before.seen)}: nothing of that was changed or taken away.`],
    other: ["warn", "This is another log, or another life of it: a restore of a backup begins one. What this browser saw before can not be compared."],
    shrunk: ["bad", `The log is shorter than it was: ${before && count(before.tree_size)} leaves were seen ${before && ago(before.seen)}. Something was taken away.`],
    changed: ["bad", `The log does not begin with the ${before && count(before.tree_size)} leaves that this browser saw ${before && ago(before.seen)}. It was rewritten.`],
  }[course.kind];
  const isBroken = ["other", "shrunk", "changed"].includes(course.kind);
  return h("div", { class: "stack" },
    h("p", { class: `notice ${told[0]}`, role: "status", dataset: { course: course.kind } }, h("span", told[1])),
    figures(figure(count(head.tree_size), "leaves"), figure(ago(head.timestamp), "signed")),
    card("Head", h("p", state(...SIGNATURES[signature])),
      facts([["Origin", h("code", said(head.origin))], ["Root", h("code", said(head.root_hash))], ["Time", moment(head.timestamp)], ["Key", head.key_id && h("code", said(head.key_id))]]),
      h("div", { class: "row" }, copyButton(() => JSON.stringify(head), "Copy the head"),
        isBroken && button("Forget what was seen before", () => sure("Forget the head that was seen before?", `It had ${count(before.tree_size)} leaves and the root ${brief(before.root_hash, 16)}…. It is the evidence: copy it first.`, "Forget it", async () => {
          localStorage.removeItem(KEY);
          notice.show("Forgotten. The next look is a first one.");
          await again();
        }), { kind: "danger" }),
        isBroken && copyButton(() => JSON.stringify(before), "Copy the head seen before")),
      h("p", { class: "muted small" }, "Checked here in the browser. To hold the log to a head elsewhere: ", h("code", "aragora receipt verify --head"), ".")));
}

function drawStats({ stats }) {
  return card("Receipts", facts([["Stored", count(stats.total)], ["Signed", count(stats.signed)],
    ...Object.entries(stats.by_verdict ?? {}).map(([name, number]) => [name.toLowerCase().replaceAll("_", " "), count(number)]),
    ["Kept for", `${count(stats.retention_days)} days`]]));
}

function drawEntries({ entries }) {
  if (entries.length === 0) return null;
  return table({ caption: "Newest leaves", shown: true, kind: "card tight", rows: [...entries].reverse(), columns: [
    { title: "No.", numeric: true, cell: (row) => count(row.leaf_index) },
    { title: "Receipt", cell: (row) => h("a", { href: `/receipts/${row.leaf.receipt_id}` }, h("code", brief(row.leaf.receipt_id, 14) + "…")) },
    { title: "Checksum", cell: (row) => h("code", { class: "small", title: row.leaf.checksum }, brief(row.leaf.checksum, 20) + "…") },
    { title: "Logged", cell: (row) => h("time", { datetime: row.logged_at, title: moment(row.logged_at) }, ago(row.logged_at)) },
  ] });
}
