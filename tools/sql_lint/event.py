"""One event of a tracking plan."""

from types import SimpleNamespace

table = "order_completed"
blocks = True
entry = {"description": "x"}
common = [SimpleNamespace(name="message_id"), SimpleNamespace(name="received_at")]
columns = [SimpleNamespace(name="gift_wrapped", type="boolean", keys=("gift", "wrapped"))]
retired = [SimpleNamespace(name="gift_note")]
objects = [(), ("gift",)]


def declared_below(_keys: tuple[str, ...]) -> list[str]:
    """Return the declared members of an object."""
    return ["wrapped"]
