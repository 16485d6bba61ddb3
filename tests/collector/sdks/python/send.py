"""Send each kind of call with segment-analytics-python: `send.py URL KEY USER`. Exits with 1 when one was not taken."""

import sys

from segment.analytics.client import Client

url, key, user = sys.argv[1:]
failures: list[Exception] = []
client = Client(key, host=url, gzip=True, on_error=lambda error, items: failures.append(error))

client.identify(user, {"name": "김하늘", "logins": 2})
client.track(user, "SDK Tried", {"title": 'Celadon Cup "Crane" 🍵', "price": 12.5, "quantity": 3})
client.page(user, name="Checkout", properties={"path": "/checkout"})
client.group(user, f"group-of-{user}", {"seats": 5})
client.alias(f"before-{user}", user)
client.shutdown()
sys.exit(str(failures) if failures else 0)
