// A receipt, and its proof computed in this browser. At /debates/{id}/receipt and /receipts/{id}.
import { h, fill, said, visible } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as notice from "../lib/notice.js";
import * as format from "../lib/format.js";
import { copyButton, skeleton } from "../lib/parts.js";
import { publishedKeys, verify } from "../debate/verify.js";

export const title = "Receipt";

const SIGNS = { good: "✓", bad: "✕", unknown: "?", waiting: "…" };
const VERDICTS = { APPROVED: "Approved", APPROVED_WITH_CONDITIONS: "Approved with conditions", NEEDS_REVIEW: "Needs review" };

export default async function view(page) {
  const options = { signal: page.signal };
  const path = location.pathname.startsWith("/receipts/") ? `/receipts/${encodeURIComponent(page.params.id)}` : `/debates/${encodeURIComponent(page.params.id)}/receipt`;
  const receipt = await api.get(path, options);
  const checks = h("ol", { class: "checks" });
  const verdict = h("p", { class: "verdict notice", role: "status" }, "Checking…");
  const source = h("p", { class: "muted small" });
  const run = async (text, name) => {
    fill(source, "Checked: ", said(name));
    await draw(text, checks, verdict, options);
  };
  const bundlePath = `/receipts/${encodeURIComponent(receipt.receipt_id)}/bundle`;
  const again = async () => run(await api.text(bundlePath, options), `this receipt with its ${format.plural(receipt.event_count, "event")}, as the server sent them just now`);
  const file = h("input", { type: "file", accept: ".json,application/json", class: "unseen", id: "receipt-file", onchange: async () => {
    if (file.files[0]) await run(await file.files[0].text(), file.files[0].name);
    file.value = "";
  } });
  again().catch((error) => { if (error.name !== "AbortError") fail(verdict, error); });
  return h("div", { class: "stack wide receipt" },
    h("header", { class: "stack tight" },
      h("p", h("a", { href: `/debates/${receipt.debate_id}` }, "← The debate")),
      h("h1", "Receipt"), h("p", { class: "lead" }, said(receipt.input_summary ?? "[erased]"))),
    h("section", { class: "card stack", "aria-labelledby": "proof" }, h("h2", { id: "proof" }, "Proof, computed in this browser"), verdict, checks, source,
      h("div", { class: "row no-print" },
        h("button", { type: "button", onclick: () => api.download(bundlePath, `${receipt.receipt_id}.json`).catch((error) => notice.show(error.message, "bad")) }, "Download the bundle"),
        h("label", { class: "button", for: file.id }, "Check a file"), file,
        copyButton(`aragora receipt verify ${receipt.receipt_id}.json`, "Copy the command for it"))),
    h("section", { class: "card stack", "aria-labelledby": "content" }, h("h2", { id: "content" }, "What it says"), content(receipt)));
}

async function draw(text, checks, verdict, options) {
  fill(checks, h("li", skeleton(2)));
  verdict.className = "verdict notice";
  verdict.dataset.state = "waiting";
  fill(verdict, "Checking…");
  const keys = await trusted(options);
  fill(checks);
  for await (const step of verify(text, { keys })) {
    if (step.name === "verdict") {
      verdict.className = `verdict notice ${{ good: "good", bad: "bad", unknown: "warn" }[step.state]}`;
      verdict.dataset.state = step.state;
      fill(verdict, h("span", step.title, step.detail && ` ${step.detail}`));
      continue;
    }
    checks.append(h("li", { class: step.state, dataset: { check: step.name } }, h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[step.state]),
      h("div", h("span", { class: "unseen" }, { good: "Passed: ", bad: "Failed: ", unknown: "Not checked: " }[step.state]), h("strong", step.title), h("p", { class: "hashes" }, visible(step.detail ?? "")))));
  }
}

/** What is published for everybody is trusted: the key in force, and those before it. */
async function trusted(options) {
  if (!globalThis.crypto?.subtle) return [];
  const [pem, all] = await Promise.all([
    api.text("/.well-known/aragora-odr-signing-key", options).catch(() => null),
    api.get("/receipts/signing-key", options).catch(() => null),
  ]);
  return publishedKeys(pem, (all?.keys ?? []).map((key) => key.public_key_pem));
}

function fail(verdict, error) {
  verdict.className = "verdict notice bad";
  verdict.dataset.state = "failed";
  fill(verdict, h("span", "The proof could not be fetched: ", said(error.message)));
}

function content(receipt) {
  const rows = [
    ["Receipt", h("span", { class: "hash" }, said(receipt.receipt_id))], ["Made", format.moment(receipt.timestamp)],
    ["Verdict", VERDICTS[receipt.verdict] ?? said(receipt.verdict)], ["Confidence", format.percent(receipt.confidence)],
    ["Agreement", `${format.percent(receipt.consensus?.agreement)} by ${visible(receipt.consensus?.mode ?? "")}`],
    ["Panel", h("ul", { class: "plain" }, (receipt.agents_involved ?? []).map((agent) => h("li", said(agent.name), h("span", { class: "muted" }, " ", said(`${agent.provider}/${agent.model}`)))))],
    ["Rounds", format.count(receipt.rounds_completed)], ["Cost", format.microUSD(receipt.cost?.micro_usd)],
    ["Answer, SHA-256", h("span", { class: "hash" }, said(receipt.final_answer_hash ?? "–"))],
    ["Events", h("span", { class: "hash" }, `${format.count(receipt.event_count)}, root ${visible(receipt.events_root ?? "–")}`)],
    ["Checksum", h("span", { class: "hash" }, said(receipt.checksum))],
  ];
  return h("dl", { class: "pairs" }, rows.flatMap(([name, value]) => [h("dt", name), h("dd", value)]));
}
