// Parts that Find, Operate and Account share. Their style sheet is pages/manage.css, which comes with this module.
//
//   await styled                       before the first node is shown, so that nothing jumps
//   table({caption, columns, rows})    columns are {title, cell(row), numeric}; on a phone each row becomes a card
//   facts([[name, value], …])          names with values; what is null is left out
//   figure(value, name, {note, kind})  one number, large
//   button(label, work, {kind})        busy while `work` runs; what it throws is a toast
//   form({fields, verb, submit})       `submit(values)`; refused fields say why; `fields` are {name, label, …}
//   ask({title, fields, verb, submit}) the same in a dialog; resolves to what `submit` returned, or null
//   once(title, secret, text)          what is shown once, in a dialog that does not close by accident
//   tell(promise)                      node of an error, for a part of a view that must not take the rest with it
//   repeat(page, seconds, work)        while the view is shown and the tab is seen
import { h, fill, said, uid } from "../lib/dom.js";
import * as notice from "../lib/notice.js";
import { copyButton, field } from "../lib/parts.js";

export const styled = new Promise((resolve) => {
  const link = h("link", { rel: "stylesheet", href: new URL("./manage.css", import.meta.url).href });
  link.onload = link.onerror = resolve;
  document.head.append(link);
});

export function table({ caption, columns, rows, shown = false, kind = "" }) {
  return h("div", { class: `table-scroll cards ${kind}`, tabindex: "0", role: "region", "aria-label": caption },
    h("table", h("caption", { class: shown ? "" : "unseen" }, caption),
      h("thead", h("tr", columns.map((column) => h("th", { scope: "col", class: column.numeric && "numeric" }, column.title)))),
      h("tbody", rows.map((row) => h("tr", columns.map((column, index) => {
        const content = column.cell(row);
        const kind = [column.numeric && "numeric", (content ?? null) === null && "none"].filter(Boolean).join(" ");
        return h(index === 0 ? "th" : "td", { scope: index === 0 && "row", class: kind || null, dataset: { title: column.title } },
          h("div", content ?? "–"));
      }))))));
}

export function facts(items) {
  const kept = items.filter((item) => item && item[1] !== null && item[1] !== undefined);
  return h("dl", { class: "pairs" }, kept.map(([name, value]) => h("div", h("dt", name), h("dd", value))));
}

export function figure(value, name, { note, kind = "" } = {}) {
  return h("div", { class: `stat ${kind}` }, h("span", { class: "stat-name" }, name),
    h("strong", { class: "numeric" }, value), note && h("span", { class: "muted small" }, note));
}

export const figures = (...all) => h("div", { class: "stats" }, all);

export function button(label, work, { kind = "", describedBy, name } = {}) {
  const element = h("button", { type: "button", class: kind, "aria-label": name, "aria-describedby": describedBy, onclick: async () => {
    if (element.disabled) return;
    element.disabled = true;
    try {
      await work();
    } catch (error) {
      if (error.name !== "AbortError") notice.show(reason(error), "bad");
    } finally {
      element.disabled = false;
    }
  } }, label);
  return element;
}

export function reason(error) {
  const wait = error.retryAfter ? ` Try again in ${error.retryAfter} s.` : "";
  const fields = Object.entries(error.fields ?? {}).map(([name, message]) => ` ${name}: ${message}.`).join("");
  return (error.message ?? String(error)) + fields + wait + (error.suggestion ? ` ${error.suggestion}` : "");
}

/** `fields`: {name, label, hint, type, value, options, required, …attributes}; or a node, which stays as it is. */
export function form({ fields, verb, submit, cancel, isDanger = false, kind = "stack" }) {
  const wrong = h("p", { class: "notice bad", role: "alert", hidden: true });
  const controls = new Map();
  const nodes = fields.filter(Boolean).map((wish) => {
    if (wish instanceof Node) return wish;
    const made = control(wish);
    controls.set(wish.name, made);
    return made.node;
  });
  const go = h("button", { type: "submit", class: isDanger ? "danger" : "primary" }, verb);
  const element = h("form", { class: kind, novalidate: true, onsubmit: async (event) => {
    event.preventDefault();
    wrong.hidden = true;
    for (const { node } of controls.values()) node.refuse?.(null);
    const missing = [...controls.values()].find(({ input }) => input.willValidate && !input.checkValidity());
    if (missing) {
      missing.node.refuse?.(missing.input.validationMessage);
      missing.input.focus();
      return;
    }
    go.disabled = true;
    try {
      await submit(Object.fromEntries([...controls].map(([name, { value }]) => [name, value()])), element);
    } catch (error) {
      if (error.name === "AbortError") return;
      let isPlaced = false;
      for (const [name, message] of Object.entries(error.fields ?? {})) {
        const place = controls.get(name);
        if (!place) continue;
        place.node.refuse?.(message);
        if (!isPlaced) place.input.focus();
        isPlaced = true;
      }
      if (isPlaced) return;
      wrong.textContent = reason(error);
      wrong.hidden = false;
    } finally {
      go.disabled = false;
    }
  } }, wrong, nodes, h("div", { class: "row end" }, cancel, go));
  return element;
}

function control({ name, label, hint, options, value, type = "text", ...attributes }) {
  if (type === "checkbox") {
    const input = h("input", { type, id: uid("field"), checked: value === true, ...attributes });
    const node = h("label", { class: "check" }, input, h("span", label, hint && h("span", { class: "hint" }, hint)));
    return { node, input, value: () => input.checked };
  }
  if (type === "choices") {
    const boxes = options.map(([key, text, about]) => {
      const input = h("input", { type: "checkbox", value: key, checked: (value ?? []).includes(key) });
      return { key, input, node: h("label", { class: "check" }, input, h("span", text, about && h("span", { class: "hint" }, about))) };
    });
    const node = h("fieldset", { class: "choices" }, h("legend", label), hint && h("p", { class: "hint" }, hint), boxes.map((box) => box.node));
    return { node, input: boxes[0].input, value: () => boxes.filter((box) => box.input.checked).map((box) => box.key) };
  }
  const input = options
    ? h("select", { name, ...attributes }, options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)))
    : h("input", { name, type, value: value ?? "", ...attributes });
  return { node: field(label, input, { hint }), input, value: () => input.value };
}

export function ask({ title, detail, fields = [], verb, submit, isDanger = false }) {
  return new Promise((resolve) => {
    const id = uid("dialog");
    let answer = null;
    const dialog = h("dialog", { "aria-labelledby": id, class: "asking" });
    const close = h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel");
    append(dialog, h("h2", { id }, title), detail && h("p", { class: "muted" }, detail),
      form({ fields, verb, isDanger, cancel: close, submit: async (values) => {
        answer = (await submit(values)) ?? true;
        dialog.close();
      } }));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function append(element, ...children) {
  element.append(...children.filter(Boolean));
}

/** A destructive action asks once: what happens, in words, and two buttons of which the safe one has the focus. */
export function sure(title, detail, verb, work) {
  return ask({ title, detail, verb, isDanger: true, submit: async () => {
    await work();
    return true;
  } });
}

export function once(title, secret, text) {
  return new Promise((resolve) => {
    const id = uid("dialog");
    const dialog = h("dialog", { "aria-labelledby": id, class: "asking" },
      h("h2", { id }, title), h("p", text),
      h("pre", { class: "secret", tabindex: "0" }, secret),
      h("div", { class: "row end" }, copyButton(secret, "Copy"),
        h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, "I have kept it")));
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** What a promise gives, drawn; or its error in place, with "Try again". The rest of the view stays. */
export function part(load, draw) {
  const holder = h("div", { class: "part" });
  const run = async () => {
    try {
      fill(holder, draw(await load(), run));
    } catch (error) {
      if (error.name === "AbortError") return;
      fill(holder, trouble(error, run));
    }
    return holder;
  };
  holder.again = run;
  return run();
}

export function trouble(error, again) {
  if (error.status === 404) {
    return h("p", { class: "notice" }, h("span", "This server does not tell: it may be of an older version."));
  }
  return h("div", { class: "notice bad", role: "alert" }, h("span", said(reason(error))),
    again && h("button", { type: "button", class: "quiet", onclick: again }, "Try again"));
}

export function repeat(page, seconds, work) {
  const timer = setInterval(() => {
    if (document.visibilityState === "visible" && !document.querySelector("dialog[open]")) {
      Promise.resolve(work()).catch(() => {});
    }
  }, seconds * 1000);
  page.onleave(() => clearInterval(timer));
}

/** Pages of an endless list: rows so far, and a button for more. `load(place)` answers {rows, next}. */
export function endless({ load, draw, more = "Show more" }) {
  const holder = h("div", { class: "stack" });
  const list = h("div", { class: "part" });
  const foot = h("div", { class: "row center" });
  const rows = [];
  const next = async (place) => {
    const found = await load(place);
    rows.push(...found.rows);
    fill(list, draw(rows));
    fill(foot, found.next !== null && button(more, () => next(found.next)));
  };
  fill(holder, list, foot);
  return next(null).then(() => holder);
}

/** A share of a whole as a bar; the number stands beside it, so the bar is for the eye alone. */
export function bar(share, kind = "") {
  const part = Math.max(0, Math.min(1, Number.isFinite(share) ? share : 0));
  return h("span", { class: `meter ${kind}`, "aria-hidden": "true" }, h("i", { style: { width: `${(part * 100).toFixed(1)}%` } }));
}

export function state(kind, text) {
  return h("span", { class: `badge ${kind}` }, h("i", { "aria-hidden": "true" }), text);
}

export const card = (title, ...children) =>
  h("section", { class: "card stack", "aria-label": title }, title && h("h2", title), children);
