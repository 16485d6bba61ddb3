"""The destinations of notifications, from CLICKSTREAM_NOTIFY, and the form of a message to one."""

import re
from dataclasses import dataclass
from enum import Enum

from clickstream.settings import SettingsError

SUBJECT_LIMIT = 100
"""https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""

_CONNECTION = re.compile(r"[A-Za-z0-9_.-]+\Z")
_ADDRESS = re.compile(r"[^@\s,<>]+@[^@\s,<>]+\Z")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+\Z")


class Kind(Enum):
    """Where a message goes."""

    LOG = "log"
    SLACK = "slack"
    EMAIL = "email"
    SNS = "sns"


_TARGETS = {
    Kind.SLACK: (_CONNECTION, "the id of a Slack webhook connection, such as slack:clickstream_slack"),
    Kind.EMAIL: (_ADDRESS, "an address, such as email:data@example.com"),
    Kind.SNS: (_TOPIC, "the ARN of a topic, such as sns:arn:aws:sns:us-east-1:000000000000:alarms"),
}


@dataclass(frozen=True)
class Destination:
    """One entry of CLICKSTREAM_NOTIFY. `target` is empty for the log."""

    kind: Kind
    target: str = ""

    @property
    def name(self) -> str:
        """The entry as it is written."""
        return f"{self.kind.value}:{self.target}" if self.target else self.kind.value


@dataclass(frozen=True)
class Message:
    """A line that says it all, and a text of some lines. Both may hold what a sender of events sent."""

    subject: str
    text: str

    @property
    def short_subject(self) -> str:
        """The subject as SNS and e-mail take it: printable ASCII, one line, at most SUBJECT_LIMIT."""
        plain = re.sub(r"[^!-~]+", " ", self.subject).strip()
        return plain[:SUBJECT_LIMIT] or "Clickstream"


def read_destinations(text: str) -> tuple[Destination, ...]:
    """Return the destinations in a comma-separated list. The log always comes first, named or not.

    Raises SettingsError, naming the first entry that is none.
    """
    entries = filter(None, (part.strip() for part in text.split(",")))
    return tuple(dict.fromkeys([Destination(Kind.LOG), *map(_read, entries)]))


def _read(entry: str) -> Destination:
    name, _, target = entry.partition(":")
    if entry == Kind.LOG.value:
        return Destination(Kind.LOG)
    kind = next((kind for kind in _TARGETS if kind.value == name), None)
    if kind is None:
        raise SettingsError(f"CLICKSTREAM_NOTIFY: {entry!r} is none of log, slack:..., email:..., sns:...")
    pattern, wanted = _TARGETS[kind]
    if not pattern.match(target):
        raise SettingsError(f"CLICKSTREAM_NOTIFY: {entry!r}: must be {wanted}")
    return Destination(kind, target)


def slack_text(message: Message) -> str:
    """Return a message in Slack's mark-up: what a sender sent must neither mention anyone nor be a link.

    https://docs.slack.dev/messaging/formatting-message-text
    """
    escaped = f"{message.subject}\n{message.text}".replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    head, _, rest = escaped.partition("\n")
    return f"*{head}*\n{rest}"
