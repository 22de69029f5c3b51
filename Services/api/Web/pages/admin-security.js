// Security: the keys that stored secrets are sealed under, what is left under an older one, and sealing anew.
import { h, said, visible } from "../lib/dom.js";
import * as api from "../lib/api.js";
import * as notice from "../lib/notice.js";
import { ago, count, day, duration, moment, plural } from "../lib/format.js";
import { button, card, figure, figures, part, repeat, state, sure, table } from "./kit.js";

const REFRESH_S = 5;
const KEYS = { current: ["good", "In use"], previous: ["warn", "Still opens"], unreadable: ["bad", "Not set: what is under it can not be read"], retired: ["", "Retired"] };
const ROTATIONS = { completed: ["good", "Done"], in_progress: ["live", "Under way"], failed: ["bad", "Failed"] };

export default async function view(page, may) {
  const options = { signal: page.signal };
  const keys = await part(async () => {
    try {
      return await api.get("/admin/security/keys", options);
    } catch (error) {
      if (error.code === "not_configured") return null;
      throw error;
    }
  }, (found, again) => drawKeys(found, may, () => Promise.all([again(), rotations.again()])));
  const rotations = await part(() => api.get("/admin/security/rotation-status", options), drawRotations);
  repeat(page, REFRESH_S, () => Promise.all([keys.again(), rotations.again()]));
  return h("section", { class: "stack wide" }, h("h1", "Security"), keys, rotations,
    h("p", { class: "muted small" }, "Second factors, callback addresses and webhooks’ secrets are stored sealed. Keys are made and handed out by the operator as settings, never here; the command ", h("code", "aragora keys status"), " tells the same."));
}

function drawKeys(found, may, again) {
  if (!found) return h("p", { class: "notice warn", role: "status" }, "No encryption key is set that outlives the process: second factors and webhooks can not be kept. The setting is ARAGORA_ENCRYPTION_KEY.");
  const current = found.keys.find((key) => key.state === "current");
  const lost = found.keys.filter((key) => key.state === "unreadable" && key.secrets > 0);
  const older = found.keys.filter((key) => key.state !== "current").reduce((sum, key) => sum + key.secrets, 0);
  return h("div", { class: "stack" },
    lost.length > 0 && h("p", { class: "notice bad", role: "status" }, `${plural(lost.reduce((sum, key) => sum + key.secrets, 0), "secret")} can not be read: their key is not set.`),
    isDue(found) && h("p", { class: "notice warn", role: "status" }, `The key should have been changed by ${day(found.rotation_due_at)}.`),
    figures(
      figure(current ? visible(current.version) : "–", "version of the key in use", { note: current?.activated_at && `since ${day(current.activated_at)}` }),
      figure(count(current?.secrets ?? 0), "secrets sealed under it", { kind: older === 0 ? "good" : "" }),
      figure(count(older), "secrets under older keys", { kind: older > 0 ? "warn" : "", note: previous(found) }),
      figure(found.rotation_due_at ? day(found.rotation_due_at) : "–", "next change is due", { kind: isDue(found) ? "warn" : "" })),
    card("Encryption keys",
      table({ caption: "Encryption keys by version", rows: found.keys, columns: [
        { title: "Version", cell: (key) => h("code", visible(key.version)) },
        { title: "State", cell: (key) => state(...(KEYS[key.state] ?? ["", visible(key.state)])) },
        { title: "In use since", cell: (key) => key.activated_at && h("time", { datetime: key.activated_at, title: moment(key.activated_at) }, ago(key.activated_at)) },
        { title: "Secrets", numeric: true, cell: (key) => count(key.secrets) },
        { title: "Where", cell: (key) => stores(key.by_store) },
      ] }),
      may.has("admin.manage") && h("div", { class: "row end" }, button("Seal everything anew", () => sure("Seal every stored secret under the key in use?",
        "Nothing is lost if it stops half-way, and nothing happens to what is sealed under it already.", "Seal anew", async () => {
          const outcome = await api.post("/admin/security/rotate-key", { key_type: "encryption" });
          notice.show(outcome.message, outcome.status === "failed" ? "bad" : "good");
          await again();
        })))));
}

const isDue = (found) => found.rotation_due_at !== null && new Date(found.rotation_due_at) < new Date();

function previous(found) {
  if (found.previous_needed) return "the previous key is still needed";
  return found.previous_removable_at ? `the previous key may go from ${day(found.previous_removable_at)}` : null;
}

function stores(counts) {
  const kept = Object.entries(counts).filter(([, rows]) => rows > 0);
  return kept.length === 0 ? null : kept.map(([name, rows]) => h("span", { class: "block small" }, h("code", visible(name)), ` ${count(rows)}`));
}

function drawRotations({ rotations }) {
  return card("Rotations",
    rotations.length === 0 ? h("p", { class: "muted" }, "No secret was sealed anew yet: there was one key only.")
      : table({ caption: "The newest rotations", rows: rotations, columns: [
        { title: "Begun", cell: (row) => h("time", { datetime: row.started_at, title: moment(row.started_at) }, ago(row.started_at)) },
        { title: "State", cell: (row) => [state(...(ROTATIONS[row.status] ?? ["", visible(row.status)])), row.reason && h("span", { class: "small bad-text block" }, said(row.reason))] },
        { title: "Key", cell: (row) => h("code", visible(row.key_version)) },
        { title: "By", cell: (row) => said(row.requested_by) },
        { title: "Sealed anew", numeric: true, cell: (row) => count(row.resealed) },
        { title: "Unreadable", numeric: true, cell: (row) => count(row.unreadable) },
        { title: "Took", numeric: true, cell: (row) => row.ended_at && duration((new Date(row.ended_at) - new Date(row.started_at)) / 1000) },
      ] }));
}
