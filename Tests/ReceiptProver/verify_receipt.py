#!/usr/bin/env python3
"""A second verifier of Aragora's receipts, which shares nothing with the first.

    verify_receipt.py FILE [--key PEM_FILE] [--secret HEX] [--head FILE]     exit code 0: proven

FILE is a receipt, or a bundle of it with events and proofs. Checked: checksum, HMAC-SHA256 and Ed25519 over canonical JSON
(RFC 8785), the signatures it carries for its redacted form, chain and Merkle root of its events, its place in the log.
"""
import argparse, base64, hashlib, hmac, json, re, sys
from datetime import datetime
from decimal import Decimal

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

UNCOVERED = ("checksum", "signature", "signature_metadata", "verification")
SPOKEN = ("agent_message", "critique", "revision", "vote", "user_message")
ENVELOPE = set("v type debate_id loop_id seq epoch round agent timestamp data hash prev_hash salt".split())

def sha(*pieces): return hashlib.sha256(b"".join(pieces)).digest()
def half(count): return 1 << (count - 1).bit_length() - 1  # where RFC 6962 splits a tree
def jcs(value): return canonical(value).encode()
def need(holds, why):
    if not holds: raise ValueError(why)

def number(value):
    if value == int(value): return str(int(value))
    if abs(value) >= 1e-6: return format(Decimal(repr(value)), "f")
    return "{}e{}".format(repr(value).split("e")[0], int(repr(value).split("e")[1]))

def canonical(value):
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number(value)
    if isinstance(value, list): return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, dict):
        order = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{" + ",".join(canonical(k) + ":" + canonical(v) for k, v in order) + "}"
    return json.dumps(value, ensure_ascii=False)

def clean(value):  # NUL and lone surrogates become U+FFFD
    if isinstance(value, list): return [clean(item) for item in value]
    return re.sub("[\0\ud800-\udfff]", "\ufffd", value) if isinstance(value, str) else value

def members(pairs):
    pairs = [(clean(k), clean(v)) for k, v in pairs]
    need(len(dict(pairs)) == len(pairs), "a key twice")
    return dict(pairs)

def parse(data):
    def bounded(text):
        value = float(text) if re.search("[.eE]", text) else int(text)
        need(abs(value) < 2**53, "a number out of range")
        return value

    return clean(json.loads(data.decode(), object_pairs_hook=members, parse_float=bounded, parse_int=bounded, parse_constant=bounded))

def digest(text, length=32):
    need(isinstance(text, str) and re.fullmatch("[0-9a-f]{%d}" % (2 * length), text), "no hash")
    return bytes.fromhex(text)

def root(leaves):
    if len(leaves) < 2: return leaves[0] if leaves else sha()
    return sha(b"\1", root(leaves[:half(len(leaves))]), root(leaves[half(len(leaves)):]))

def inclusion(leaf, index, size, path):
    need(0 <= index < size and (size > 1) == bool(path), "no such leaf, or a path of another length")
    if size == 1: return leaf
    left = half(size)
    if index < left: return sha(b"\1", inclusion(leaf, index, left, path[:-1]), path[-1])
    return sha(b"\1", path[-1], inclusion(leaf, index - left, size - left, path[:-1]))

def consistency(first, size, path, known=None):  # roots of the first tree and of the second; known: the first's own
    if first == size:
        need(len(path) == (known is None), "a path of another length")
        return (known or path[0],) * 2
    need(0 < first < size and path, "a path of another length")
    left = half(size)
    if first <= left:
        older, newer = consistency(first, left, path[:-1], known)
        return older, sha(b"\1", newer, path[-1])
    older, newer = consistency(first - left, size - left, path[:-1])
    return sha(b"\1", path[-1], older), sha(b"\1", path[-1], newer)

class Verifier:
    def __init__(self, secrets, pems):
        self.secrets = {"hmac-" + sha(secret).hex()[:8]: secret for secret in secrets}
        keys = [load_pem_public_key(pem) for pem in pems]
        self.open = {"ed25519-" + sha(k.public_bytes(Encoding.Raw, PublicFormat.Raw)).hex()[:16]: k for k in keys}
    def check(self, keys, signature, key_id, message):  # whether there was a key to check it with
        raw = base64.b64decode(signature, validate=True)
        need(base64.b64encode(raw).decode() == signature, "another spelling")
        if keys and keys is self.open: keys[key_id].verify(raw, message)
        elif keys: need(hmac.compare_digest(hmac.digest(keys[key_id], message, "sha256"), raw), "HMAC")
        return bool(keys)
    def receipt(self, receipt):  # the leaf of the log
        covered = jcs({k: v for k, v in receipt.items() if k not in UNCOVERED})
        need(receipt["checksum"] == sha(covered).hex() and receipt["schema_version"] == "1.1", "checksum or version")
        ids = receipt["receipt_id"] + receipt["debate_id"]
        need(re.fullmatch("rcp_[0-7][0-9a-hjkmnp-tv-z]{25}dbt_[0-7][0-9a-hjkmnp-tv-z]{25}", ids), "ids")
        is_redacted = receipt.get("redacted") is True
        secret_id, pair = receipt["signature_metadata"]["key_id"], receipt["verification"]["ed25519"]
        metadata = {"algorithm": "HMAC-SHA256", "key_id": secret_id, "version": "1.0", "timestamp": receipt["timestamp"]}
        need(receipt["signature_metadata"] == metadata, "signature_metadata")
        need(set(receipt["verification"]) == {"ed25519"} | (set() if is_redacted else {"redacted"}), "verification")
        need(set(pair) == {"algorithm", "key_id", "signature"} and pair["algorithm"] == "Ed25519", "verification")
        proven = [self.check(self.secrets, receipt["signature"], secret_id, covered),
                  self.check(self.open, pair["signature"], pair["key_id"], covered)]
        need(any(proven), "no key to check it with")
        sums = receipt.get("original_checksum"), receipt["checksum"]
        if not is_redacted:
            carried, message = receipt["verification"]["redacted"], jcs(redacted(receipt))
            need(set(carried) == {"ed25519", "signature"}, "verification")
            self.check(self.secrets, carried["signature"], secret_id, message)
            self.check(self.open, carried["ed25519"], pair["key_id"], message)
            sums = receipt["checksum"], sha(message).hex()
        return jcs({"receipt_id": receipt["receipt_id"], "checksum": sums[0], "redacted_checksum": sums[1], "v": 1})
    def head(self, head):
        covered = {k: v for k, v in head.items() if k not in ("key_id", "signature")}
        need(set(covered) == {"origin", "root_hash", "timestamp", "tree_size", "type", "v"}, "head")
        need(covered["type"] == "aragora-tree-head" and covered["v"] == 1, "head")
        self.check(self.open, head["signature"], head["key_id"], jcs(covered))
        return head["tree_size"], digest(head["root_hash"])
    def log(self, leaf, proof, trusted):
        need(set(proof) <= {"head", "inclusion", "leaf_index", "consistency"}, "a member that is not checked")
        size, top = self.head(proof["head"])
        need(inclusion(sha(b"\0", leaf), proof["leaf_index"], size, list(map(digest, proof["inclusion"]))) == top, "not in the log")
        need(trusted or "consistency" not in proof, "nothing to compare with")
        if trusted:
            (old, known), part = self.head(trusted), proof.get("consistency", {"first": None, "path": []})
            need(proof["head"]["origin"] == trusted["origin"] and size >= old, "another log, or rolled back")
            need(set(part) == {"first", "path"} and part["first"] in (old, None if size == old else old), "consistency")
            need(consistency(old, size, list(map(digest, part["path"])), known) == (known, top), "not the same log")
        return f"{int(proof['leaf_index'])} of {int(size)}"
    def bundle(self, data, trusted=None):
        file = parse(data)
        if "receipt" not in file: file = {"bundle_version": 1, "receipt": file}
        need(set(file) <= {"bundle_version", "receipt", "events", "excerpts", "log"}, "a member that is not checked")
        need(file["bundle_version"] == 1 and not ("events" in file and "excerpts" in file), "bundle_version, or too much")
        receipt, chain, log = file["receipt"], "none", "none"
        leaf, count = self.receipt(receipt), receipt["event_count"]
        for last, excerpt in zip([{"seq": 0}] + [e["event"] for e in file.get("excerpts", [])], file.get("excerpts", [])):
            need(set(excerpt) == {"event", "path"} and excerpt["event"]["seq"] > last["seq"], "excerpts")
            proof = sha(b"\0", event(excerpt["event"], receipt)), excerpt["event"]["seq"] - 1, count
            need(inclusion(*proof, list(map(digest, excerpt["path"]))) == digest(receipt["events_root"]), "no event of it")
        if "excerpts" in file: chain = f"excerpts {len(file['excerpts'])}"
        if "events" in file:
            hashes = follow(file["events"], receipt)
            spoken = [h for h, e in zip(hashes, file["events"]) if e["type"] in SPOKEN]
            need(len(hashes) == count and hashes[-1] == digest(receipt["head_hash"]), "another log")
            need(sha(*spoken) == digest(receipt["transcript_hash"]), "another transcript")
            need(root([sha(b"\0", h) for h in hashes]) == digest(receipt["events_root"]), "another root")
            chain = "valid"
        need(trusted is None or "log" in file, "no proof is here")
        if "log" in file: log = self.log(leaf, file["log"], trusted)
        return chain, log

def redacted(receipt):  # the receipt without texts, and without plain hashes of them
    copy = {k: v for k, v in receipt.items() if k not in UNCOVERED}
    copy.update(dict.fromkeys(("input_summary", "input_hash", "final_answer", "final_answer_hash", "reason", "salt")))
    copy["consensus"] = dict(copy["consensus"], votes=[dict(v, reasoning=None) for v in copy["consensus"]["votes"]])
    copy["dissenting_views"] = [dict(view, reasoning=None) for view in copy["dissenting_views"]]
    if "judgement" in copy: copy["judgement"] = dict(copy["judgement"], dissent=None)
    return dict(copy, original_checksum=receipt["checksum"], redacted=True)

def event(event, receipt):
    is_erased, at, debate = "data_hash" in event, event["timestamp"], receipt["debate_id"]
    need(set(event) == ENVELOPE | ({"data_hash"} if is_erased else set()) and isinstance(event["data"], dict), "members")
    need(event["debate_id"] == event["loop_id"] == debate and event["v"] == 1, "another debate")
    need(re.fullmatch(r"[0-9]{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", at, re.A) and datetime.fromisoformat(at[:-1]), "time")
    need(not is_erased or event["salt"] == "" and event["data"] == {"debate_id": debate, "erased": True}, "erased")
    data_hash = digest(event["data_hash"]) if is_erased else sha(digest(event["salt"], 16), jcs(event["data"]))
    head = {k: event[k] for k in ("v", "debate_id", "seq", "type", "round", "agent", "epoch")}
    computed = sha(digest(event["prev_hash"]), jcs(dict(head, at=at, data_hash=data_hash.hex())))
    need(computed == digest(event["hash"]), "hash")
    return computed

def follow(events, receipt):
    previous, hashes = sha(b"aragora:v1:", receipt["debate_id"].encode()), []
    for seq, item in enumerate(events, start=1):
        need(item["seq"] == seq and digest(item["prev_hash"]) == previous, "not linked")
        previous = event(item, receipt)
        hashes.append(previous)
    for one, other in zip(events, events[1:]):
        need(one["type"] != "debate_end" and one["epoch"] <= other["epoch"] and one["timestamp"] <= other["timestamp"], "order")
    return hashes

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("file", "--head"): parser.add_argument(option)
    for option in ("--key", "--secret"): parser.add_argument(option, action="append", default=[])
    given = parser.parse_args()
    verifier = Verifier([bytes.fromhex(s) for s in given.secret], [open(path, "rb").read() for path in given.key])
    read = lambda path: open(path, "rb").read()
    try:
        print("proven; events: %s; log: %s" % verifier.bundle(read(given.file), given.head and parse(read(given.head))))
    except Exception as error:
        sys.exit(f"not proven: {error!r}")

if __name__ == "__main__":
    main()
