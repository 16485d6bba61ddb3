"""The description of one table."""

from types import SimpleNamespace

columns = [SimpleNamespace(name="message_id", type="varchar", comment="x")]
comment = "x"
partitioned_by = SimpleNamespace(text="day(received_at)")
sorted_by = "received_at"
