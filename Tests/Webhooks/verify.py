"""Usage: verify.py SECRET ID TIMESTAMP SIGNATURE < BODY

Checks one delivery with the library that receivers use; exit code 0 when it is good, 1 when it is not.
"""
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

secret, message, timestamp, signature = sys.argv[1:]
headers = {"webhook-id": message, "webhook-timestamp": timestamp, "webhook-signature": signature}
try:
    Webhook(secret).verify(sys.stdin.buffer.read(), headers)
except WebhookVerificationError as error:
    print(f"refused: {error}", file=sys.stderr)
    sys.exit(1)
