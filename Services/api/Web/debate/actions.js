// What can be done with a debate that is over: receipt, exports, a link for others, another debate that goes on from it.
import { h, fill, said } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as notice from "../lib/notice.js";
import * as format from "../lib/format.js";
import { copyButton, field, menu } from "../lib/parts.js";

const FORMATS = [["md", "Markdown"], ["html", "Web page"], ["txt", "Text"], ["json", "JSON"], ["csv", "Table (CSV)"]];

/** @param options.go of the router; options.replay starts the player. */
export function actions(model, { go, replay }) {
  const id = model.id;
  return h("div", { class: "actions no-print" },
    model.receipt && h("a", { class: "button primary", href: `/debates/${id}/receipt` }, "Verify the receipt"),
    h("button", { type: "button", onclick: replay }, "Replay"),
    exports(id),
    h("button", { type: "button", onclick: () => share(id) }, "Share"),
    h("button", { type: "button", onclick: () => followUp(id, go) }, "Follow up"),
    h("button", { type: "button", onclick: () => fork(model, go) }, "Fork"));
}

function exports(id) {
  return menu("Export", FORMATS.map(([form, text]) => ({ text, work: () => api.download(`/debates/${id}/export/${form}`, `${id}.${form}`) })));
}

/** A dialog with a form; `submit` may throw what lib/api.js throws. */
function ask(title, children, verb, submit) {
  const problem = h("p", { class: "notice bad", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "primary" }, verb);
  const dialog = h("dialog", { "aria-label": title }, h("form", { class: "stack", onsubmit: async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await submit(dialog);
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  } }, h("h2", title), problem, children, h("div", { class: "row end" },
    h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close"), button)));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function share(id) {
  const days = h("select", [["24", "a day"], ["168", "a week"], ["720", "30 days"]].map(([hours, text]) => h("option", { value: hours, selected: hours === "168" }, text)));
  const result = h("div", { class: "stack tight", "aria-live": "polite" });
  ask("Share this debate", [
    h("p", { class: "muted" }, "Whoever has the link reads this debate, and nothing else, without an account."),
    field("For", days), result,
    h("button", { type: "button", class: "quiet", onclick: async () => {
      const { revoked } = await api.post(`/debates/${id}/share/revoke`);
      fill(result, h("p", { class: "muted" }, `${format.plural(revoked, "link")} ended.`));
    } }, "End all links of this debate"),
  ], "Make a link", async () => {
    const made = await api.post(`/debates/${id}/share`, { expires_in_hours: Number(days.value) });
    const link = `${location.origin}/spectate/${made.token}`;
    const shown = h("input", { readonly: true, value: link, "aria-label": "The link" });
    fill(result, shown, h("div", { class: "row spread" }, h("span", { class: "muted small" }, `Until ${format.moment(made.expires_at)}. Shown this once.`), copyButton(link, "Copy link")));
    shown.select();
  });
}

async function followUp(id, go) {
  let found = [];
  try {
    found = (await api.get(`/debates/${id}/followups`)).items;
  } catch (error) {
    return notice.show(error.message, "bad");
  }
  const own = h("textarea", { rows: 3, maxlength: 10_000 });
  const choices = found.map((item, index) => h("label", { class: "row small", style: { "flex-wrap": "nowrap" } },
    h("input", { type: "radio", name: "crux", value: item.crux_id, checked: index === 0 }), said(format.cut(item.question, 220))));
  const other = h("label", { class: "row small" }, h("input", { type: "radio", name: "crux", value: "", checked: found.length === 0 }), "Another question");
  own.addEventListener("input", () => { other.querySelector("input").checked = true; });
  ask("Follow up", [
    h("p", { class: "muted" }, found.length ? "What this debate left open, or a question of your own. The new debate is told what this one concluded." : "The new debate is told what this one concluded."),
    h("fieldset", { class: "stack tight" }, h("legend", { class: "unseen" }, "Question"), choices, other), field("Your question", own),
  ], "Begin", async (dialog) => {
    const crux = dialog.querySelector("input[name=crux]:checked").value;
    const made = await api.post(`/debates/${id}/followup`, crux ? { crux_id: crux } : { question: own.value });
    dialog.close();
    go(`/debates/${made.debate_id ?? made.branch_id ?? made.id}`);
  });
}

function fork(model, go) {
  const point = h("select", Array.from({ length: model.round + 1 }, (_, round) =>
    h("option", { value: round }, round === 0 ? "from the beginning" : `after round ${round}`)));
  const context = h("textarea", { rows: 4, maxlength: 10_000, value: model.context ?? "" });
  const rounds = h("input", { type: "number", min: 1, max: 12, value: model.totalRounds });
  ask("Fork this debate", [
    h("p", { class: "muted" }, "Another debate that shares the rounds up to there, and goes on with what you change."),
    h("div", { class: "fields" }, field("Branch", point), field("Rounds in all", rounds)), field("Context", context),
  ], "Fork", async (dialog) => {
    const changes = {};
    if (context.value !== (model.context ?? "")) changes.context = context.value;
    if (Number(rounds.value) !== model.totalRounds) changes.rounds = Number(rounds.value);
    const made = await api.post(`/debates/${model.id}/fork`, { branch_point: Number(point.value), changes });
    dialog.close();
    go(`/debates/${made.branch_id ?? made.debate_id ?? made.id}`);
  });
}
