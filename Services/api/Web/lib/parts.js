// Parts that every view uses. Classes are in css/parts.css.
//
//   problem(error, retry)      an error of lib/api.js in full, with "Try again"
//   empty(title, text, action) a list without anything in it
//   skeleton(lines)            what stands where something is being loaded
//   badge(status)              a debate's status, in colour and in words
//   field(label, control, {hint, error})   a labelled control; `control` gets its id and descriptions
//   copyButton(text, label)    copies to the clipboard
//   confirmed(question, verb)  a promise of true or false, from a dialog
//   menu(label, items, {end})  buttons behind one: items are {text, work, kind}; closes by Escape, and when the focus leaves
//   collapsible(text, limit)   a long text, the rest behind a button: a line of a megabyte must not stop the page
import { h, said, uid, visible, fill } from "./dom.js";
import * as notice from "./notice.js";
import { count } from "./format.js";

export function problem(error, retry) {
  return h("section", { class: "empty problem", role: "alert" },
    h("h1", error.status === 404 ? "Not found" : error.status === 403 ? "Not allowed" : "Something went wrong"),
    h("p", said(error.message ?? String(error))),
    error.suggestion && h("p", { class: "muted" }, said(error.suggestion)),
    h("p", { class: "row center" },
      retry && h("button", { type: "button", class: "primary", onclick: retry }, "Try again"),
      h("a", { class: "button", href: "/" }, "Start page")),
    error.requestID && h("p", { class: "muted small" }, "Request ", h("code", visible(error.requestID))));
}

export function menu(label, items, { end = false } = {}) {
  const summary = h("summary", { class: "button" }, label);
  const element = h("details", { class: `menu ${end ? "end" : ""}` }, summary, h("div", items.map((item) =>
    h("button", { type: "button", class: item.kind, onclick: async () => {
      element.open = false;
      summary.focus();
      try {
        await item.work();
      } catch (error) {
        if (error.name !== "AbortError") notice.show([error.message, error.suggestion].filter(Boolean).join(" "), "bad");
      }
    } }, item.text))));
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    element.open = false;
    summary.focus();
  });
  element.addEventListener("focusout", (event) => { if (!element.contains(event.relatedTarget)) element.open = false; });
  return element;
}

export function empty(title, text, action) {
  return h("div", { class: "empty" }, h("h2", title), text && h("p", { class: "muted" }, text), action);
}

export function skeleton(lines = 3) {
  return h("div", { class: "skeleton", "aria-hidden": "true" }, Array.from({ length: lines }, () => h("span")));
}

const STATUS = {
  created: ["waiting", "Waiting"], queued: ["waiting", "Waiting"], starting: ["waiting", "Starting"], pending: ["waiting", "Waiting"],
  running: ["live", "Live"], in_progress: ["live", "Live"], paused: ["paused", "Paused"],
  completed: ["good", "Finished"], failed: ["bad", "Failed"], cancelled: ["ended", "Cancelled"], timeout: ["bad", "Timed out"],
};

export function badge(status) {
  const [kind, text] = STATUS[status] ?? ["ended", visible(status ?? "Unknown")];
  return h("span", { class: `badge ${kind}` }, h("i", { "aria-hidden": "true" }), text);
}

export function field(label, control, { hint, error } = {}) {
  const input = control.matches("input, select, textarea") ? control : control.querySelector("input, select, textarea");
  input.id ||= uid("field");
  const described = [];
  const parts = [];
  if (hint) {
    const id = uid("hint");
    described.push(id);
    parts.push(h("p", { class: "hint", id }, hint));
  }
  const wrong = h("p", { class: "wrong", id: uid("wrong"), hidden: !error }, error);
  described.push(wrong.id);
  input.setAttribute("aria-describedby", described.join(" "));
  const name = h("label", { for: input.id, id: `${input.id}-name` }, label);
  const element = h("div", { class: "field" }, name, input.type === "password" ? h("div", { class: "hidden-text" }, control, shower(input, name)) : control, parts, wrong);
  /** Shows what is wrong with the field; null when nothing is. */
  element.refuse = (message) => {
    wrong.hidden = !message;
    wrong.textContent = message ?? "";
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  element.refuse(error ?? null);
  return element;
}

/** Shows what was typed into a field that hides it; hidden again when the form is sent, so that browsers know it for a password. */
function shower(input, name) {
  const hide = (isHidden) => {
    input.type = isHidden ? "password" : "text";
    button.textContent = isHidden ? "Show" : "Hide";
  };
  const button = h("button", { type: "button", class: "quiet", "aria-describedby": name.id, onclick: () => {
    hide(input.type !== "password");
    input.form?.addEventListener("submit", () => hide(true), { once: true, capture: true });
  } }, "Show");
  return button;
}

export function copyButton(text, label = "Copy") {
  return h("button", { type: "button", class: "quiet", onclick: async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "function" ? text() : text);
      notice.show("Copied.", "good");
    } catch {
      notice.show("The browser does not let this page copy.", "bad");
    }
  } }, label);
}

export function confirmed(question, verb, { detail, isDanger = false } = {}) {
  return new Promise((resolve) => {
    const title = uid("dialog");
    const dialog = h("dialog", { "aria-labelledby": title },
      h("form", { method: "dialog" },
        h("h2", { id: title }, question), detail && h("p", { class: "muted" }, detail),
        h("div", { class: "row end" },
          h("button", { value: "no", class: "quiet" }, "Keep it"),
          h("button", { value: "yes", class: isDanger ? "danger" : "primary" }, verb))));
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export function collapsible(text, limit = 20_000) {
  const whole = visible(text);
  if (whole.length <= limit) return document.createTextNode(whole);
  const holder = h("span", whole.slice(0, limit) + "… ");
  const more = h("button", { type: "button", class: "quiet", onclick: () => {
    fill(holder, whole);
    more.remove();
  } }, `Show all ${count(whole.length)} characters`);
  return h("span", holder, more);
}
