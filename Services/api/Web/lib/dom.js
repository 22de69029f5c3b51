// Elements from plain values. The only way this page makes nodes.
//
//   h("p", { class: "muted", onclick: go }, "Hello ", h("b", name))
//
// - Text is always a text node. There is no way to pass HTML: nothing here, and nothing anywhere on this page, uses
//   innerHTML or its relatives, and the Content-Security-Policy forbids them (require-trusted-types-for).
// - What people and models wrote goes through `said(text)` or lib/markdown.js, so that it can not reorder what stands
//   around it.
// - Attributes: `class`, `dataset: {}`, `style: {}` (by CSSOM, since the policy forbids style attributes), `on…` for
//   listeners, true/false/null for presence, everything else as an attribute. `href` takes our own paths and http(s) only.
// - Children: nodes, texts, numbers, arrays of these; null, undefined and false are left out.

const SVG = "http://www.w3.org/2000/svg";

export function h(tag, attributes, ...children) {
  return build(document.createElement(tag), attributes, children);
}

/** The same for SVG elements. */
export function s(tag, attributes, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

function build(element, attributes, children) {
  if (attributes !== null && attributes !== undefined && isChild(attributes)) {
    children = [attributes, ...children];
    attributes = null;
  }
  for (const [name, value] of Object.entries(attributes ?? {})) set(element, name, value);
  append(element, children);
  return element;
}

function isChild(value) {
  return typeof value !== "object" || value instanceof Node || Array.isArray(value);
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) return element.addEventListener(name.slice(2), value);
  if (name === "dataset") return Object.assign(element.dataset, value);
  if (name === "style") {
    for (const [property, setting] of Object.entries(value)) element.style.setProperty(property, setting);
    return;
  }
  if (name === "value" || name === "checked" || name === "selected" || name === "indeterminate") {
    element[name] = value;
    return;
  }
  if (name === "href" && !isSafeLink(value)) return;
  element.setAttribute(name, value === true ? "" : String(value));
}

/** Our own paths, http, https and fragments; never javascript:, data: or a host without a scheme. */
export function isSafeLink(value) {
  return /^(https?:\/\/|\/(?!\/)|#|blob:)/i.test(String(value));
}

export function append(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === true) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

/** Puts `children` in place of what is in `element`. */
export function fill(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

/** Sets text only where it differs, so that nothing is laid out for nothing. */
export function setText(element, text) {
  const wanted = String(text);
  if (element.textContent !== wanted) element.textContent = wanted;
}

/** What somebody else wrote, on one line: isolated, so that its direction stays its own. */
export function said(text, attributes) {
  return h("bdi", attributes ?? {}, visible(text));
}

const HIDDEN = /[\u202a-\u202e\u2066-\u2069\u0000-\u0008\u000b\u000c\u000e-\u001f]/g;

/** Controls that reorder or hide text, made visible: U+202E and its kind can make one text look like another. */
export function visible(text) {
  return String(text ?? "").replace(HIDDEN, (character) =>
    "\u2039U+" + character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + "\u203a");
}

let ids = 0;
/** An id for `for`, `aria-describedby` and the like. */
export function uid(prefix = "x") {
  ids += 1;
  return `${prefix}-${ids}`;
}
