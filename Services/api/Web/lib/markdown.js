// A small, safe subset of Markdown: what models use to say something, and nothing that could do anything.
//
//   const node = markdown(text)      a div.prose
//
// Known: paragraphs, headings, lists (two deep), quotes, fenced and inline code, bold, italic, rules, http(s) links (with
// the host they go to, so that a text can not pretend another). Everything else, HTML above all, is text. Images are
// their description. Each paragraph has the direction of its own first letter.
//
// Linear in the length of the text: lines are looked at once, and the inline pattern has no nested repetition. What is
// longer than LIMIT, or has more than BLOCKS blocks, waits behind a button (lib/parts.js, collapsible).
import { h, visible } from "./dom.js";
import { collapsible } from "./parts.js";

const LIMIT = 60_000;
const BLOCKS = 600;
const LINE = 20_000;

export function markdown(text) {
  const whole = visible(text);
  const prose = h("div", { class: "prose" });
  if (whole.length > LIMIT) {
    prose.append(h("p", { dir: "auto" }, collapsible(whole, LINE)));
    return prose;
  }
  const lines = whole.split(/\r\n|\r|\n/);
  const reader = { lines, at: 0, blocks: 0 };
  while (reader.at < lines.length && reader.blocks < BLOCKS) block(reader, prose);
  if (reader.at < lines.length) prose.append(h("p", { dir: "auto" }, collapsible(lines.slice(reader.at).join("\n"), 200)));
  return prose;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,4}[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;

function block(reader, parent) {
  const line = reader.lines[reader.at];
  if (line.trim() === "") {
    reader.at += 1;
    return;
  }
  reader.blocks += 1;
  if (FENCE.test(line)) return parent.append(fence(reader));
  const heading = line.length < 500 && HEADING.exec(line);
  if (heading) {
    reader.at += 1;
    // The document's own headings end at h3; those of an answer go on from there.
    return parent.append(h(`h${Math.min(6, heading[1].length + 3)}`, { dir: "auto" }, inline(heading[2])));
  }
  if (line.length < 200 && RULE.test(line)) {
    reader.at += 1;
    return parent.append(h("hr"));
  }
  if (QUOTE.test(line)) return parent.append(quote(reader));
  if (ITEM.test(line)) return parent.append(list(reader, indentOf(line)));
  parent.append(paragraph(reader));
}

function fence(reader) {
  const mark = FENCE.exec(reader.lines[reader.at])[1];
  const code = [];
  reader.at += 1;
  while (reader.at < reader.lines.length && !reader.lines[reader.at].trimStart().startsWith(mark)) {
    code.push(reader.lines[reader.at]);
    reader.at += 1;
  }
  reader.at += 1;
  return h("pre", { tabindex: "0", dir: "ltr" }, h("code", collapsible(code.join("\n"), LINE)));
}

function quote(reader) {
  const lines = [];
  for (let match; reader.at < reader.lines.length && (match = QUOTE.exec(reader.lines[reader.at])); reader.at += 1) lines.push(match[1]);
  const element = h("blockquote");
  // Quotes within quotes stay text: depth is bounded.
  const inner = { lines: lines.map((line) => line.replace(/^(\s*>)+/, "")), at: 0, blocks: reader.blocks };
  while (inner.at < inner.lines.length && inner.blocks < BLOCKS) block(inner, element);
  reader.blocks = inner.blocks;
  return element;
}

const indentOf = (line) => /^\s*/.exec(line)[0].replace(/\t/g, "    ").length;

function list(reader, indent, depth = 0) {
  const first = ITEM.exec(reader.lines[reader.at]);
  const isOrdered = /\d/.test(first[2]);
  const element = h(isOrdered ? "ol" : "ul", isOrdered && parseInt(first[2], 10) !== 1 ? { start: parseInt(first[2], 10) } : {});
  let item = null;
  while (reader.at < reader.lines.length && reader.blocks < BLOCKS) {
    const line = reader.lines[reader.at];
    const match = ITEM.exec(line);
    if (match && indentOf(line) > indent + 1 && item && depth < 2) {
      item.append(list(reader, indentOf(line), depth + 1));
    } else if (match && (indentOf(line) >= indent || depth === 0)) {
      if (/\d/.test(match[2]) !== isOrdered) break;
      item = h("li", { dir: "auto" }, inline(match[3]));
      element.append(item);
      reader.blocks += 1;
      reader.at += 1;
    } else if (!match && line.trim() !== "" && indentOf(line) > indent && item) {
      item.append(" ", ...inline(line.trim()));
      reader.at += 1;
    } else if (line.trim() === "" && ITEM.test(reader.lines[reader.at + 1] ?? "")) {
      reader.at += 1;
    } else {
      break;
    }
  }
  return element;
}

function paragraph(reader) {
  const lines = [];
  while (reader.at < reader.lines.length) {
    const line = reader.lines[reader.at];
    if (line.trim() === "" || (lines.length > 0 && (FENCE.test(line) || QUOTE.test(line) || ITEM.test(line) || /^ {0,3}#{1,6}\s/.test(line)))) break;
    lines.push(line);
    reader.at += 1;
  }
  const text = lines.join("\n").trim();
  const element = h("p", { dir: "auto" });
  if (text.length > LINE) element.append(collapsible(text, LINE));
  else element.append(...lines.flatMap((line, index) => [...(index > 0 ? [h("br")] : []), ...inline(line.trim())]));
  return element;
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|__([^_]+)__|\*([^*\s][^*]*)\*|(?<![\w])_([^_\s][^_]*)_(?![\w])|!?\[([^\[\]]{1,500})\]\(([^()\s]{1,2000})\)|(https?:\/\/[^\s<>"'`)\]]{1,2000})/g;

function inline(text) {
  if (text.length > LINE) return [collapsible(text, LINE)];
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > at) nodes.push(document.createTextNode(text.slice(at, match.index)));
    nodes.push(piece(match));
    at = match.index + match[0].length;
  }
  if (at < text.length) nodes.push(document.createTextNode(text.slice(at)));
  return nodes;
}

function piece([whole, code, bold, alsoBold, italic, alsoItalic, label, target, address]) {
  if (code !== undefined) return h("code", { dir: "ltr" }, code);
  if (bold ?? alsoBold) return h("strong", bold ?? alsoBold);
  if (italic ?? alsoItalic) return h("em", italic ?? alsoItalic);
  if (address !== undefined) return link(address, address);
  if (whole.startsWith("!")) return document.createTextNode(`[image: ${label}]`);
  return link(target, label) ?? document.createTextNode(whole);
}

function link(target, label) {
  let url;
  try {
    url = new URL(target);
  } catch {
    return null;
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return null;
  const anchor = h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow ugc" }, label);
  return label === target ? anchor : h("span", anchor, " ", h("span", { class: "host" }, `(${url.host})`));
}
