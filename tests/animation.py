"""Screens of a terminal emulator as one SVG: a frame each, shown one after the other for as long as it stood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

CELL_WIDTH, CELL_HEIGHT, FONT_SIZE = 8.4, 18, 14
MARGIN = 12
GROUND, INK = "#15181d", "#d6dae0"
NAMED = {
    "black": "#20242b", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b", "yellow": "#e5c07b",
    "blue": "#61afef", "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#d6dae0", "brightblack": "#5c6370",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """One character and how it looks. Colours are `default`, a name, or six hexadecimal digits."""

    text: str
    ink: str = "default"
    ground: str = "default"
    bold: bool = False
    reverse: bool = False

    @property
    def look(self) -> tuple[str, str, bool]:
        """(ink, ground, bold) as they are painted."""
        ink, ground = _colour(self.ink, INK), _colour(self.ground, GROUND)
        return (ground, ink, self.bold) if self.reverse else (ink, ground, self.bold)


@dataclass(frozen=True, slots=True)
class Frame:
    """A screen, and how long it stood."""

    rows: tuple[tuple[Cell, ...], ...]
    seconds: float


def animated(frames: Sequence[Frame], title: str) -> str:
    """The SVG. Where nothing moves, the last frame is seen."""
    columns, lines = len(frames[0].rows[0]), len(frames[0].rows)
    width, height = columns * CELL_WIDTH + 2 * MARGIN, lines * CELL_HEIGHT + 2 * MARGIN
    total = sum(frame.seconds for frame in frames)
    style = [
        f"text{{font:{FONT_SIZE}px 'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre}}",
        ".b{font-weight:bold}",
        f".f{{visibility:hidden;animation-duration:{total:.1f}s;animation-timing-function:step-end;"
        "animation-iteration-count:infinite}",
    ]
    groups, began = [], 0.0
    for index, frame in enumerate(frames):
        style.append(_keyframes(index, began / total * 100, (began + frame.seconds) / total * 100))
        still = ' style="visibility:visible"' if index == len(frames) - 1 else ""
        groups.append(f'<g class="f f{index}"{still}>{"".join(_painted(frame))}</g>')
        began += frame.seconds
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}">'
        f"<title>{escape(title)}</title><style>{''.join(style)}</style>"
        f'<rect width="100%" height="100%" rx="8" fill="{GROUND}"/>{"".join(groups)}</svg>\n'
    )


def _keyframes(index: int, begins: float, ends: float) -> str:
    before = "0%{visibility:hidden}" if begins else ""
    after = f"{ends:.2f}%{{visibility:hidden}}" if ends < 99.99 else ""
    marks = f"{before}{begins:.2f}%{{visibility:visible}}{after}"
    return f"@keyframes k{index}{{{marks}}}.f{index}{{animation-name:k{index}}}"


def _painted(frame: Frame) -> Iterator[str]:
    """Runs of one look: a ground where it is another than the terminal's, and the text above it."""
    for line, row in enumerate(frame.rows):
        top, column = MARGIN + line * CELL_HEIGHT, 0
        for (ink, ground, bold), run in groupby(row, key=lambda cell: cell.look):
            text = "".join(cell.text for cell in run)
            left, length = MARGIN + column * CELL_WIDTH, len(text) * CELL_WIDTH
            column += len(text)
            if ground != GROUND:
                yield f'<rect x="{left:.1f}" y="{top}" width="{length:.1f}" height="{CELL_HEIGHT}" fill="{ground}"/>'
            if text.strip():
                heavy = ' class="b"' if bold else ""
                yield (
                    f'<text x="{left:.1f}" y="{top + FONT_SIZE}" fill="{ink}" textLength="{length:.1f}"{heavy}>'
                    f"{escape(text)}</text>"
                )


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    return NAMED.get(name, f"#{name}" if len(name) == 6 else default)
