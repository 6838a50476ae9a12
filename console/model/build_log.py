"""The log of a build at Vercel, out of its events. Pure: bytes in, nothing trusted, clean lines out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from console.model import payload
from console.model.inquiries import LogLine
from console.model.observation import Json
from console.model.text import clean, redact

LINE_LIMIT = 400
EVENT_LIMIT = 120_000
"""Characters of one event that are looked at."""
_TOLD = frozenset({"command", "stdout", "stderr", "fatal", "exit"})
_ESCAPES = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]{0,500}(?:\x07|\x1b\\\\)|[@-Z\\\\-_])")
"""Colours and the like: of a build's log they are decoration, and would be shown as signs."""


def lines_of(body: bytes) -> tuple[LogLine, ...]:
    """The lines, oldest first, of events as one JSON array or one of them a line; what is cut off is left out."""
    found = [line for event in _events(body) for line in _lines(event)]
    return tuple(sorted(found, key=lambda line: line.at_ms or 0))


def plain(text: str) -> str:
    """One line without escape sequences and secrets."""
    return redact(clean(_ESCAPES.sub("", text[: LINE_LIMIT * 4].rstrip()), LINE_LIMIT))


def _events(body: bytes) -> list[Json]:
    found = payload.decoded(body)
    if isinstance(found, list):
        return found
    return [payload.decoded(line) for line in body.splitlines()] if body.lstrip()[:1] != b"[" else []


def _lines(event: Json) -> Iterator[LogLine]:
    """What an event tells of the build, flat or wrapped in a payload; nothing of keep-alives and what is no text."""
    inner = payload.mapping(event, "payload") or payload.mapping(event)
    text, kind = payload.at(inner, "text"), payload.text(event, "type")
    at_ms = payload.time_ms(event, "created") or payload.time_ms(inner, "date")
    if kind not in _TOLD or not isinstance(text, str) or at_ms is None:
        return
    wrong = payload.text(inner, "level") == "error" or kind == "fatal"
    for part in text[:EVENT_LIMIT].splitlines():
        if part.strip():
            yield LogLine(text=plain(part), at_ms=at_ms, wrong=wrong)
