// Checks a receipt in the browser, with nothing of the server's but bytes: hashes and signatures by WebCrypto.
//
//   for await (const step of verify(text, { keys })) …   steps {name, state, title, detail}
//     text   a bundle as `GET /receipts/{id}/bundle` answered it, byte for byte (or a receipt alone, or such a file)
//     keys   [{keyID, spki: Uint8Array}] that are trusted
//   state is "good", "bad" or "unknown" (could not be checked: the reason is in `detail`); the last step is named "verdict".
//
// What is checked, and how, is docs/protocol.md, "Verifying": each event's data is hashed as it was received, the header in
// canonical JSON (RFC 8785), so that no rounding or spelling of ours could hide a change.
const UNCOVERED = new Set(["checksum", "signature", "signature_metadata", "verification"]);
const SPOKEN = new Set(["agent_message", "critique", "revision", "vote", "user_message"]);
const encoder = new TextEncoder();

/** Keys of a published PEM text and of /receipts/signing-key. */
export async function publishedKeys(pem, others = []) {
  const texts = [pem, ...others].filter(Boolean);
  const keys = new Map();
  for (const text of texts) {
    const body = /-----BEGIN PUBLIC KEY-----([\s\S]*?)-----END PUBLIC KEY-----/.exec(text)?.[1];
    if (!body) continue;
    const spki = bytesOf(body.replace(/\s/g, ""));
    // The last 32 bytes of the SPKI form are the key itself (RFC 8410 §4).
    const keyID = `ed25519-${hex(await sha(spki.slice(-32))).slice(0, 16)}`;
    keys.set(keyID, { keyID, spki });
  }
  return [...keys.values()];
}

export async function* verify(text, { keys }) {
  if (!globalThis.crypto?.subtle) {
    yield { name: "crypto", state: "unknown", title: "This browser lets the page compute nothing here", detail: "Hashes and signatures need a secure address: https, or localhost. Download the bundle and check it with “aragora receipt verify”." };
    yield { name: "verdict", state: "unknown", title: "Not checked" };
    return;
  }
  const states = [];
  const say = (step) => {
    states.push(step.state);
    return step;
  };
  let bundle;
  try {
    bundle = JSON.parse(text);
  } catch {
    yield { name: "verdict", state: "bad", title: "This is not a receipt", detail: "It is no JSON." };
    return;
  }
  const receipt = bundle.receipt ?? bundle;
  if (!receipt?.receipt_id) {
    yield { name: "verdict", state: "bad", title: "This is not a receipt", detail: "It has no receipt_id." };
    return;
  }
  const covered = canonical(Object.fromEntries(Object.entries(receipt).filter(([key]) => !UNCOVERED.has(key))));
  yield say(await checksumStep(receipt, covered));
  yield say(await signatureStep(receipt, covered, keys));
  if (Array.isArray(bundle.events)) {
    const chain = await chainStep(bundle.events, rawEvents(text, bundle.events.length), receipt.debate_id);
    yield say(chain);
    yield say(await boundStep(receipt, bundle.events, chain.hashes));
  } else {
    yield say({ name: "chain", state: "unknown", title: "No events are in this file", detail: "The receipt alone says what it says; the bundle has the events that it names." });
  }
  if (bundle.log) yield say(await logStep(receipt, covered, bundle.log, keys));
  const isBad = states.includes("bad");
  const isOpen = states.includes("unknown");
  yield {
    name: "verdict", state: isBad ? "bad" : isOpen ? "unknown" : "good",
    title: isBad ? "Not proven: this is not what was sealed" : isOpen ? "Nothing is wrong, but not all could be checked" : "Proven: nothing was changed since it was sealed",
  };
}

async function checksumStep(receipt, covered) {
  const sum = hex(await sha(encoder.encode(covered)));
  return sum === receipt.checksum
    ? { name: "checksum", state: "good", title: "The receipt says what it said", detail: `SHA-256 ${sum}` }
    : { name: "checksum", state: "bad", title: "The receipt was changed", detail: `Its checksum is ${receipt.checksum}, its content has ${sum}.` };
}

async function signatureStep(receipt, covered, keys) {
  const pair = receipt.verification?.ed25519;
  if (!pair) return { name: "signature", state: "unknown", title: "It has no public signature", detail: "The installation had no signing key; its checksum and its events can still be compared." };
  const key = keys.find((one) => one.keyID === pair.key_id);
  if (!key) return { name: "signature", state: "unknown", title: "The key that signed it is not published here", detail: `It names ${pair.key_id}.` };
  const result = await signed(key, pair.signature, covered);
  if (result === null) return { name: "signature", state: "unknown", title: "This browser can not check Ed25519 signatures", detail: "Chrome 137, Firefox 129 and Safari 17 can; or use “aragora receipt verify”." };
  return result
    ? { name: "signature", state: "good", title: "Signed by the published key", detail: `Ed25519, ${pair.key_id}` }
    : { name: "signature", state: "bad", title: "The signature is wrong", detail: `It is not the signature of this content by ${pair.key_id}.` };
}

/** True, false, or null where the browser does not know the algorithm. */
async function signed(key, signature, message) {
  let imported;
  try {
    imported = await crypto.subtle.importKey("spki", key.spki, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return null;
  }
  try {
    return await crypto.subtle.verify({ name: "Ed25519" }, imported, bytesOf(signature), encoder.encode(message));
  } catch {
    return false;
  }
}

async function chainStep(events, raw, debate) {
  const bad = (seq, why) => ({ name: "chain", state: "bad", title: `Event ${seq} is not what was sealed`, detail: why, hashes: [] });
  const hashes = [];
  let previous = await sha(encoder.encode(`aragora:v1:${debate}`));
  let erased = 0;
  for (const [index, event] of events.entries()) {
    const seq = index + 1;
    if (event.seq !== seq) return bad(seq, `Here is event ${event.seq}: one is missing, or they are in another order.`);
    if (event.debate_id !== debate) return bad(seq, "It belongs to another debate.");
    if (event.prev_hash !== hex(previous)) return bad(seq, "It does not name the hash of the event before it.");
    const isErased = "data_hash" in event;
    if (isErased) erased += 1;
    if (isErased && canonical(event.data) !== canonical({ debate_id: debate, erased: true })) return bad(seq, "It says that it was erased, and has content.");
    const dataHash = isErased ? event.data_hash : hex(await sha(unhex(event.salt), encoder.encode(raw?.[index] ?? canonical(event.data))));
    const header = canonical({ agent: event.agent, at: event.timestamp, data_hash: dataHash, debate_id: event.debate_id, epoch: event.epoch, round: event.round, seq: event.seq, type: event.type, v: event.v });
    const hash = await sha(previous, encoder.encode(header));
    if (hex(hash) !== event.hash) return bad(seq, `Its content gives the hash ${hex(hash).slice(0, 16)}…, it says ${event.hash.slice(0, 16)}….`);
    hashes.push(hash);
    previous = hash;
  }
  return {
    name: "chain", state: "good", hashes, title: `${events.length} events, each linked to the one before`,
    detail: erased ? `${erased} of them were erased; their places and hashes are unbroken.` : `The last hash is ${hex(previous)}`,
  };
}

async function boundStep(receipt, events, hashes) {
  const title = "The receipt names another log";
  const bad = (detail) => ({ name: "bound", state: "bad", title, detail });
  if (hashes.length === 0) return bad("The events could not be followed.");
  if (receipt.event_count !== events.length) return bad(`It names ${receipt.event_count} events, here are ${events.length}.`);
  if (receipt.head_hash !== hex(hashes.at(-1))) return bad("Its last event has another hash.");
  const spoken = hashes.filter((_, index) => SPOKEN.has(events[index].type));
  if (receipt.transcript_hash !== hex(await sha(...spoken))) return bad("Its transcript is another one.");
  const leaves = await Promise.all(hashes.map((hash) => sha(Uint8Array.of(0), hash)));
  if (receipt.events_root !== hex(await root(leaves))) return bad("Its tree of events has another root.");
  return { name: "bound", state: "good", title: "These are the events that it names", detail: "Count, last hash, transcript and Merkle root agree." };
}

async function logStep(receipt, covered, log, keys) {
  const bad = (detail) => ({ name: "log", state: "bad", title: "It is not where it says in the receipt log", detail });
  const { key_id: keyID, signature, ...head } = log.head ?? {};
  const sums = receipt.redacted === true
    ? [receipt.original_checksum, receipt.checksum] : [receipt.checksum, hex(await sha(encoder.encode(canonical(redacted(receipt)))))];
  const leaf = canonical({ receipt_id: receipt.receipt_id, checksum: sums[0], redacted_checksum: sums[1], v: 1 });
  const path = (log.inclusion ?? []).map(unhex);
  const top = await inclusion(await sha(Uint8Array.of(0), encoder.encode(leaf)), log.leaf_index, head.tree_size, path);
  if (!top || hex(top) !== head.root_hash) return bad("Its place does not lead to the root that was signed.");
  const key = keys.find((one) => one.keyID === keyID);
  const result = key ? await signed(key, signature, canonical(head)) : null;
  if (result === false) return bad("The head of the log has a wrong signature.");
  const place = `Number ${log.leaf_index + 1} of ${head.tree_size}, head of ${head.timestamp}`;
  return result
    ? { name: "log", state: "good", title: "It is in the receipt log", detail: place }
    : { name: "log", state: "unknown", title: "It is in a receipt log whose head could not be checked", detail: place };
}

/** The receipt without texts, which the log names too, so that erasing them breaks nothing. */
function redacted(receipt) {
  const copy = Object.fromEntries(Object.entries(receipt).filter(([key]) => !UNCOVERED.has(key)));
  for (const key of ["input_summary", "input_hash", "final_answer", "final_answer_hash", "reason", "salt"]) copy[key] = null;
  copy.consensus = { ...copy.consensus, votes: (copy.consensus?.votes ?? []).map((vote) => ({ ...vote, reasoning: null })) };
  copy.dissenting_views = (copy.dissenting_views ?? []).map((view) => ({ ...view, reasoning: null }));
  if ("judgement" in copy) copy.judgement = { ...copy.judgement, dissent: null };
  return { ...copy, original_checksum: receipt.checksum, redacted: true };
}

// --- Merkle trees of RFC 6962

const half = (count) => 2 ** (Math.ceil(Math.log2(count)) - 1);

async function root(leaves) {
  if (leaves.length === 0) return sha();
  if (leaves.length === 1) return leaves[0];
  const left = half(leaves.length);
  return sha(Uint8Array.of(1), await root(leaves.slice(0, left)), await root(leaves.slice(left)));
}

async function inclusion(leaf, index, size, path) {
  if (!(index >= 0 && index < size) || (size > 1) !== path.length > 0) return null;
  if (size === 1) return leaf;
  const left = half(size);
  const rest = path.slice(0, -1);
  const inner = index < left ? await inclusion(leaf, index, left, rest) : await inclusion(leaf, index - left, size - left, rest);
  if (!inner) return null;
  return index < left ? sha(Uint8Array.of(1), inner, path.at(-1)) : sha(Uint8Array.of(1), path.at(-1), inner);
}

// --- bytes

/** RFC 8785: keys by UTF-16 code units, numbers and strings as ECMAScript writes them. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

async function sha(...pieces) {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(String(text).match(/../g) ?? [], (pair) => parseInt(pair, 16));
const bytesOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/**
 * The `data` of each event as its bytes came, or null when the text is not in the form that the API sends (a file that
 * somebody formatted): then canonical JSON has to do.
 */
function rawEvents(text, count) {
  const start = text.indexOf('"events":[{"v":1,');
  if (start < 0) return null;
  const found = [];
  let depth = 0;
  let began = 0;
  for (let at = start + 10; at < text.length && found.length <= count; at += 1) {
    const character = text[at];
    if (character === '"') {
      for (at += 1; text[at] !== '"'; at += 1) if (text[at] === "\\") at += 1;
    } else if (character === "{") {
      if (depth === 0) began = at;
      depth += 1;
    } else if (character === "}") {
      depth -= 1;
      if (depth === 0) found.push(dataOf(text.slice(began, at + 1)));
    } else if (character === "]" && depth === 0) {
      break;
    }
  }
  return found.length === count && !found.includes(null) ? found : null;
}

/** Keys stand in one order, and no text can have `,"data":` with bare quotation marks in it. */
function dataOf(envelope) {
  const from = envelope.indexOf(',"data":');
  const to = envelope.lastIndexOf(',"hash":"');
  return from > 0 && to > from ? envelope.slice(from + 8, to) : null;
}
