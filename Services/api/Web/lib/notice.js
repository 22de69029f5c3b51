// What is said besides the view: a toast for the eye, a live region for the ear.
//
// notice.say(text)         spoken politely by screen readers, shown to nobody; at most one a second, the newest wins, so
//                          that a busy debate does not flood the listener
// notice.show(text, kind)  a toast, also spoken; kind is "info", "good" or "bad"; it stays while the pointer or the
//                          keyboard is on it
import { h } from "./dom.js";

const SPEAK_MS = 1000;
const SHOW_MS = 6000;

let region = null;
let stack = null;
let waiting = null;
let lastSaid = 0;
let timer = 0;

/** Called once by the frame. */
export function mount() {
  region = h("div", { class: "unseen", role: "status", "aria-live": "polite" });
  stack = h("div", { class: "toasts", "aria-label": "Notices", role: "region" });
  return [region, stack];
}

export function say(text) {
  waiting = text;
  if (timer) return;
  timer = setTimeout(flush, Math.max(0, lastSaid + SPEAK_MS - Date.now()));
}

function flush() {
  timer = 0;
  lastSaid = Date.now();
  if (region && waiting) region.textContent = waiting;
  waiting = null;
}

export function show(text, kind = "info") {
  if (!stack) return;
  const toast = h("div", { class: `toast ${kind}` }, h("span", text),
    h("button", { class: "icon-button", type: "button", "aria-label": "Dismiss", onclick: () => toast.remove() }, "×"));
  stack.append(toast);
  while (stack.children.length > 4) stack.firstChild.remove();
  const leave = () => (toast.matches(":hover, :focus-within") ? setTimeout(leave, SHOW_MS / 2) : toast.remove());
  setTimeout(leave, SHOW_MS);
  say(text);
}
