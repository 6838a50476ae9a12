"""Curves as rows of braille, by plotext; and what becomes of braille where only ASCII is drawn.

Only the curve is plotext's. Its axes cannot give what a page of charts needs: marks in exact columns, the time axis
of all charts in the same ones, a target that gives way to the curve, tones by cell. Those are `widgets.chart`'s.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, NamedTuple

BLANK = "⠀"
_FIRST = ord(BLANK)
_ROWS = (0x01 | 0x08, 0x02 | 0x10, 0x04 | 0x20, 0x40 | 0x80)
"""The dots of a braille cell's four rows, from above."""


Points = tuple[tuple[float, float], ...]


class Run(NamedTuple):
    """Points without a gap: `x` from 0 to 2 * width - 1, `y` from 0 (below) to 4 * height - 1."""

    points: Points
    joined: bool = True
    """Drawn as a line; else as points."""


@cache
def _figure() -> Any:
    """plotext's one figure, bare. Late: its import takes 110 ms of processor, which no start should wait for."""
    import plotext  # type: ignore[import-untyped]  # it ships no types

    plotext.terminal.limit(False, False)  # else a figure is no larger than the terminal that was at the start
    figure = plotext.figure
    figure.theme("colorless")
    figure.axes(False)
    for axis in ("x", "y"):
        figure.ruler(axis).frequency(0)
    return figure


def warm() -> None:
    """Import what draws, off the event loop."""
    _figure()


@lru_cache(maxsize=256)
def braille(runs: tuple[Run, ...], width: int, height: int) -> tuple[str, ...]:
    """The runs in `height` rows of `width` braille characters; nothing drawn is `BLANK`. From 2 × 2 cells."""
    if not any(run.points for run in runs):
        return (BLANK * width,) * height
    figure = _figure()
    figure.clear.data()
    figure.plot_size(width, height)
    for run in runs:
        xs, ys = zip(*run.points, strict=True)
        signal = figure.signal(list(xs), list(ys), marker="braille")
        figure.draw(signal.lines() if run.joined and len(xs) > 1 else signal)
    # plotext lays its limits on the middle of the first and the last cell: so every point meets its own dot.
    figure.ruler("x").lim(0.5, 2 * width - 1.5)
    figure.ruler("y").lim(1.5, 4 * height - 2.5)
    rows = figure.build().string().replace("\x1b[0m", "").split("\n")[:height]
    return tuple(row.replace(" ", BLANK) for row in rows)


def merged(one: str, other: str) -> str:
    """The dots of both characters."""
    return chr(ord(one) | ord(other))


def ascii_of(character: str) -> str:
    """A braille character as the ASCII sign that is nearest to its dots."""
    dots = ord(character) - _FIRST
    rows = [row for row, mask in enumerate(_ROWS) if dots & mask]
    if not rows:
        return " "
    if rows[-1] - rows[0] >= 2:
        return "|"
    return "'" if rows[-1] <= 1 else "-" if rows[0] <= 1 else "." if rows == [2] else "_"
