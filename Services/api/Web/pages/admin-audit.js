// The audit log: who did what, newest first; by kind and by subject; checked as a chain; exported whole.
import { h, said } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as notice from "../lib/notice.js";
import { empty } from "../lib/parts.js";
import { brief, clock, count, cut, day, plural } from "../lib/format.js";
import { button, card, endless, facts, state, sure, table } from "./kit.js";

const PAGE = 50;
const ACTIONS = ["user.registered", "user.created", "user.updated", "user.deactivated", "user.role_changed", "login.succeeded", "login.failed", "login.locked",
  "logout", "logout.all", "session.revoked", "session.refresh_reused", "password.changed", "password.reset_requested", "password.reset_issued", "password.reset",
  "mfa.started", "mfa.enabled", "mfa.disabled", "mfa.backup_codes_made", "mfa.backup_code_used", "api_key.created", "api_key.revoked", "token.revoked",
  "permission.denied", "audit.exported", "audit.hold_changed", "audit.trimmed"];
const ALARMING = new Set(["login.failed", "login.locked", "session.refresh_reused", "permission.denied"]);

export default async function view(page, may) {
  const action = page.query.get("action") ?? "";
  const user = page.query.get("user_id") ?? "";
  const chain = h("div", { class: "part" });
  const names = await emails(may, page);
  const list = await endless({
    load: async (offset) => {
      const answer = await api.get("/audit", { query: { limit: PAGE, offset: offset ?? 0, action, user_id: user }, signal: page.signal });
      return { rows: answer.entries, next: answer.has_more ? answer.offset + answer.count : null };
    },
    draw: (rows) => rows.length === 0 ? empty("Nothing is written here", action || user ? "No entry is of this kind." : "The log begins with the first account.") : entries(rows, names),
  });
  return h("section", { class: "stack wide" },
    h("div", { class: "row spread" }, h("h1", "Audit log"),
      h("div", { class: "row" },
        button("Check the chain", () => verify(chain, may, page)),
        button("Export", () => api.download("/audit/export", "audit.ndjson", { signal: page.signal })))),
    chain,
    h("form", { class: "finder", onsubmit: (event) => {
      event.preventDefault();
      page.setQuery(Object.fromEntries(new FormData(event.currentTarget)));
    }, onchange: (event) => event.target.name === "action" && event.currentTarget.requestSubmit() },
    h("div", { class: "finder-main even" },
      h("select", { name: "action", "aria-label": "Kind" }, h("option", { value: "" }, "Every kind"),
        [...new Set([...ACTIONS, action].filter(Boolean))].map((name) => h("option", { value: name, selected: name === action }, name))),
      h("input", { name: "user_id", value: user, "aria-label": "By whom: the subject", placeholder: "By whom, such as usr_…", maxlength: 128, autocomplete: "off" }),
      h("button", { type: "submit" }, "Filter"))),
    list);
}

/** Of the first users, so that most entries say who; the subject itself stays in the title and in the filter. */
async function emails(may, page) {
  if (!may.has("users.read")) return new Map();
  const { users } = await api.get("/users", { query: { limit: 100 }, signal: page.signal });
  return new Map(users.map((user) => [user.id, user.email]));
}

function entries(rows, names) {
  return table({ caption: "Entries, newest first", kind: "card tight", rows, columns: [
    { title: "When", cell: ({ entry }) => h("time", { datetime: entry.timestamp }, day(entry.timestamp), h("span", { class: "small block muted" }, clock(entry.timestamp))) },
    { title: "What", cell: ({ entry }) => h("span", { class: ALARMING.has(entry.action) ? "warn-text" : "" }, said(entry.action)) },
    { title: "By", cell: ({ entry }) => h("a", { class: "plain-link", title: entry.user_id, href: `/admin/audit?user_id=${encodeURIComponent(entry.user_id)}` }, said(cut(names.get(entry.user_id) ?? entry.user_id, 40))) },
    { title: "On", cell: ({ entry }) => [said(entry.resource_type), entry.resource_id && h("span", { class: "small block muted", title: entry.resource_id }, said(names.get(entry.resource_id) ?? cut(entry.resource_id, 30)))] },
    { title: "From", cell: ({ entry }) => h("span", { title: entry.user_agent }, said(entry.ip_address || "–")) },
    { title: "More", cell: ({ entry, hash }) => h("details", h("summary", { class: "small" }, `No. ${count(entry.seq)}`),
      facts([["Details", Object.keys(entry.metadata).length ? h("code", said(cut(JSON.stringify(entry.metadata), 400))) : null], ["Request", h("code", said(entry.request_id))],
        ["Client", said(cut(entry.user_agent, 120))], ["Hash", h("code", { title: hash }, brief(hash, 16) + "…")]])) },
  ] });
}

async function verify(holder, may, page) {
  const found = await api.get("/audit/verify", { signal: page.signal });
  const draw = (chain) => holder.replaceChildren(card("The chain",
    h("p", state(found.valid ? "good" : "bad", found.valid ? "Intact" : "Broken"), " ",
      found.valid ? `${plural(found.entries_checked, "entry", "entries")} follow one another without a gap.` : `The first that does not fit is number ${found.first_broken_seq}.`),
    facts([["Entries", `${count(chain.first_seq)} to ${count(chain.last_seq)}`], ["Hash of the head", h("code", chain.head_hash)],
      ["Legal hold", chain.legal_hold ? "on: nothing is removed" : "off: retention removes what is too old"]]),
    h("p", { class: "muted small" }, "Who can write to the database can write a new chain. Keep the head’s hash, or an export, where that person can not reach it."),
    may.has("audit.manage") && h("div", { class: "row" }, button(chain.legal_hold ? "End the legal hold" : "Keep everything (legal hold)", () =>
      sure(chain.legal_hold ? "End the legal hold?" : "Keep every entry?", chain.legal_hold ? "Retention goes on, and removes entries older than it allows." : "No entry is removed until somebody ends this.",
        chain.legal_hold ? "End it" : "Keep everything", async () => {
          const { legal_hold: isHeld } = await api.post("/audit/legal-hold", { legal_hold: !chain.legal_hold });
          notice.show(isHeld ? "Everything is kept." : "Retention goes on.", "good");
          draw({ ...chain, legal_hold: isHeld });
        })))));
  draw(found.chain);
}
