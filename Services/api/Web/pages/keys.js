// The visitor's API keys: made, shown once, ended. Used by the account and by Operate.
import { h, said, visible } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as notice from "../lib/notice.js";
import { ago, day, moment, plural } from "../lib/format.js";
import { ask, button, card, once, part, sure, table } from "./kit.js";

const DAYS = [["30", "30 days"], ["90", "90 days"], ["365", "A year"]];

export async function keys(page, { title = "API keys" } = {}) {
  const [role, all] = await Promise.all([
    api.get("/auth/me", { signal: page.signal }).then((answer) => answer.user.role),
    api.get("/rbac/roles", { signal: page.signal })]);
  const permissions = all.roles.find((one) => one.name === role)?.permissions ?? [];
  const list = await part(() => api.get("/auth/api-keys", { signal: page.signal }), draw);
  return card(title,
    h("p", { class: "muted" }, "For programs. A key may at most what you may, and ends when you are deactivated."),
    list, h("div", { class: "row end" }, button("Make a key", () => make(permissions, list.again), { kind: "primary" })));
}

function draw({ keys: list }, again) {
  if (list.length === 0) return h("p", { class: "muted" }, "You have no keys.");
  return table({ caption: plural(list.length, "API key"), rows: list, columns: [
    { title: "Name", cell: (key) => [said(key.name), h("code", { class: "muted small block" }, visible(key.prefix) + "…")] },
    { title: "May", cell: (key) => (key.scopes === null ? "all that you may" : h("span", { title: key.scopes.join(", ") }, key.scopes.slice(0, 3).join(", ") + (key.scopes.length > 3 ? ` and ${key.scopes.length - 3} more` : ""))) },
    { title: "Made", cell: (key) => h("time", { datetime: key.created_at, title: moment(key.created_at) }, ago(key.created_at)) },
    { title: "Used", cell: (key) => (key.last_used_at ? ago(key.last_used_at) : "never") },
    { title: "Ends", cell: (key) => (key.expires_at ? day(key.expires_at) : "never") },
    { title: "", cell: (key) => button("Revoke", () => sure(`Revoke “${key.name}”?`, "Programs that use it are refused within two seconds. This can not be undone.", "Revoke", async () => {
      await api.del(`/auth/api-keys/${encodeURIComponent(key.id)}`);
      notice.show("The key is revoked.", "good");
      await again();
    }), { kind: "quiet danger", name: `Revoke ${key.name}` }) },
  ] });
}

async function make(permissions, again) {
  let made = null;
  await ask({ title: "Make an API key", verb: "Make it",
    fields: [
      { name: "name", label: "Name", hint: "What it is for, so that you know later which one to revoke.", required: true, maxlength: 100, autocomplete: "off" },
      { name: "days", label: "Good for", options: DAYS, value: "365" },
      { name: "scopes", type: "choices", label: "May only", hint: "Nothing chosen: all that you may.", options: permissions.map((name) => [name, name]) },
    ],
    submit: async (wish) => {
      const expires = new Date(Date.now() + Number(wish.days) * 86_400_000).toISOString();
      made = await api.post("/auth/api-keys", { name: wish.name, expires_at: expires, ...(wish.scopes.length && { scopes: wish.scopes }) });
    } });
  if (!made) return;
  await once("Your new key", made.api_key, "Keep it where programs find it and people do not. It is shown this once.");
  await again();
}
