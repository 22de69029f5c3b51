// What a sign-in may need besides: a new account, a forgotten password, a password from a link. `/signin?do=…`; the token of a
// link stands behind `#reset=`, which browsers send to nobody.
import { h } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as session from "../lib/session.js";
import * as notice from "../lib/notice.js";
import { form, styled } from "./kit.js";

const PASSWORD = { type: "password", required: true, autocomplete: "new-password", minlength: 12, maxlength: 128, hint: "12 to 128 characters." };

export default async function more(page, what) {
  await styled;
  const [title, content] = { register: register, forgot: forgot, reset: reset }[what](page);
  page.title = title;
  return h("section", { class: "signin stack" }, h("h1", title), content, h("p", h("a", { href: "/signin" }, "Back to the sign-in")));
}

function register(page) {
  return ["Make an account", form({ verb: "Make it", kind: "card stack",
    fields: [
      h("p", { class: "muted small" }, "The first account of an installation is its administrator’s."),
      { name: "email", label: "Email", type: "email", required: true, autocomplete: "username" },
      { name: "name", label: "Name", maxlength: 100, autocomplete: "name" },
      { name: "password", label: "Password", ...PASSWORD },
      { name: "organization", label: "New organization", maxlength: 100, hint: "Empty: you join the installation’s own." },
    ],
    submit: async (wish) => {
      const given = Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== ""));
      session.signedIn(await api.post("/auth/register", given, { anonymous: true }));
      notice.show("Your account is made.", "good");
      await page.go("/", { replace: true });
    } })];
}

function forgot() {
  return ["Forgotten password", form({ verb: "Ask an administrator", kind: "card stack",
    fields: [
      h("p", { class: "muted small" }, "There is no mail server here. An administrator sees that you asked, and hands you a link to choose a new password."),
      { name: "email", label: "Email", type: "email", required: true, autocomplete: "username" },
    ],
    submit: async (wish, element) => {
      await api.post("/auth/password/forgot", wish, { anonymous: true });
      element.replaceChildren(h("p", { class: "notice good", role: "status" }, "If there is such an account, its administrator sees now that you asked."));
    } })];
}

function reset(page) {
  const token = new URLSearchParams(location.hash.slice(1)).get("reset");
  if (token) history.replaceState(history.state, "", location.pathname + location.search);
  return ["Choose a password", form({ verb: "Set it", kind: "card stack",
    fields: [
      !token && { name: "token", label: "Token", required: true, autocomplete: "off", maxlength: 256, hint: "From an administrator." },
      { name: "new_password", label: "New password", ...PASSWORD },
    ],
    submit: async (wish) => {
      await api.post("/auth/password/reset", { token: token ?? wish.token.trim(), new_password: wish.new_password }, { anonymous: true });
      notice.show("The password is set. Sign in with it.", "good");
      await page.go("/signin", { replace: true });
    } })];
}
