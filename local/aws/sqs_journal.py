"""A journal of sent messages: one JSON line a message, written before SendMessage(Batch) is answered.

It holds what was sent since the state of all queues was last written, a quarter of a second ago in general; writing
all queues for each message would cost more with every message that waits. At start, messages that the state lacks are
put back, among them those that were received and deleted in between: SQS may deliver a message twice.
"""

import json
import logging
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ministack.core import persistence

from local.aws.atomic_files import append_whole, cut_off_tail

logger = logging.getLogger("local.aws.sqs_journal")


class MessageJournal:
    """Append sent messages to one file and put them back into ministack's queues."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lock = threading.RLock()

    def append(self, scope: tuple[str, str, str], messages: Iterable[dict[str, Any]]) -> None:
        """Store messages of a queue, `scope` being (account, region, queue name).

        Raises OSError, having stored none, when the disk refuses.
        """
        lines = [json.dumps([*scope, message], default=persistence._json_default) + "\n" for message in messages]
        with self.lock:
            append_whole(self._path, "".join(lines))

    def clear(self) -> None:
        """Forget everything: the state of the queues now holds it. The caller holds `lock`."""
        self._path.unlink(missing_ok=True)

    def replay(self, queues: dict[tuple[str, str, str], dict[str, Any]]) -> None:
        """Put messages back that `queues`, by (account, region, URL), lack."""
        cut_off_tail(self._path)
        if not self._path.exists():
            return
        by_name = {(account, region, url.rpartition("/")[2]): queue for (account, region, url), queue in queues.items()}
        restored = 0
        for line in self._path.read_text().splitlines():
            account, region, name, message = json.loads(line, object_hook=persistence._json_object_hook)
            queue = by_name.get((account, region, name))
            if queue is not None and message["id"] not in {known["id"] for known in queue["messages"]}:
                queue["messages"].append(message)
                restored += 1
        if restored:
            logger.warning("put back %d messages after an unclean stop", restored)
