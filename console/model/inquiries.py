"""What a person asked a system beside the rounds, as values: the end of a log, from where and of when."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line, clean."""

    text: str
    at_ms: int | None = None
    wrong: bool = False
    """Whether its own writer calls it an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEnd:
    """The end of a log. Read once, when somebody asked; kept nowhere."""

    title: str
    source: str
    """Who gave it: `api.vercel.com`."""
    read_ms: int
    lines: tuple[LogLine, ...]
    left_off: str = ""
    """In words, what of it is not here; empty: this is all of it."""
