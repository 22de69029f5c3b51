// Plots as SVG: a picture with a name for screen readers, and the same numbers in a table that opens.
//
//   lines({title, x, unit, series: [{name, colour, points: [{x, y}]}]})   courses; colours are a0 … a11
//   dots({title, x, y, points: [{name, x, y, colour, isHollow, note}]})   one mark for each
//
// Nothing depends on colour alone: lines have their names at their ends, dots beside them.
import { h, s, said, visible } from "../lib/dom.js";
import { cut } from "../lib/format.js";
import { table } from "./kit.js";

const LEFT = 52;
const BOTTOM = 34;
const TOP = 12;
const LABEL_HEIGHT = 15;
const LEAST_ELO = 40;
const NAME_LENGTH = 22;
const NARROW = matchMedia("(max-width: 40rem)");

// In units of the picture, which is as wide as its card: on a phone fewer of them, so that letters stay as large.
let WIDTH = 720;
let HEIGHT = 300;

function measure() {
  [WIDTH, HEIGHT] = NARROW.matches ? [340, 260] : [720, 300];
}

/** Round numbers between `low` and `high`, about `wanted` of them. */
export function ticks(low, high, wanted = 5) {
  const span = high - low || 1;
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let index = Math.ceil(low / step); index * step <= high + step * 1e-9; index += 1) found.push(Number((index * step).toPrecision(12)));
  return found;
}

/** From values to places; at least `least` of the unit from edge to edge, so that a tremor does not look like a storm. */
function scale(values, from, to, margin, least = 1) {
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (high - low < least) [low, high] = [(low + high - least) / 2, (low + high + least) / 2];
  const room = (high - low) * margin;
  low -= room;
  high += room;
  const place = (value) => from + ((value - low) / (high - low)) * (to - from);
  return Object.assign(place, { low, high });
}

export function lines({ title, x, unit, series }) {
  measure();
  const points = series.flatMap((one) => one.points);
  const right = series.length === 1 ? 24 : NARROW.matches ? 104 : 150;
  const across = scale(points.map((point) => point.x), LEFT, WIDTH - right, 0);
  const up = scale(points.map((point) => point.y), HEIGHT - BOTTOM, TOP, 0.08, LEAST_ELO);
  const ends = apart(series.map((one) => up(one.points.at(-1).y)));
  const picture = frame(title, [
    grid(across, up, { x, y: unit, right, whole: true }),
    series.map((one, index) => s("g", { class: `a${one.colour % 12}` },
      s("path", { class: "course", d: one.points.map((point, at) => `${at === 0 ? "M" : "L"}${across(point.x).toFixed(1)} ${up(point.y).toFixed(1)}`).join("") }),
      s("circle", { class: "end", r: 3.5, cx: across(one.points.at(-1).x), cy: up(one.points.at(-1).y) }),
      series.length > 1 && s("path", { class: "leader", d: `M${across(one.points.at(-1).x) + 5} ${up(one.points.at(-1).y)}L${WIDTH - right + 10} ${ends[index]}` }),
      series.length > 1 && s("text", { class: "label", x: WIDTH - right + 14, y: ends[index] + 4 }, visible(cut(short(one.name), NARROW.matches ? 13 : NAME_LENGTH))))),
  ]);
  return figure(picture, table({ caption: title, rows: series, columns: [
    { title: "Agent", cell: (one) => said(one.name) },
    { title: "First", numeric: true, cell: (one) => one.points[0].y.toFixed(0) },
    { title: "Lowest", numeric: true, cell: (one) => Math.min(...one.points.map((point) => point.y)).toFixed(0) },
    { title: "Highest", numeric: true, cell: (one) => Math.max(...one.points.map((point) => point.y)).toFixed(0) },
    { title: "Last", numeric: true, cell: (one) => one.points.at(-1).y.toFixed(0) },
    { title: "Debates", numeric: true, cell: (one) => one.points.length - 1 },
  ] }));
}

export function dots({ title, x, y, points }) {
  measure();
  if (points.length === 0) return h("p", { class: "muted" }, "No model has said how sure it is often enough.");
  const right = 24;
  const across = scale([...points.map((point) => point.x), 0, 0.3], LEFT, WIDTH - right, 0.04, 0.1);
  const up = scale(points.map((point) => point.y), HEIGHT - BOTTOM, TOP, 0.14, LEAST_ELO);
  const taken = [];
  const picture = frame(title, [
    grid(across, up, { x, y, right, whole: false }),
    s("line", { class: "rule", x1: across(0.25), x2: across(0.25), y1: TOP, y2: HEIGHT - BOTTOM }),
    s("text", { class: "axis", x: across(0.25) + 5, y: TOP + 10 }, "a coin"),
    points.map((point) => {
      const [cx, cy] = [across(point.x), up(point.y)];
      const isLeft = cx > WIDTH - 130;
      let at = cy + 4;
      while (taken.some((other) => Math.abs(other.y - at) < LABEL_HEIGHT && Math.abs(other.x - cx) < 150)) at += LABEL_HEIGHT;
      taken.push({ x: cx, y: at });
      return s("g", { class: `a${point.colour % 12}` },
        s("circle", { class: `point ${point.isHollow ? "hollow" : ""}`, r: 6, cx, cy }, s("title", `${visible(point.name)}: Elo ${point.y.toFixed(0)}, Brier ${point.x.toFixed(3)}, ${point.note}`)),
        s("text", { class: "label", x: cx + (isLeft ? -11 : 11), y: at, "text-anchor": isLeft ? "end" : "start" }, visible(cut(short(point.name), NAME_LENGTH))));
    }),
  ]);
  return figure(picture, table({ caption: title, rows: points, columns: [
    { title: "Agent", cell: (point) => said(point.name) },
    { title: "Brier score", numeric: true, cell: (point) => point.x.toFixed(3) },
    { title: "Elo", numeric: true, cell: (point) => point.y.toFixed(0) },
    { title: "From", cell: (point) => point.note },
  ] }));
}

const short = (name) => String(name).slice(String(name).indexOf("|") + 1).replace(/^[^/]*\//, "");

function frame(title, ...children) {
  return s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "plot", role: "img", "aria-label": `${title}. The table below has the numbers.` }, children);
}

function figure(picture, numbers) {
  return h("figure", { class: "plot-holder" }, h("div", { class: "plot-scroll", tabindex: "0", role: "region", "aria-label": "Plot" }, picture),
    h("figcaption", h("details", h("summary", { class: "small" }, "As a table"), numbers)));
}

function grid(across, up, { x, y, right, whole }) {
  const digits = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(2));
  return [
    ticks(up.low, up.high).map((value) => s("g", s("line", { class: "grid", x1: LEFT, x2: WIDTH - right, y1: up(value), y2: up(value) }),
      s("text", { class: "axis", x: LEFT - 8, y: up(value) + 4, "text-anchor": "end" }, digits(value)))),
    ticks(across.low, across.high, NARROW.matches ? 3 : 6).filter((value) => !whole || Number.isInteger(value)).map((value) =>
      s("text", { class: "axis", x: across(value), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, digits(value))),
    s("text", { class: "axis", x: (LEFT + WIDTH - right) / 2, y: HEIGHT - 3, "text-anchor": "middle" }, x),
    s("text", { class: "axis", x: 4, y: TOP + 2, "text-anchor": "start" }, y),
  ];
}

/** Labels that would stand on one another are moved apart, in the order of their places. */
function apart(places) {
  const order = places.map((place, index) => ({ place, index })).sort((one, other) => one.place - other.place);
  for (let index = 1; index < order.length; index += 1) {
    order[index].place = Math.max(order[index].place, order[index - 1].place + LABEL_HEIGHT);
  }
  const over = (order.at(-1)?.place ?? 0) - (HEIGHT - BOTTOM);
  if (over > 0) for (const item of order) item.place -= over;
  const result = [];
  for (const item of order) result[item.index] = item.place;
  return result;
}
