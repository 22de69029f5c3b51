"""Usage: slack.py sign SECRET TIMESTAMP < BODY      prints the signature that Slack would send
       slack.py judge < MESSAGE                   exit code 0 when the message is one that Slack's own models take

What Slack's own library (slack_sdk) says of our formats.
"""
import json
import sys

from slack_sdk.models.blocks import Block
from slack_sdk.signature import SignatureVerifier

if sys.argv[1] == "sign":
    body = sys.stdin.buffer.read()
    print(SignatureVerifier(sys.argv[2]).generate_signature(timestamp=sys.argv[3], body=body))
else:
    message = json.load(sys.stdin)
    blocks = message["blocks"]
    parsed = Block.parse_all(blocks)
    assert len(parsed) == len(blocks) <= 50, "a block that the models do not know"
    # to_dict runs the models' own checks of lengths and required members.
    again = [block.to_dict() for block in parsed]
    assert [block["type"] for block in again] == [block["type"] for block in blocks], again
    for block, mine in zip(again, blocks):
        if "text" in mine:
            assert block["text"] == mine["text"] and len(mine["text"]["text"]) <= 3000, block
    assert message["text"] and len(message["text"]) <= 40_000
