// The visitor's own account: who they are, password and second factor, sessions, keys, colleagues.
//
//   /account            profile and organization
//   /account/security   password, second factor, sessions
//   /account/keys       API keys
import { h, fill, said } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as session from "../lib/session.js";
import * as notice from "../lib/notice.js";
import { copyButton } from "../lib/parts.js";
import { ago, cut, day, moment, plural } from "../lib/format.js";
import { ask, button, card, facts, form, once, part, state, styled, sure, table } from "./kit.js";
import { keys } from "./keys.js";

export const title = "Account";

const PARTS = [["", "Profile", profile], ["security", "Security", security], ["keys", "API keys", (page) => keys(page)]];

export default async function view(page) {
  await styled;
  if (!session.isSignedIn()) return page.go("/signin?next=/account", { replace: true }).then(() => h("div"));
  if (!session.isPerson()) return withToken(page);
  const name = page.params.part ?? "";
  const chosen = PARTS.find(([part]) => part === name);
  if (!chosen) return h("section", { class: "empty" }, h("h1", "There is nothing here"), h("p", h("a", { href: "/account" }, "Your account")));
  const content = await chosen[2](page);
  return h("section", { class: "stack wide" },
    h("h1", title),
    h("nav", { class: "tabs", "aria-label": "Account" }, PARTS.map(([part, text]) =>
      h("a", { href: part ? `/account/${part}` : "/account", "aria-current": part === name ? "page" : null }, text))),
    content);
}

function withToken(page) {
  return h("section", { class: "empty" }, h("h1", "You came in with a token"),
    h("p", "It stands for the installation, or for a program, and has no profile, no password and no sessions."),
    h("p", { class: "row center" }, button("Sign in with an account", () => signOut(page), { kind: "primary" })),
    h("p", { class: "muted small" }, "Signing out forgets the token in this browser; it stays valid."));
}

async function signOut(page) {
  await api.signOut();
  notice.say("You are signed out.");
  await page.go("/signin");
}

// Profile

async function profile(page) {
  const me = await api.get("/auth/me", { signal: page.signal });
  const { user, organization } = me;
  return h("div", { class: "stack wide" },
    card("You", form({ verb: "Save", kind: "stack narrow",
      fields: [{ name: "name", label: "Name", value: user.name, maxlength: 100, autocomplete: "name" }],
      submit: async (wish) => {
        const answer = await api.patch("/auth/me", wish);
        session.rename(answer.user);
        notice.show("Saved.", "good");
      } }),
    facts([["Email", said(user.email)], ["Role", said(user.role)], ["Since", day(user.created_at)], ["Last sign-in", user.last_login_at && moment(user.last_login_at)]])),
    card("Organization", facts([["Name", organization && said(organization.name)], ["Since", organization && day(organization.created_at)]]),
      await members(user, page)));
}

async function members(user, page) {
  const { allowed } = await api.get("/rbac/check", { query: { permission: "users.read" }, signal: page.signal });
  if (!allowed) return h("p", { class: "muted" }, "Who else belongs to it is shown to administrators.");
  const found = await api.get("/users", { query: { limit: 50 }, signal: page.signal });
  return h("div", { class: "stack" }, table({ caption: "Members", shown: true, rows: found.users, columns: [
    { title: "Name", cell: (one) => [said(one.name || one.email), one.id === user.id && " (you)"] },
    { title: "Email", cell: (one) => said(one.email) }, { title: "Role", cell: (one) => said(one.role) },
    { title: "State", cell: (one) => state(one.is_active ? "good" : "bad", one.is_active ? "Active" : "Deactivated") },
  ] }), h("p", h("a", { href: "/admin/users" }, found.has_more ? `All ${found.total}, and roles` : "Roles and invitations")));
}

// Security

async function security(page) {
  const me = await api.get("/auth/me", { signal: page.signal });
  const sessions = await part(() => api.get("/auth/sessions", { signal: page.signal }), (found, again) => drawSessions(found, again, page));
  return h("div", { class: "stack wide" }, password(page), secondFactor(me.user, page), sessions);
}

function password(page) {
  return card("Password", form({ verb: "Change it", kind: "stack narrow",
    fields: [
      h("input", { type: "email", autocomplete: "username", value: session.user()?.email ?? "", hidden: true, tabindex: "-1", "aria-hidden": "true" }),
      { name: "current_password", label: "Present password", type: "password", required: true, autocomplete: "current-password", maxlength: 1024 },
      { name: "new_password", label: "New password", type: "password", required: true, autocomplete: "new-password", minlength: 12, maxlength: 128, hint: "12 to 128 characters. A change ends every session, this one too." },
    ],
    submit: async (wish) => {
      await api.post("/auth/password/change", wish);
      session.forget();
      notice.show("The password is changed. Sign in with it.", "good");
      await page.go("/signin?next=/account/security");
    } }));
}

function secondFactor(user, page) {
  const holder = h("div", { class: "stack" });
  const idle = () => fill(holder,
    h("p", state(user.mfa_enabled ? "good" : "", user.mfa_enabled ? "On" : "Off"), " ",
      user.mfa_enabled ? "A sign-in asks for a code of your authenticator." : "With a password alone, whoever learns it is you."),
    user.mfa_enabled
      ? h("div", { class: "row" }, button("New backup codes", renew), button("Turn off", turnOff, { kind: "danger" }))
      : h("div", { class: "row" }, button("Turn on", enrol, { kind: "primary" })));
  const enrol = async () => {
    const [started, { picture }] = await Promise.all([api.post("/auth/mfa/setup"), import("./qr.js")]);
    fill(holder, enrolment(started, picture, idle, page));
    holder.querySelector("input").focus();
  };
  const renew = async () => {
    let made = null;
    await ask({ title: "Make new backup codes", detail: "The ones you have become void.", verb: "Make them", fields: proof(), submit: async (wish) => { made = await api.post("/auth/mfa/backup-codes", given(wish)); } });
    if (made) await backupCodes(made.backup_codes);
  };
  const turnOff = async () => {
    const isDone = await ask({ title: "Turn the second factor off?", detail: "Your password alone opens the account then. Prove that it is you.", verb: "Turn it off", isDanger: true, fields: proof(),
      submit: (wish) => api.post("/auth/mfa/disable", given(wish)) });
    if (!isDone) return;
    user.mfa_enabled = false;
    idle();
  };
  idle();
  return card("Second factor", holder);
}

const proof = () => [
  { name: "password", label: "Password", type: "password", autocomplete: "current-password", maxlength: 1024 },
  { name: "code", label: "or a code", hint: "Of your authenticator, or a backup code.", autocomplete: "one-time-code", maxlength: 16 },
];
const given = (wish) => (wish.password ? { password: wish.password } : { code: wish.code.replace(/\s/g, "") });

function enrolment(started, picture, cancel, page) {
  return h("div", { class: "enrol" },
    h("div", { class: "enrol-code" }, picture(started.provisioning_uri, "QR code for your authenticator. The secret stands beside it as text.")),
    h("div", { class: "stack" },
      h("ol", { class: "enrol-steps" },
        h("li", "Scan the code with an authenticator app, or type the secret:", h("div", { class: "row" }, h("code", { class: "secret-line" }, groups(started.secret)), copyButton(started.secret, "Copy the secret"))),
        h("li", "Enter the six digits that it shows.")),
      form({ verb: "Turn it on", fields: [{ name: "code", label: "Code", required: true, autocomplete: "one-time-code", inputmode: "numeric", maxlength: 16, hint: "Turning it on ends every session, this one too." }],
        cancel: h("button", { type: "button", class: "quiet", onclick: cancel }, "Cancel"),
        submit: async (wish) => {
          const made = await api.post("/auth/mfa/enable", { code: wish.code.replace(/\s/g, "") });
          await backupCodes(made.backup_codes);
          session.forget();
          notice.show("The second factor is on. Sign in with it.", "good");
          await page.go("/signin?next=/account/security");
        } })));
}

const groups = (secret) => secret.replace(/(.{4})(?=.)/g, "$1 ");

const backupCodes = (codes) => once("Your backup codes", codes.join("\n"), "Each opens the account once when your phone does not. Keep them where you find them without it. They are not shown again.");

function drawSessions({ sessions: list }, again, page) {
  return card("Sessions",
    table({ caption: plural(list.length, "session"), rows: list, columns: [
      { title: "Where", cell: (one) => [h("span", { title: one.user_agent }, said(browser(one.user_agent))), one.current && h("span", { class: "muted" }, " (this one)"), h("span", { class: "muted small block" }, said(one.ip))] },
      { title: "Signed in", cell: (one) => h("time", { datetime: one.created_at, title: moment(one.created_at) }, ago(one.created_at)) },
      { title: "Used", cell: (one) => h("time", { datetime: one.last_used, title: moment(one.last_used) }, ago(one.last_used)) },
      { title: "Ends", cell: (one) => day(one.expires_at) },
      { title: "", cell: (one) => !one.current && button("End", async () => {
        await api.del(`/auth/sessions/${encodeURIComponent(one.id)}`);
        notice.show("The session is ended.", "good");
        await again();
      }, { kind: "quiet danger", name: `End the session of ${browser(one.user_agent)}, ${one.ip}` }) },
    ] }),
    h("div", { class: "row end" }, button("Sign out everywhere", () => sure("Sign out everywhere?", "Every session ends within two seconds, this one too. API keys stay.", "Sign out everywhere", async () => {
      await api.post("/auth/logout-all");
      session.forget();
      await page.go("/signin");
    }), { kind: "danger" })));
}

/** What people call their browser; the whole text stands in its title. */
function browser(agent) {
  const name = /(Firefox|Edg|OPR|Chrome|Safari)\/(\d+)/.exec(agent ?? "");
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/.exec(agent ?? "");
  if (!name) return cut(agent, 40) || "Unknown";
  return `${{ Edg: "Edge", OPR: "Opera" }[name[1]] ?? name[1]} ${name[2]}${system ? ` on ${system[1]}` : ""}`;
}
