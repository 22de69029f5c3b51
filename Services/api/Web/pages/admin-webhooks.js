// Webhooks: who is told of what, what was sent, what could not be and can be sent again.
import { h, said } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as notice from "../lib/notice.js";
import { empty, menu } from "../lib/parts.js";
import { ago, cut, moment } from "../lib/format.js";
import { ask, button, card, facts, once, part, repeat, state, sure, table } from "./kit.js";

const PAGE = 100;
const REFRESH_S = 15;
const DELIVERY = { pending: ["waiting", "Waiting"], delivered: ["good", "Delivered"], dead: ["bad", "Given up"] };

export default async function view(page) {
  const options = { query: { limit: PAGE }, signal: page.signal };
  const { events, groups } = await api.get("/webhooks/events", { signal: page.signal });
  const dead = await part(() => api.get("/webhooks/dead-letter", options), drawDead);
  const list = await part(() => api.get("/webhooks", options), (found, again) => draw(found, again, page));
  repeat(page, REFRESH_S, () => dead.again());
  return h("section", { class: "stack wide" },
    h("div", { class: "row spread" }, h("h1", "Webhooks"), button("Add a webhook", () => add(events, groups, list.again), { kind: "primary" })), dead, list);
}

function draw({ webhooks }, again, page) {
  if (webhooks.length === 0) return empty("Nobody is told", "A webhook is told by a signed request when a debate ends, as soon as it does.");
  return h("div", { class: "stack" }, webhooks.map((hook) => drawOne(hook, again, page)));
}

function drawOne(hook, again, page) {
  const sent = h("div", { class: "part" });
  return h("article", { class: "card stack", "aria-label": hook.url },
    h("div", { class: "row spread" }, h("h2", { class: "address" }, said(cut(hook.url, 120))), state(hook.active ? "good" : "", hook.active ? "On" : "Off")),
    facts([["About", hook.description && said(hook.description)], ["Told of", hook.events.map((name, index) => [index > 0 && ", ", said(name)])],
      ["Headers", hook.header_names.length ? said(hook.header_names.join(", ")) : null], ["Made", `${ago(hook.created_at)}`]]),
    h("div", { class: "row" },
      button("Send a test", async () => {
        await api.post(`/webhooks/${hook.id}/test`);
        notice.show("A test is on its way.", "good");
        await deliveries(hook, sent, page);
      }),
      button("What was sent", () => deliveries(hook, sent, page)),
      menu("More", [
        { text: hook.active ? "Switch off" : "Switch on", work: async () => {
          await api.patch(`/webhooks/${hook.id}`, { active: !hook.active });
          await again();
        } },
        { text: "Delete", kind: "danger", work: () => sure("Delete this webhook?", `${cut(hook.url, 90)} is told of nothing more. What was not delivered is deleted too.`, "Delete", async () => {
          await api.del(`/webhooks/${hook.id}`);
          await again();
        }) },
      ])), sent);
}

async function deliveries(hook, holder, page) {
  const { deliveries: rows } = await api.get(`/webhooks/${hook.id}/deliveries`, { query: { limit: 20 }, signal: page.signal });
  holder.replaceChildren(rows.length === 0 ? h("p", { class: "muted" }, "Nothing was sent to it yet.") : letters(rows, "The last twenty deliveries"));
}

function letters(rows, caption, action) {
  return table({ caption, rows, columns: [
    { title: "Event", cell: (row) => [said(row.event), row.debate_id && h("a", { class: "small block", href: `/debates/${row.debate_id}` }, "debate")] },
    { title: "State", cell: (row) => state(...(DELIVERY[row.status] ?? ["", row.status])) },
    { title: "Attempts", numeric: true, cell: (row) => row.attempts },
    { title: "Answer", cell: (row) => (row.error ? said(cut(row.error, 120)) : row.last_status) },
    { title: "Made", cell: (row) => h("time", { datetime: row.created_at, title: moment(row.created_at) }, ago(row.created_at)) },
    action && { title: "", cell: action },
  ].filter(Boolean) });
}

function drawDead({ deliveries: rows, dead_letters: others }, again) {
  const list = rows ?? others ?? [];
  if (list.length === 0) return null;
  return card("Given up", h("p", { class: "muted" }, "Deliveries that no attempt got through. Sending again keeps the message’s id, so a receiver that had it drops it."),
    letters(list, "Deliveries that were given up", (row) => button("Send again", async () => {
      await api.post(`/webhooks/dead-letter/${encodeURIComponent(row.id)}/retry`);
      notice.show("It is sent again.", "good");
      await again();
    }, { name: `Send ${row.event} of ${moment(row.created_at)} again` })));
}

async function add(events, groups, again) {
  let made = null;
  await ask({ title: "Add a webhook", verb: "Add",
    fields: [
      { name: "url", label: "Address", type: "url", required: true, placeholder: "https://", maxlength: 2048, autocomplete: "off" },
      { name: "description", label: "What it is for", maxlength: 200, autocomplete: "off" },
      { name: "events", type: "choices", label: "Tell of", value: ["debate_end"], options: [
        ...groups.map((name) => [name, name, name === "*" ? "Everything." : "Every end of a debate."]), ...events.map((event) => [event.name, event.name, event.description])] },
    ],
    submit: async (wish) => {
      made = await api.post("/webhooks", { url: wish.url, events: wish.events, ...(wish.description && { description: wish.description }) });
      await again();
    } });
  if (made?.secret) await once("The webhook’s secret", made.secret, "Deliveries are signed with it, so that the receiver knows they are ours. It is shown this once.");
}
