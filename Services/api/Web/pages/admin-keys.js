// API keys: one's own, to make and revoke; and who else has some.
import { h, said } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as session from "../lib/session.js";
import { keys } from "./keys.js";
import { card, part, table } from "./kit.js";

export default async function view(page) {
  return h("section", { class: "stack wide" }, h("h1", "API keys"),
    session.isPerson() ? await keys(page, { title: "Your keys" })
      : card("Your keys", h("p", { class: "muted" }, "Keys belong to people. You came in with the installation’s token, which has none: sign in with your account to make one.")),
    await part(() => api.get("/users", { query: { limit: 100 }, signal: page.signal }), draw));
}

function draw({ users, has_more: hasMore }) {
  const holders = users.filter((user) => user.has_api_key);
  return card("Who has keys",
    h("p", { class: "muted" }, "Nobody sees the keys of another. To end all that somebody has, deactivate them under Users; each making and revoking is in the audit log."),
    holders.length === 0 ? h("p", "Nobody has a key.")
      : table({ caption: "Users with keys", rows: holders, columns: [
        { title: "User", cell: (user) => said(user.email) }, { title: "Role", cell: (user) => said(user.role) },
        { title: "", cell: () => h("a", { href: "/admin/audit?action=api_key.created" }, "In the audit log") },
      ] }),
    hasMore && h("p", { class: "muted small" }, "Among the first hundred users."));
}
