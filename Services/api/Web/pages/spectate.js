// What a shared link shows, to whoever has it: one debate, live or over, to be looked at and not touched.
//
// /spectate/<token of a link> needs no credential: the gateway, and the API where no socket opens, show the one debate to who has
// the token, as long as it holds. /spectate/<id of a debate>, which the API names when a debate is made, is the same view with the visitor's own credential.
import { h, said } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as format from "../lib/format.js";
import { EventStream } from "../lib/socket.js";
import { Screen } from "../debate/screen.js";

export default async function view(page) {
  const name = encodeURIComponent(page.params.id);
  const isDebate = page.params.id.startsWith("dbt_");
  const shared = isDebate ? null : await api.get(`/shared/${name}`, { signal: page.signal, anonymous: true });
  const record = shared?.debate ?? (await api.get(`/debates/${name}`, { signal: page.signal }));
  page.title = format.cut(record.title ?? record.task, 60);
  const screen = new Screen(record, { signal: page.signal, go: page.go, canAct: false });
  const stream = new EventStream(record.debate_id ?? record.id, {
    link: shared ? page.params.id : null,
    onevent: (event) => screen.take(event),
    ontext: (message) => screen.text(message),
    onreset: () => screen.reset(),
    onstate: (state) => screen.linkState(state),
  });
  page.onleave(() => stream.close());
  return h("div", { class: "stack wide" },
    h("p", { class: "notice info" }, h("span", "You are looking at a debate that was shared with you", shared && [" until ", said(format.moment(shared.expires_at))], ". ", h("a", { href: "/" }, "What is this?"))),
    screen.element);
}
