"""Search for ids in the bytes of objects, in another way than what erases: by the text, without reading any JSON."""

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import IO

from clickstream.erase.lines import ID_KEYS, Ids

# A string that does not end is one token: else every quotation mark in it would be tried up to the end.
_TOKEN = re.compile(rb'(?s)"(?:[^"\\]++|\\.)*+"?|[{}\[\]]')
_RECORD = re.compile(rb'"rawData"\s*:\s*"([A-Za-z0-9+/=]+)"')
_VALUE = re.compile(rb'\s*+:\s*+("(?:[^"\\\r\n]++|\\.)*+(?!\\)"?|[^\s,}\]]+)')
_KEYS = {f'"{key}"'.encode() for key in ID_KEYS}
_GZIP = b"\x1f\x8b"

BROKEN = (OSError, EOFError, zlib.error)
"""What is raised for gzip data that is damaged."""


@dataclass
class Found:
    """Lines whose ids are the person's, other lines in which one of the ids stands, lines that cannot be read."""

    own: int = 0
    mentions: int = 0
    unreadable: int = 0

    def add(self, other: "Found") -> None:
        """Add what was found elsewhere."""
        self.own += other.own
        self.mentions += other.mentions
        self.unreadable += other.unreadable


@dataclass(frozen=True)
class Search:
    """Looks for the ids of a person."""

    ids: Ids

    @cached_property
    def _quoted(self) -> re.Pattern[bytes]:
        forms = (re.escape(form.encode("utf-8", "surrogatepass")) for form in self.ids.quoted)
        return re.compile(b"|".join(forms))

    def in_object(self, body: IO[bytes], is_failed: bool) -> Found:
        """Return what is found in an object, packed or plain. Raises BROKEN for damaged gzip data."""
        is_packed = body.read(2) == _GZIP
        body.seek(0)
        return self.in_lines(gzip.GzipFile(fileobj=body, mode="rb") if is_packed else body, is_failed)

    def in_lines(self, lines: Iterable[bytes], is_failed: bool = False) -> Found:
        """Return what is found in lines: with `is_failed`, in the records in them."""
        found = Found()
        for line in lines:
            if is_failed:
                found.add(self._in_record(line))
            elif self._is_own(line):
                found.own += 1
            elif self._quoted.search(line):
                found.mentions += 1
        return found

    def _in_record(self, line: bytes) -> Found:
        sent = _RECORD.search(line)
        if not sent:
            return Found(unreadable=1 if line.strip() else 0)
        try:
            record = base64.b64decode(sent[1], validate=True)
            record = gzip.decompress(record) if record.startswith(_GZIP) else record
        except (binascii.Error, *BROKEN):
            return Found(unreadable=1)
        return self.in_lines(record.split(b"\n"))

    def _is_own(self, line: bytes) -> bool:
        """Return whether a member of an object that is in no other object says so."""
        depth = 0
        for token in _TOKEN.finditer(line):
            text = token[0]
            if text in b"{[":
                depth += 1
            elif text in b"}]":
                depth -= 1
            elif depth == 1 and text in _KEYS:
                value = _VALUE.match(line, token.end())
                if value and self._is_one(value[1]):
                    return True
        return False

    def _is_one(self, text: bytes) -> bool:
        if not text.startswith(b'"'):
            return self.ids.has_bare(text.decode("utf-8", "replace"))
        # A line that was cut off may end in an id.
        for whole in (text, text + b'"'):
            try:
                return self.ids.has(json.loads(whole))
            except ValueError:
                continue
        return False
