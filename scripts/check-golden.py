#!/usr/bin/env python3
"""Checks the golden samples of canonical JSON, event chains and receipts with a second implementation: this one.

RFC 8785 in plain Python and hashlib, sharing no code with the Swift side. Run with --write to make
Tests/Golden/canonical_json.jsonl anew; the same bytes come out each time.
"""
import base64
import hashlib
import hmac
import json
import os
import random
import struct
import sys

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Tests", "Golden")
MAXIMUM_INTEGER = 2**53 - 1


# RFC 8785

def clean(text):
    """NUL and lone surrogates become U+FFFD, as the product does at its edge."""
    return "".join("\ufffd" if c == "\0" or 0xD800 <= ord(c) <= 0xDFFF else c for c in text)


def string(text):
    short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
    return '"' + "".join(short.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in clean(text)) + '"'


def number(value):
    """ECMAScript's Number::toString: the digits of repr(), which are the shortest, with its own point and exponent."""
    if isinstance(value, int):
        return str(value)
    if value == 0:
        return "0"
    sign, value = ("-", -value) if value < 0 else ("", value)
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    point = len(whole) + int(exponent or 0) - (len(digits) - len(digits.lstrip("0")))
    digits = digits.strip("0")
    k = len(digits)
    if k <= point <= 21:
        return sign + digits + "0" * (point - k)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    mantissa = digits if k == 1 else digits[0] + "." + digits[1:]
    return f"{sign}{mantissa}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def canonical(value):
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, str):
        return string(value)
    if isinstance(value, list):
        return "[" + ",".join(canonical(v) for v in value) + "]"
    members = sorted(((clean(k), v) for k, v in value.items()), key=lambda m: m[0].encode("utf-16-be"))
    return "{" + ",".join(string(k) + ":" + canonical(v) for k, v in members) + "}"


def jcs(value):
    return canonical(value).encode("utf-8")


def sha256(*pieces):
    return hashlib.sha256(b"".join(pieces)).digest()


# The 1,000 vectors

KEYS = ["a", "b", "A", "aa", "", " ", "1", "10", "2", "z", "é", "e\u0301", "ö", "o\u0308", "\u00e5", "a\u030a", "€", "\u20ac ",
        "\ufb33", "\ufffd", "\ue000", "\uffee", "\U0001f600", "\U00010000", "\U0010ffff", "דּ", "日本", "\r", "\u0080", "\u007f",
        "\u2028", "\u00ad", "k0", "ﬀ", "Å", "Ω", "Ω"]
TEXTS = ["", "plain", "quote \" and \\ back", "\b\t\n\f\r", "\u0001\u001f\u007f", "é", "e\u0301", "👩‍👩‍👧", "\U0001f600\U0010ffff",
         "דּ", "\u2028\u2029", "</script>", "\ufeffbom", "한글", "ﷺ", "a" * 300, "/slash/", "\uffff", "\ue000"]
EDGE_NUMBERS = [0.0, -0.0, 5e-324, -5e-324, 1.7976931348623157e308, -1.7976931348623157e308, 9007199254740992.0,
                -9007199254740992.0, 295147905179352825856.0, 9.999999999999997e22, 1e23, 1.0000000000000001e23,
                999999999999999700000.0, 999999999999999900000.0, 1e21, 9.999999999999997e-7, 0.000001,
                333333333.3333332, 333333333.33333325, 333333333.3333333, 333333333.3333334, 333333333.33333343,
                -0.0000033333333333333333, 1424953923781206.2, 1e-7, 1.5e-7, 123456789012345680000.0, 2.0**-1074 * 3,
                0.1, 0.2, 0.30000000000000004, 4.35, 0.000001234, 1e16, 1e17, 18014398509481984.0, 4503599627370497.5]


def vectors():
    draw = random.Random(8785)
    lines = []

    def add_number(value):
        lines.append({"bits": struct.pack(">d", value).hex(), "text": number(value)})

    def add_json(text):
        value = json.loads(text)
        lines.append({"json": text, "canonical": canonical(value), "sha256": sha256(jcs(value)).hex()})

    def text():
        if draw.random() < 0.5:
            return draw.choice(TEXTS)
        ranges = [(1, 0x7F), (0x80, 0x7FF), (0x300, 0x36F), (0x800, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x10FFFF)]
        return "".join(chr(draw.randint(*draw.choice(ranges))) for _ in range(draw.randint(0, 12)))

    def value(depth):
        kind = draw.randint(0, 9 if depth < 4 else 6)
        if kind == 0:
            return draw.choice([None, True, False])
        if kind <= 2:
            return draw.choice([0, 1, -1, draw.randint(-1000, 1000), draw.randint(-MAXIMUM_INTEGER, MAXIMUM_INTEGER)])
        if kind <= 4:
            return draw.choice([round(draw.random(), 4), draw.uniform(-1e6, 1e6), draw.random() * 10.0 ** draw.randint(-20, 14)])
        if kind <= 6:
            return text()
        if kind == 7:
            return [value(depth + 1) for _ in range(draw.randint(0, 5))]
        keys = draw.sample(KEYS, draw.randint(0, 8)) + [text() for _ in range(draw.randint(0, 3))]
        return {key: value(depth + 1) for key in keys}

    for edge in EDGE_NUMBERS:
        add_number(edge)
    while len(lines) < 400:
        candidate = struct.unpack(">d", draw.randbytes(8))[0]
        if candidate == candidate and abs(candidate) != float("inf"):
            add_number(candidate)
    for literal in ["-0", "-0.0", "0e10", "1.0", "1E2", "1e-2", "100e-2", "9007199254740991", "-9007199254740991", "9007199254740991.0",
                    "[]", "{}", "[ ]", " { } ", '"\\u0000"', '"\\ud800"', '"\\udc00"', '"\\ud800\\ud800\\udc00"', '"\\ud83d\\ude00"',
                    '"\\ud83dx"', '"\\/"', '"\\u00e9"', '"\\u0065\\u0301"', '{"\\u00e9":1,"e\\u0301":2}',
                    '{"\\ud83d\\ude00":1,"\\ufb33":2,"\\u20ac":3,"1":4,"\\r":5,"\\u0080":6,"\\u00f6":7}',
                    '[56,{"d":true,"10":null,"1":[]}]', '{"b":{"b":1,"a":2},"a":[{"d":1,"c":2}]}']:
        add_json(literal)
    while len(lines) < 1000:
        drawn = value(0)
        add_json(json.dumps(drawn, ensure_ascii=draw.random() < 0.5, indent=draw.choice([None, None, 1]), allow_nan=False))
    return lines


def canonical_vectors_path():
    return os.path.join(GOLDEN, "canonical_json.jsonl")


def check_canonical():
    with open(canonical_vectors_path(), encoding="utf-8", newline="\n") as file:
        lines = [json.loads(line) for line in file.read().split("\n") if line]
    assert lines == vectors(), "canonical_json.jsonl is not what --write makes"
    for line in lines:
        if "bits" in line:
            value = struct.unpack(">d", bytes.fromhex(line["bits"]))[0]
            assert float(line["text"]) == value and number(value) == line["text"], line
        else:
            assert canonical(json.loads(line["canonical"])) == line["canonical"], line
            assert sha256(line["canonical"].encode("utf-8")).hex() == line["sha256"], line
    return f"{len(lines)} vectors of canonical JSON"


# Events and receipts

def golden(name):
    with open(os.path.join(GOLDEN, name), encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file.read().split("\n") if line]


def check_log(name):
    """Follows the chain of a log from its envelopes alone."""
    events = golden(name)
    debate = events[0]["debate_id"]
    previous = sha256(b"aragora:v1:", debate.encode())
    for seq, event in enumerate(events, start=1):
        assert event["seq"] == seq and event["debate_id"] == event["loop_id"] == event["data"]["debate_id"] == debate, event
        assert bytes.fromhex(event["prev_hash"]) == previous, event
        salt = bytes.fromhex(event["salt"])
        assert len(salt) == 16, event
        header = {"v": event["v"], "debate_id": debate, "seq": seq, "type": event["type"], "round": event["round"],
                  "agent": event["agent"], "at": event["timestamp"], "epoch": event["epoch"],
                  "data_hash": sha256(salt, jcs(event["data"])).hex()}
        previous = sha256(previous, jcs(header))
        assert bytes.fromhex(event["hash"]) == previous, event
    assert events[-1]["type"] == "debate_end"
    return events


def check_chain():
    return f"{len(check_log('event_chain.jsonl'))} events of every kind"


def check_receipt():
    events = check_log("debate_log.jsonl")
    receipt = golden("receipt.json")[0]
    covered = {k: v for k, v in receipt.items() if k not in ("checksum", "signature", "signature_metadata", "verification")}
    assert sha256(jcs(covered)).hex() == receipt["checksum"]
    key = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert base64.b64encode(hmac.digest(key, jcs(covered), "sha256")).decode() == receipt["signature"]
    assert receipt["signature_metadata"]["key_id"] == "hmac-" + sha256(key).hex()[:8]
    count = receipt["event_count"]
    assert count == len(events) - 2 and events[count - 1]["hash"] == receipt["head_hash"]
    spoken = ("agent_message", "critique", "revision", "vote", "user_message")
    hashes = [bytes.fromhex(e["hash"]) for e in events[:count] if e["type"] in spoken]
    assert sha256(*hashes).hex() == receipt["transcript_hash"]
    assert sha256(events[0]["data"]["task"].encode()).hex() == receipt["input_hash"]
    assert sha256(receipt["final_answer"].encode()).hex() == receipt["final_answer_hash"]
    assert events[count]["data"]["checksum"] == receipt["checksum"]
    return f"a receipt over {count} events"


CHECKS = [check_canonical, check_chain, check_receipt]


def main():
    if "--write" in sys.argv[1:]:
        with open(canonical_vectors_path(), "w", encoding="utf-8", newline="\n") as file:
            for line in vectors():
                file.write(json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n")
    for check in CHECKS:
        print("ok:", check())


if __name__ == "__main__":
    main()
