// Users of the organization: their roles, whether they may come in, a way in for who forgot the password.
import { h, said } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as session from "../lib/session.js";
import * as notice from "../lib/notice.js";
import { empty } from "../lib/parts.js";
import { ago, moment, plural } from "../lib/format.js";
import { ask, button, card, facts, once, part, state, sure, table } from "./kit.js";

const PAGE = 50;

export default async function view(page, may) {
  const offset = Math.max(0, Number.parseInt(page.query.get("offset") ?? "0", 10) || 0);
  const { roles } = await api.get("/rbac/roles", { signal: page.signal });
  const list = await part(() => api.get("/users", { query: { limit: PAGE, offset }, signal: page.signal }),
    (found, again) => draw(found, roles, may, again, page));
  return h("section", { class: "stack wide" },
    h("div", { class: "row spread" }, h("h1", "Users"), may.has("users.manage") && button("Add a user", () => add(roles, list.again), { kind: "primary" })),
    list, card("Roles", facts(roles.map((role) => [role.name, role.description]))));
}

function draw(found, roles, may, again, page) {
  if (found.users.length === 0) {
    return empty("Nobody has an account", "This installation is used with its token alone. The first who registers becomes the administrator.");
  }
  const me = session.user()?.id;
  const isManaging = may.has("users.manage");
  return h("div", { class: "stack" },
    table({ caption: "Users", kind: "card tight", rows: found.users, columns: [
      { title: "User", cell: (user) => [h("strong", said(user.name || user.email)), user.id === me && h("span", { class: "muted" }, " (you)"), user.name && h("span", { class: "muted small block" }, said(user.email))] },
      { title: "Role", cell: (user) => said(user.role) },
      { title: "State", cell: (user) => state(user.is_active ? "good" : "bad", user.is_active ? "Active" : "Deactivated") },
      { title: "Second factor", cell: (user) => (user.mfa_enabled ? "on" : h("span", { class: "muted" }, "off")) },
      { title: "API keys", cell: (user) => (user.has_api_key ? "yes" : h("span", { class: "muted" }, "none")) },
      { title: "Last sign-in", cell: (user) => (user.last_login_at ? h("time", { datetime: user.last_login_at, title: moment(user.last_login_at) }, ago(user.last_login_at)) : "never") },
      { title: "", cell: (user) => isManaging && button("Manage", () => manage(user, roles, again, user.id === me), { kind: "quiet", name: `Manage ${user.email}` }) },
    ] }),
    h("div", { class: "row spread" }, h("span", { class: "muted small" }, plural(found.total, "user")),
      h("span", { class: "row" },
        found.offset > 0 && h("button", { type: "button", onclick: () => page.setQuery({ offset: Math.max(0, found.offset - PAGE) || null }) }, "Before"),
        found.has_more && h("button", { type: "button", onclick: () => page.setQuery({ offset: found.offset + PAGE }) }, "After"))));
}

function add(roles, again) {
  return ask({ title: "Add a user", detail: "There is no mail server: you get a token to hand over, with which they choose a password.", verb: "Add",
    fields: [
      { name: "email", label: "Email", type: "email", required: true, autocomplete: "off" },
      { name: "name", label: "Name", maxlength: 100, autocomplete: "off" },
      { name: "role", label: "Role", options: roles.map((role) => [role.name, `${role.name}: ${role.description}`]), value: "member" },
    ],
    submit: async (wish) => {
      const answer = await api.post("/users", { email: wish.email, role: wish.role, ...(wish.name && { name: wish.name }) });
      await again();
      handOver(answer.user.email, answer.reset_token, answer.expires_at);
    } });
}

function handOver(email, token, expires) {
  const link = `${location.origin}/signin?do=reset#reset=${encodeURIComponent(token)}`;
  return once("Hand this over", link, `With this link ${email} chooses a password, until ${moment(expires)}. It is shown once.`);
}

async function manage(user, roles, again, isMe) {
  await ask({ title: user.name || user.email, detail: isMe ? "This is you: a change of role ends your sessions." : "A change of role, and a deactivation, end all of their sessions within two seconds.", verb: "Save",
    fields: [
      { name: "name", label: "Name", value: user.name, maxlength: 100 },
      { name: "role", label: "Role", options: roles.map((role) => [role.name, role.name]), value: user.role },
      { name: "is_active", type: "checkbox", label: "May come in", value: user.is_active, hint: "Their debates and receipts stay, whatever is chosen here." },
      button("Make a link to choose a new password", () => sure("Make a new link?", `Who has it can sign in as ${user.email} once they chose a password.`, "Make it", async () => {
        const answer = await api.post(`/users/${user.id}/password-reset`);
        await handOver(user.email, answer.reset_token, answer.expires_at);
      }), { kind: "quiet" }),
    ],
    submit: async (wish) => {
      const change = Object.fromEntries(Object.entries(wish).filter(([name, value]) => value !== user[name]));
      if (Object.keys(change).length === 0) return;
      await api.patch(`/users/${user.id}`, change);
      notice.show("Saved.", "good");
      await again();
    } });
}
