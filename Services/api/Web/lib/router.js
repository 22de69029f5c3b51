// From addresses to views, without loading the document again.
//
// A view is a module `pages/<name>.js`:
//
//   export const title = "Debates";                          // or set `page.title = …` once it is known
//   export default async function view(page) { return node; }
//
// `page` has
//   params     of the address ({id}), decoded
//   query      URLSearchParams
//   signal     an AbortSignal that ends with the view: hand it to lib/api.js, addEventListener and timers
//   onleave(f) called when the view is left
//   go(path, {replace})   another address
//   setQuery({…}, {replace})   the same view with other query items; null takes one away
//   title      of the document
// The view asks for what it needs and returns its node; while it does, the one before stays and a thin bar tells. What it
// throws becomes an error with "Try again". The node's first h1 gets the focus, so that screen readers begin there.
//
// Links are plain <a href="/…">; this module catches their clicks.
import { h } from "./dom.js";
import * as api from "./api.js";
import * as notice from "./notice.js";
import * as session from "./session.js";
import { problem } from "./parts.js";

const BUSY_MS = 150;
let views = [];
let frame = null;
let current = null;

export function start(table, shell) {
  views = table.map(([path, load]) => ({ names: path.split("/").filter(Boolean), load }));
  frame = shell;
  addEventListener("popstate", () => show({ restores: true }));
  document.addEventListener("click", follow);
  history.scrollRestoration = "manual";
  api.onrefused(() => {
    if (location.pathname !== "/signin") go(`/signin?next=${encodeURIComponent(here())}`, { replace: true });
  });
  session.onchange(leaveOthersPage);
  show({ isFirst: true });
}

/** Signed out in another tab, or by a session that ended: what this one shows was for who is gone. */
function leaveOthersPage({ isElsewhere }) {
  const isOpen = ["/signin", "/spectate/", "/leaderboard"].some((path) => location.pathname.startsWith(path));
  if (isElsewhere && !session.isSignedIn() && !isOpen) go(`/signin?next=${encodeURIComponent(here())}`, { replace: true });
}

export const here = () => location.pathname + location.search;

export function go(path, { replace = false } = {}) {
  rememberScroll();
  history[replace ? "replaceState" : "pushState"]({}, "", path);
  return show({});
}

function rememberScroll() {
  history.replaceState({ ...history.state, y: scrollY }, "");
}

function follow(event) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest?.("a[href]");
  if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (link.pathname === location.pathname && link.search === location.search && link.hash) return;
  if (!find(link.pathname)) return;
  event.preventDefault();
  go(link.pathname + link.search + link.hash);
}

function find(path) {
  let parts;
  try {
    parts = path.split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    return null;
  }
  for (const view of views) {
    if (view.names.length !== parts.length) continue;
    const params = {};
    const fits = view.names.every((name, index) => {
      if (!name.startsWith(":")) return name === parts[index];
      params[name.slice(1)] = parts[index];
      return true;
    });
    if (fits) return { load: view.load, params };
  }
  return null;
}

async function show({ restores = false, isFirst = false }) {
  current?.leave();
  const page = new Page(find(location.pathname));
  current = page;
  const busy = setTimeout(() => page === current && frame.busy(true), BUSY_MS);
  let node;
  try {
    node = await page.render();
  } catch (error) {
    if (error.name === "AbortError" || page !== current) return;
    node = failure(error, page);
  } finally {
    clearTimeout(busy);
    if (page === current) frame.busy(false);
  }
  if (page !== current) return;
  document.title = page.title ? `${page.title} · Aragora` : "Aragora";
  frame.show(node, location.pathname);
  if (restores) scrollTo(0, history.state?.y ?? 0);
  else if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  else scrollTo(0, 0);
  if (!isFirst && !node.contains(document.activeElement)) focusHeading(node);
  page.shown();
}

function focusHeading(node) {
  const heading = node.querySelector("h1") ?? node;
  heading.setAttribute("tabindex", "-1");
  heading.focus({ preventScroll: true });
  notice.say(document.title);
}

function failure(error, page) {
  console.warn("view failed:", error);
  page.title = "Something went wrong";
  return problem(error, () => show({}));
}

class Page {
  #match;
  #abort = new AbortController();
  #title = null;
  #isShown = false;

  constructor(match) {
    this.#match = match;
    this.params = match?.params ?? {};
    this.query = new URLSearchParams(location.search);
    this.signal = this.#abort.signal;
    this.go = go;
  }

  get title() { return this.#title; }
  set title(text) {
    this.#title = text;
    if (this.#isShown && this === current) document.title = `${text} · Aragora`;
  }

  async render() {
    if (!this.#match) {
      this.title = "Not found";
      return h("section", { class: "empty" }, h("h1", "There is nothing here"),
        h("p", "The address may be mistyped, or what it showed is gone."), h("p", h("a", { href: "/" }, "Ask a question")));
    }
    const module = await this.#match.load();
    this.title = module.title ?? null;
    return module.default(this);
  }

  shown() { this.#isShown = true; }
  leave() { this.#abort.abort(); }
  onleave(listener) { this.signal.addEventListener("abort", listener, { once: true }); }

  setQuery(items, { replace = false } = {}) {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(items)) {
      if (value === null || value === undefined || value === "") query.delete(name);
      else query.set(name, value);
    }
    const text = query.toString();
    return go(location.pathname + (text ? `?${text}` : ""), { replace });
  }
}
