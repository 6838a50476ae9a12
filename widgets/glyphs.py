"""The console's own signs, in Unicode and in ASCII for terminals that draw the former double or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from console.model.states import ASCII_GLYPHS, GLYPHS, STRIP_GLYPHS, State
from widgets.lines import Tone

STATE_TONES: Mapping[State, Tone] = {
    State.HEALTHY: "good",
    State.DEGRADED: "warn",
    State.UNHEALTHY: "bad",
    State.UNKNOWN: "unknown",
    State.STALE: "unknown",
    State.NOT_CONFIGURED: "dim",
}
_ASCII_STRIP = {**STRIP_GLYPHS, State.HEALTHY: "."}


class Glyphs(NamedTuple):
    """One set of signs, each one cell wide but `least`."""

    state: Mapping[State, str]
    strip: Mapping[State, str]
    bar: str
    """Stands before the selected line."""
    ellipsis: str
    dash: str
    """Between the ends of a stretch of time."""
    rule: str
    """Repeated for the one rule of a page."""
    least: str
    """Before a lower bound."""
    up: str
    down: str
    mark: str
    """Something that happened, on an axis of time, of whatever kind."""
    marks: Mapping[str, str]
    """By the kind of what happened; other kinds are a `mark`."""
    axis: str
    tick: str
    dashed: str
    """Repeated for a target."""
    shades: str
    """From no share to nearly all."""


_KINDS = ("deployment", "rollback", "migration", "alert", "fault", "maintenance", "vendor", "restart")
_MARKS, _ASCII_MARKS = (dict(zip(_KINDS, signs, strict=True)) for signs in ("▲▼◆!✗■○↻", "^v#!x=o@"))

UNICODE = Glyphs(GLYPHS, STRIP_GLYPHS, "▌", "…", "–", "─", "≥", "↑", "↓", "•", _MARKS, "│", "┤", "╌", " ░▒▓█")
ASCII = Glyphs(
    ASCII_GLYPHS, _ASCII_STRIP, ">", "~", "-", "-", ">=", "^", "v", "*", _ASCII_MARKS, "|", "+", "-", " .:+#"
)
SETS: Mapping[str, Glyphs] = {"unicode": UNICODE, "ascii": ASCII}
