// One debate: live while it runs, as it was when it is over.
import * as api from "../lib/api.js";
import { EventStream } from "../lib/socket.js";
import { Screen } from "../debate/screen.js";
import { cut } from "../lib/format.js";

export default async function view(page) {
  const record = await api.get(`/debates/${encodeURIComponent(page.params.id)}`, { signal: page.signal });
  page.title = cut(record.title ?? record.task, 60);
  const screen = new Screen(record, { signal: page.signal, go: page.go });
  const stream = new EventStream(record.debate_id, {
    onevent: (event) => screen.take(event),
    ontext: (message) => screen.text(message),
    onreset: () => screen.reset(),
    onstate: (state) => screen.linkState(state),
  });
  page.onleave(() => stream.close());
  return screen.element;
}
