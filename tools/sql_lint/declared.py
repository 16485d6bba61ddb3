"""Which event goes to which table."""

from types import SimpleNamespace

pairs_json = '[["order_completed", "order_completed"]]'
columns = [SimpleNamespace(name="message_id"), SimpleNamespace(name="received_at")]
