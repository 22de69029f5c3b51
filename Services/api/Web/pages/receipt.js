import { h } from "../lib/dom.js";
import { empty } from "../lib/parts.js";

export const title = "Receipt";

export default async function view() {
  return h("div", h("h1", title), empty("Not built yet", "This view is on its way."));
}
