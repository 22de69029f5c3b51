// What a person may do to a debate that runs: pause, resume, cancel, say something. A card for the side.
//
//   const controls = new Controls(id);  controls.element;  controls.update(model)
import { h } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as notice from "../lib/notice.js";
import { confirmed, field } from "../lib/parts.js";

export class Controls {
  #id;

  constructor(id) {
    this.#id = id;
    this.pause = h("button", { type: "button", onclick: () => this.#act("pause") }, "Pause");
    this.resume = h("button", { type: "button", class: "primary", hidden: true, onclick: () => this.#act("resume") }, "Resume");
    this.cancel = h("button", { type: "button", class: "danger", onclick: () => this.#cancel() }, "Cancel");
    this.element = h("section", { class: "side-card no-print", "aria-label": "Take part" },
      h("h2", "Take part"), this.#remark(), h("div", { class: "row" }, this.pause, this.resume, this.cancel));
  }

  update(model) {
    this.element.hidden = model.isOver;
    this.pause.hidden = model.status === "paused";
    this.resume.hidden = model.status !== "paused";
  }

  #remark() {
    const text = h("textarea", { rows: 2, maxlength: 10_000, required: true, placeholder: "Consider the cost of leaving…" });
    const rule = h("input", { type: "checkbox", id: "remark-constraint" });
    const send = h("button", { type: "submit", class: "quiet" }, "Add remark");
    const labelled = field("Remark for the panel", text, { hint: "Prompts quote it from the next round on." });
    return h("form", { class: "stack tight", onsubmit: async (event) => {
      event.preventDefault();
      const content = text.value.trim();
      if (!content) return;
      send.disabled = true;
      try {
        await api.post(`/debates/${this.#id}/messages`, { content, role: rule.checked ? "constraint" : "user" });
        text.value = "";
        rule.checked = false;
        labelled.refuse(null);
        notice.show("The panel will read it from the next round on.", "good");
      } catch (error) {
        labelled.refuse(error.fields?.content ?? error.message);
      } finally {
        send.disabled = false;
      }
    } }, labelled, h("div", { class: "row spread" },
      h("label", { class: "row small", for: rule.id }, rule, "Must be met"), send));
  }

  async #act(what) {
    try {
      await api.post(`/debates/${this.#id}/${what}`);
    } catch (error) {
      notice.show(error.message, "bad");
    }
  }

  async #cancel() {
    if (!(await confirmed("Cancel this debate?", "Cancel it", { detail: "It ends now, without a decision and without a receipt. What was said so far stays.", isDanger: true }))) return;
    await this.#act("cancel");
  }
}
