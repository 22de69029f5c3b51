// Signing in: by email and password, with a second factor where the account has one; or by a key or token that was given.
// `?next=` is where to go afterwards; `#token=` (a link that the installer printed) signs in by itself and is taken out of
// the address at once. With single sign-on the browser goes to the provider, which sends it back here with `?state=`; the API
// looks at that answer, and what it says then is what it says to a password.
import { h, fill } from "../lib/dom.js";
import { field } from "../lib/parts.js";
import * as api from "../lib/api.js";
import * as session from "../lib/session.js";
import * as notice from "../lib/notice.js";

export const title = "Sign in";

const NEXT_KEY = "aragora.next";

export default async function view(page) {
  const more = page.query.get("do");
  if (["register", "forgot", "reset"].includes(more)) return (await import("./signin-more.js")).default(page, more);
  const holder = h("div", { class: "stack" });
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    history.replaceState(history.state, "", location.pathname + location.search);
    if (await tryToken(given, page)) return h("div");
    notice.show("The token of this link is not valid.", "bad");
  }
  const provider = await api.get("/auth/sso/status", { anonymous: true, signal: page.signal }).catch(() => null);
  fill(holder, provider?.login_url && providerLink(provider, page), passwordForm(page, holder));
  if (page.query.has("state")) await comeBack(page, holder);
  return h("section", { class: "signin stack" }, h("h1", title), holder,
    h("p", { class: "row spread small" }, h("a", { href: "/signin?do=register" }, "Make an account"), h("a", { href: "/signin?do=forgot" }, "Forgotten password")),
    tokenForm(page));
}

/** Only our own paths: a link must not send anybody elsewhere. */
function next(page) {
  const path = page.query.get("next") ?? page.wanted ?? "/";
  return /^\/(?![/\\])/.test(path) && !path.startsWith("/signin") ? path : "/";
}

function form(fields, verb, submit) {
  const problem = h("p", { class: "notice bad", role: "alert", hidden: true });
  const button = h("button", { class: "primary", type: "submit" }, verb);
  return h("form", { class: "card stack", onsubmit: async (event) => {
    event.preventDefault();
    problem.hidden = true;
    button.disabled = true;
    try {
      await submit();
    } catch (error) {
      problem.textContent = error.message + (error.retryAfter ? ` Try again in ${error.retryAfter} s.` : "");
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  } }, problem, fields, button);
}

function passwordForm(page, holder) {
  const email = h("input", { type: "email", name: "email", autocomplete: "username", required: true });
  const password = h("input", { type: "password", name: "password", autocomplete: "current-password", required: true });
  return form([field("Email", email), field("Password", password)], "Sign in", async () => {
    const answer = await api.post("/auth/login", { email: email.value, password: password.value }, { anonymous: true });
    proceed(answer, page, holder);
  });
}

/** The session that a sign-in answered, or the second step that it asks for. */
function proceed(answer, page, holder) {
  if (!answer.mfa_required && !answer.pending_token) return done(answer, page);
  const step = codeForm(answer, page);
  fill(holder, step);
  setTimeout(() => step.querySelector("input").focus());
  notice.say("Enter the code of your authenticator.");
}

function providerLink(provider, page) {
  return [
    h("a", { class: "button large", href: provider.login_url, onclick: () => sessionStorage.setItem(NEXT_KEY, next(page)) }, "Sign in with single sign-on"),
    h("p", { class: "or" }, "or"),
  ];
}

/** The provider's answer is good once, and in the browser that asked: the API knows it by its cookie, which this request alone carries. */
async function comeBack(page, holder) {
  const answer = location.search;
  history.replaceState(history.state, "", location.pathname);
  page.wanted = sessionStorage.getItem(NEXT_KEY);
  sessionStorage.removeItem(NEXT_KEY);
  try {
    proceed(await api.get(`/auth/sso/callback${answer}`, { anonymous: true, credentials: "same-origin" }), page, holder);
  } catch (error) {
    notice.show(error.code === "sso_failed" ? "The provider’s answer was not accepted. Sign in again." : error.message, "bad");
  }
}

function codeForm(pending, page) {
  const code = h("input", { name: "code", autocomplete: "one-time-code", inputmode: "text", required: true, maxlength: 32 });
  const hint = "The six digits that your authenticator shows, or one of your backup codes.";
  return form([field("Code", code, { hint })], "Continue", async () => {
    const body = { code: code.value.replace(/\s/g, ""), pending_token: pending.pending_token };
    done(await api.post("/auth/mfa/verify", body, { anonymous: true }), page);
  });
}

function tokenForm(page) {
  const token = h("input", { type: "password", name: "token", autocomplete: "off", required: true });
  return h("details", { class: "muted" }, h("summary", "Use an API key or the installation’s token"),
    form([field("Key or token", token)], "Use it", async () => {
      if (!(await tryToken(token.value.trim(), page))) throw new Error("The API does not know this key.");
    }));
}

async function tryToken(token, page) {
  const answer = await fetch(`${api.BASE}/agents`, { headers: { Authorization: `Bearer ${token}` }, credentials: "omit" });
  if (answer.status === 401) return false;
  session.useToken(token);
  page.go(next(page), { replace: true });
  return true;
}

function done(answer, page) {
  session.signedIn(answer);
  page.go(next(page), { replace: true });
}
