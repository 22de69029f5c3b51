"""Watches a debate over the WebSocket and verifies its chain: python3 verify_stream.py DEBATE_ID

Needs only Python 3, the addresses and the token: source .run/env first.
"""
import base64, hashlib, json, os, socket, sys, urllib.parse


def messages(url, token, debate):
    """The text messages of a WebSocket, as objects."""
    address = urllib.parse.urlsplit(url)
    sock = socket.create_connection((address.hostname, address.port))
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(
        f"GET {address.path}?debate_id={debate} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        f"Authorization: Bearer {token}\r\n\r\n".encode())
    stream = sock.makefile("rb")
    if b" 101 " not in stream.readline():
        sys.exit("the gateway refused")
    while stream.readline() != b"\r\n":
        pass
    while True:
        first, length = stream.read(2)
        if length > 125:
            length = int.from_bytes(stream.read(2 if length == 126 else 8), "big")
        payload = stream.read(length)
        if first & 15 == 1:  # text; this server does not fragment
            yield json.loads(payload)
        elif first & 15 == 8:
            sys.exit(f"closed: {int.from_bytes(payload[:2], 'big')} {payload[2:].decode()}")


def canonical(value):
    """RFC 8785 for what events hold: whole numbers, and fractions of four decimals at most."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def verify(debate, events):
    """Yields every event of the log whose number and hash follow from the one before."""
    seq, previous = 0, hashlib.sha256(f"aragora:v1:{debate}".encode()).digest()
    for event in events:
        if "seq" not in event:
            continue  # of the connection, not of the log
        data_hash = event.get("data_hash") or hashlib.sha256(
            bytes.fromhex(event["salt"]) + canonical(event["data"])).hexdigest()
        header = {"v": 1, "debate_id": debate, "at": event["timestamp"], "data_hash": data_hash,
                  **{key: event[key] for key in ("agent", "epoch", "round", "seq", "type")}}
        previous = hashlib.sha256(previous + canonical(header)).digest()
        seq += 1
        assert event["seq"] == seq and event["hash"] == previous.hex(), f"event {seq} does not follow"
        yield event


debate = sys.argv[1]
for event in verify(debate, messages(os.environ["ARAGORA_WS_URL"], os.environ["ARAGORA_API_TOKEN"], debate)):
    print(f"{event['seq']:3} {event['hash'][:12]} {event['type']:18} {event['agent'] or ''}")
    if event["type"] == "debate_end":
        print(f"{event['data'].get('status', 'erased')}; {event['seq']} events, every hash verified")
        break
