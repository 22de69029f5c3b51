"""A name server for one test: A records from a file that is read again for every question."""
import json
import socket
import struct
import sys


def answer(query, records):
    """The answer to one question: the addresses of the name, or that there is no such name."""
    position, labels = 12, []
    while query[position]:
        length = query[position]
        labels.append(query[position + 1:position + 1 + length].decode())
        position += length + 1
    question = query[12:position + 5]
    kind, = struct.unpack(">H", query[position + 1:position + 3])
    addresses = records.get(".".join(labels).lower())
    found = addresses if addresses and kind == 1 else []
    flags = 0x8180 if addresses is not None else 0x8183  # no error, or NXDOMAIN
    header = query[:2] + struct.pack(">HHHHH", flags, 1, len(found), 0, 0)
    body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + socket.inet_aton(a) for a in found)
    return header + question + body


def main():
    port, path = int(sys.argv[1]), sys.argv[2]
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", port))
    while True:
        query, client = server.recvfrom(512)
        with open(path, encoding="utf-8") as file:
            records = json.load(file)
        server.sendto(answer(query, records), client)


if __name__ == "__main__":
    main()
