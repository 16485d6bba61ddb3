"""Which event goes to which table."""

from types import SimpleNamespace

slugs = tables = ["order_completed"]
columns = [SimpleNamespace(name="message_id"), SimpleNamespace(name="received_at")]
