// Operate: the installation and the organization, for administrators. Each part is a module of its own, `admin-<part>.js`,
// loaded when it is opened; it exports a view like any other, and gets `page` and `may` (permissions by name).
//
// Every number comes from the API, or from /metrics, as operators script them; what no process tells is said to be missing.
import { h } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as session from "../lib/session.js";
import { styled } from "./kit.js";

export const title = "Operate";

const PARTS = [
  { name: "health", text: "Health", needs: "admin.read", load: () => import("./admin-health.js") },
  { name: "queue", text: "Queue", needs: "admin.read", load: () => import("./admin-queue.js") },
  { name: "providers", text: "Providers", needs: "admin.read", load: () => import("./admin-providers.js") },
  { name: "budgets", text: "Budgets", needs: "budgets.manage", load: () => import("./admin-budgets.js") },
  { name: "users", text: "Users", needs: "users.read", load: () => import("./admin-users.js") },
  { name: "keys", text: "API keys", needs: "users.read", load: () => import("./admin-keys.js") },
  { name: "webhooks", text: "Webhooks", needs: "webhooks.manage", load: () => import("./admin-webhooks.js") },
  { name: "audit", text: "Audit log", needs: "audit.read", load: () => import("./admin-audit.js") },
  { name: "security", text: "Security", needs: "admin.read", load: () => import("./admin-security.js") },
  { name: "backups", text: "Backups", needs: "admin.read", load: () => import("./admin-backups.js") },
  { name: "receipts", text: "Receipt log", needs: "admin.read", load: () => import("./admin-receipts.js") },
];

export default async function view(page) {
  const [may] = await Promise.all([permissions(page), styled]);
  const allowed = PARTS.filter((part) => may.has(part.needs));
  const part = page.params.part === undefined ? allowed[0] : PARTS.find((one) => one.name === page.params.part);
  if (allowed.length === 0) return refusal("Operating the installation is for administrators.");
  if (!part) {
    page.title = "Not found";
    return frame(allowed, null, h("section", { class: "empty" }, h("h1", "There is nothing here"), h("p", h("a", { href: "/admin" }, "Operate"))));
  }
  if (!may.has(part.needs)) return frame(allowed, null, refusal(`This part needs the permission “${part.needs}”, which your role has not.`));
  const module = await part.load();
  page.title = part.text;
  return frame(allowed, part, await module.default(page, may));
}

/** Which of the permissions that parts need the visitor has: asked of the API, which decides anyway. */
async function permissions(page) {
  const names = [...new Set([...PARTS.map((part) => part.needs), "users.manage", "admin.manage", "audit.manage"])];
  const answers = await Promise.all(names.map((permission) =>
    api.get("/rbac/check", { query: { permission }, signal: page.signal })));
  return new Set(names.filter((name, index) => answers[index].allowed));
}

function frame(allowed, current, content) {
  const nav = h("nav", { class: "parts-nav", "aria-label": "Operate" }, allowed.map((part) =>
    h("a", { href: `/admin/${part.name}`, "aria-current": part === current ? "page" : null }, part.text)));
  // On a phone the parts stand in a row that scrolls: the present one is to be seen.
  requestAnimationFrame(() => {
    const here = nav.querySelector("[aria-current]");
    if (here) nav.scrollLeft = here.offsetLeft - (nav.clientWidth - here.clientWidth) / 2;
  });
  return h("div", { class: "operate" }, nav,
    h("div", { class: "operate-part" }, content));
}

function refusal(text) {
  const who = session.user();
  return h("section", { class: "empty" }, h("p", { class: "code" }, "403"), h("h1", "Not for your role"), h("p", text),
    who && h("p", { class: "muted" }, `You are signed in as ${who.email}, ${who.role}. An administrator can change that.`),
    h("p", { class: "row center" }, h("a", { class: "button", href: "/" }, "Start page"), h("a", { class: "button", href: "/account" }, "Your account")));
}
