// Backups: how old the newest is that was restored once, and what became of the others.
import { h, said, visible } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { empty } from "../lib/parts.js";
import { ago, brief, count, cut, duration, moment } from "../lib/format.js";
import { figure, figures, endless, state, table } from "./kit.js";

const PAGE = 20;
const STALE_S = 26 * 3600;
const STATES = { verified: ["good", "Restored once"], completed: ["warn", "Not verified"], in_progress: ["live", "Under way"], pending: ["waiting", "Waiting"], failed: ["bad", "Failed"], expired: ["", "Removed by retention"] };

export default async function view(page) {
  let first = null;
  const list = await endless({
    load: async (offset) => {
      const answer = await api.get("/backups", { query: { limit: PAGE, offset: offset ?? 0 }, signal: page.signal });
      first ??= answer;
      return { rows: answer.backups, next: answer.has_more ? answer.offset + answer.count : null };
    },
    draw: (rows) => rows.length === 0 ? empty("No backup was made", "The backup service makes them by its schedule; the command “aragora backup create” makes one at once.") : entries(rows),
  });
  return h("section", { class: "stack wide" }, h("h1", "Backups"), newest(first), list,
    h("p", { class: "muted small" }, "A backup counts when it was restored into a scratch database once and every table had as many rows as were dumped. Backups are made by the backup service; ", h("code", "aragora backup verify"), " looks at the files themselves."));
}

function newest(found) {
  const last = found.last_verified;
  if (!last) return h("p", { class: "notice bad", role: "status" }, "There is no backup that was restored once.");
  const isStale = found.last_verified_age_seconds > STALE_S;
  return h("div", { class: "stack" },
    isStale && h("p", { class: "notice warn", role: "status" }, "The newest backup that was restored is older than a day."),
    figures(figure(duration(found.last_verified_age_seconds), "age of the newest verified", { kind: isStale ? "warn" : "good", note: moment(last.created_at) }),
      figure(size(last.size_bytes), "compressed"), figure(count(last.rows), "rows"), figure(count(found.total), "backups noted")));
}

function entries(rows) {
  return table({ caption: "Backups, newest first", kind: "card tight", rows, columns: [
    { title: "Begun", cell: (row) => h("time", { datetime: row.created_at, title: moment(row.created_at) }, ago(row.created_at)) },
    { title: "State", cell: (row) => [state(...(STATES[row.status] ?? ["", row.status])), row.error && h("span", { class: "small bad-text block" }, said(cut(row.error, 160)))] },
    { title: "Took", numeric: true, cell: (row) => (row.finished_at ? duration((new Date(row.finished_at) - new Date(row.created_at)) / 1000) : null) },
    { title: "Size", numeric: true, cell: (row) => size(row.size_bytes) },
    { title: "Rows", numeric: true, cell: (row) => (row.rows ? count(row.rows) : null) },
    { title: "File", cell: (row) => [h("code", { class: "small" }, visible(row.file)), row.checksum && h("span", { class: "muted small block", title: row.checksum }, `SHA-256 ${brief(row.checksum, 12)}…`)] },
  ] });
}

function size(bytes) {
  if (bytes === null || bytes === undefined) return "–";
  const units = ["B", "KB", "MB", "GB", "TB"];
  let [amount, unit] = [bytes, 0];
  while (amount >= 1000 && unit < units.length - 1) [amount, unit] = [amount / 1000, unit + 1];
  return `${amount < 10 && unit > 0 ? amount.toFixed(1) : Math.round(amount)} ${units[unit]}`;
}
