// Proofs about the receipt log, checked in the browser: RFC 6962 over SHA-256, heads signed by Ed25519.

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const hex = (array) => Array.from(array, (byte) => byte.toString(16).padStart(2, "0")).join("");
const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

async function node(left, right) {
  const input = new Uint8Array(65);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 33);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", input));
}

/** Whether the tree of `larger` begins with that of `smaller` (RFC 9162 §2.1.4.2). Both are {tree_size, root_hash}. */
export async function consistent(smaller, larger, path) {
  let [first, second] = [smaller.tree_size - 1, larger.tree_size - 1];
  if (smaller.tree_size <= 0 || first >= second) return false;
  const proof = path.map(bytes);
  if (proof.some((part) => part.length !== 32)) return false;
  if (Number.isInteger(Math.log2(smaller.tree_size))) proof.unshift(bytes(smaller.root_hash));
  if (proof.length === 0) return false;
  while (first % 2 === 1) [first, second] = [Math.floor(first / 2), Math.floor(second / 2)];
  let [before, after] = [proof[0], proof[0]];
  for (const part of proof.slice(1)) {
    if (second === 0) return false;
    if (first % 2 === 1 || first === second) {
      before = await node(part, before);
      after = await node(part, after);
      while (first % 2 === 0 && first !== 0) [first, second] = [Math.floor(first / 2), Math.floor(second / 2)];
    } else {
      after = await node(after, part);
    }
    [first, second] = [Math.floor(first / 2), Math.floor(second / 2)];
  }
  return second === 0 && hex(before) === smaller.root_hash && hex(after) === larger.root_hash;
}

/** "good", "wrong", "unknown" (no such key), "unsigned", or "unable" where the browser has no Ed25519. */
export async function signed(head, keys) {
  if (!head.signature) return "unsigned";
  const key = keys.find((one) => one.key_id === head.key_id && one.algorithm === "Ed25519");
  if (!key) return "unknown";
  const { origin, root_hash: root, timestamp, tree_size: size, type, v } = head;
  const covered = new TextEncoder().encode(JSON.stringify({ origin, root_hash: root, timestamp, tree_size: size, type, v }));
  try {
    const imported = await crypto.subtle.importKey("raw", fromBase64(key.public_key), "Ed25519", false, ["verify"]);
    return (await crypto.subtle.verify("Ed25519", imported, fromBase64(head.signature), covered)) ? "good" : "wrong";
  } catch {
    return "unable";
  }
}
