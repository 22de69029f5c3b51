// The numbers of /metrics, for pages: Prometheus's text format, of the replica that answers.
//
//   const metrics = await readMetrics(page);
//   value(metrics, "aragora_slo_burn_rate", { slo_name: "availability" })   a number, or null
//
// In production a proxy keeps /metrics to the operator's network; then this throws with a sentence that says so.
import { ApiError } from "../lib/api.js";

export async function readMetrics(page) {
  const response = await fetch("/metrics", { signal: page.signal, cache: "no-store", credentials: "omit" }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { error: "The server can not be reached." });
  });
  if (!response.ok) {
    throw new ApiError(response.status === 404 ? 403 : response.status, {
      error: `/metrics is not shown at this address (${response.status}): ask Prometheus, or the metrics port.` }, response);
  }
  return parse(await response.text());
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: \S+)?$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/** Samples by name: {labels, value}. Lines that are no sample are left out. */
export function parse(text) {
  const found = new Map();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const match = SAMPLE.exec(line);
    if (!match) continue;
    const labels = Object.fromEntries([...(match[2] ?? "").matchAll(LABEL)].map((label) => [label[1], label[2].replace(/\\(.)/g, (_, mark) => (mark === "n" ? "\n" : mark))]));
    const number = match[3] === "+Inf" ? Infinity : match[3] === "-Inf" ? -Infinity : Number(match[3]);
    if (!found.has(match[1])) found.set(match[1], []);
    found.get(match[1]).push({ labels, value: number });
  }
  return found;
}

export function value(metrics, name, labels = {}) {
  const sample = (metrics.get(name) ?? []).find((one) => Object.entries(labels).every(([key, text]) => one.labels[key] === text));
  return sample && Number.isFinite(sample.value) ? sample.value : null;
}
