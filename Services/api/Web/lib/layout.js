// The frame around every view: skip link, header with navigation, main, notices.
import { h, fill } from "./dom.js";
import * as session from "./session.js";
import * as notice from "./notice.js";
import * as api from "./api.js";
import { go } from "./router.js";
import { toggle } from "./theme.js";

const LINKS = [["/", "Ask"], ["/debates", "Debates"], ["/leaderboard", "Leaderboard"], ["/admin", "Operate"]];

/** Builds the frame in `root`; returns what the router moves. */
export function frame(root) {
  const links = LINKS.map(([path, text]) => [path, h("a", { href: path }, text)]);
  const account = h("div", { class: "account" });
  const bar = h("div", { class: "busy", hidden: true });
  const main = h("main", { id: "main", tabindex: "-1" });
  const drawAccount = () => fill(account, accountLink());
  session.onchange(drawAccount);
  drawAccount();
  fill(root,
    h("a", { class: "skip", href: "#main" }, "Skip to content"),
    h("header", { class: "top" },
      h("div", { class: "top-inner" },
        h("a", { class: "brand", href: "/", "aria-label": "Aragora, start page" }, mark(), h("span", "Aragora")),
        h("nav", { "aria-label": "Main" }, links.map(([, link]) => link)),
        h("div", { class: "top-end" }, account, toggle())),
      bar),
    main, notice.mount());
  return {
    busy(isBusy) { bar.hidden = !isBusy; },
    show(node, path) {
      for (const [target, link] of links) {
        const isHere = target === "/" ? path === "/" : path === target || path.startsWith(target + "/");
        if (isHere) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
      }
      fill(main, node);
    },
  };
}

function mark() {
  return h("span", { class: "mark", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
}

function accountLink() {
  const user = session.user();
  if (!session.isSignedIn()) return h("a", { href: "/signin" }, "Sign in");
  return [who(user), h("button", { type: "button", class: "quiet sign-out", onclick: async () => {
    await api.signOut();
    notice.say("You are signed out.");
    await go("/signin");
  } }, "Sign out")];
}

function who(user) {
  return h("a", { href: "/account", title: user?.email ?? "Signed in with a token" }, user?.name || user?.email || "Account");
}
