"""`radar doctor`: this host's Python, clock and terminal."""

from __future__ import annotations

import ctypes
import locale
import os
import platform
import re
import select
import shutil
import sys
import termios
import time
import tty
from collections.abc import Iterator

from console.commands.finding import Finding, Result
from console.commands.output import draws_signs
from console.model.configuration import Display
from console.model.states import GLYPHS, STRIP_GLYPHS

ANSWER_S = 0.5
"""A terminal that has not told its cursor's column by then will not."""

SMALLEST = (80, 24)
_DRAWN = "".join(dict.fromkeys([*GLYPHS.values(), *STRIP_GLYPHS.values(), *"▌▁█⠿→—"])).replace(" ", "")
_UNSYNCHRONISED = 0x40  # STA_UNSYNC of adjtimex(2)
_ERROR = 5  # TIME_ERROR: the clock is not synchronised
_EARLIEST_YEAR = 2025


def findings(display: Display | None) -> Iterator[Finding]:
    """Python, the clock, the terminal."""
    yield Finding("host", "Python", Result.WELL, f"{platform.python_version()} on {platform.machine()}")
    yield _clock()
    yield from _terminal(display)


def _clock() -> Finding:
    """Ages and order of events are only as true as the clock."""
    if time.gmtime().tm_year < _EARLIEST_YEAR:
        return Finding(
            "host", "clock", Result.FAILED, f"it says {time.gmtime().tm_year}", "set it: timedatectl set-ntp true"
        )
    synchronised = _synchronised()
    if synchronised is None:
        return Finding("host", "clock", Result.WELL, "this system does not tell whether it is synchronised")
    if not synchronised:
        fix = "start a time service (chrony, systemd-timesyncd); in a container, on its host"
        return Finding("host", "clock", Result.WARNING, "the kernel says that it is not synchronised", fix)
    return Finding("host", "clock", Result.WELL, "synchronised")


def _synchronised() -> bool | None:
    if sys.platform != "linux":
        return None
    # struct timex on 64 bits: `modes` (0: only read), four longs, then `status`; the whole is shorter than 512 bytes.
    content = (ctypes.c_long * 64)()
    state = ctypes.CDLL(None).adjtimex(content)
    return None if state < 0 else state != _ERROR and not content[5] & _UNSYNCHRONISED


def _terminal(display: Display | None) -> Iterator[Finding]:
    if not sys.stdout.isatty() or not sys.stdin.isatty():
        yield Finding("terminal", "terminal", Result.WELL, "none here: `radar watch` and `radar check` need none")
        return
    yield _kind()
    yield _size()
    yield _encoding()
    yield _glyphs(display if draws_signs() else Display(glyphs="ascii"))


def _kind() -> Finding:
    term, depth = os.environ.get("TERM", ""), os.environ.get("COLORTERM", "")
    if term in ("", "dumb", "unknown"):
        return Finding(
            "terminal",
            "colours",
            Result.FAILED,
            f"TERM={term} cannot draw",
            "export TERM=xterm-256color, or use `radar watch`",
        )
    if "NO_COLOR" in os.environ:
        return Finding("terminal", "colours", Result.WELL, f"{term}, without colours as NO_COLOR asks")
    if depth in ("truecolor", "24bit") or "direct" in term:
        return Finding("terminal", "colours", Result.WELL, f"{term}, 16 million")
    if "256" in term:
        return Finding("terminal", "colours", Result.WELL, f"{term}, 256; the themes are drawn in the nearest ones")
    fix = 'export COLORTERM=truecolor if it has them, or set theme = "ansi" in [display]'
    return Finding("terminal", "colours", Result.WARNING, f"{term} tells of sixteen colours at most", fix)


def _size() -> Finding:
    columns, rows = shutil.get_terminal_size()
    if columns < SMALLEST[0] or rows < SMALLEST[1]:
        return Finding("terminal", "size", Result.WARNING, f"{columns}×{rows}", "Health shows everything from 80×24 on")
    return Finding("terminal", "size", Result.WELL, f"{columns}×{rows}")


def _encoding() -> Finding:
    encoding = locale.getencoding()
    if not draws_signs():
        asked = os.environ.get("LC_ALL") or os.environ.get("LANG") or encoding
        words = f"the locale {asked} lacks the glyphs: the ASCII set is used"
        return Finding("terminal", "encoding", Result.WARNING, words, "export LC_ALL=C.UTF-8")
    return Finding("terminal", "encoding", Result.WELL, encoding)


def _glyphs(display: Display | None) -> Finding:
    """Draw each glyph and ask the terminal where its cursor is: one drawn double breaks every line that holds it."""
    if display is not None and display.glyphs == "ascii":
        return Finding("terminal", "glyphs", Result.WELL, "the ASCII set is chosen")
    widths = _measured(_DRAWN)
    if widths is None:
        return Finding("terminal", "glyphs", Result.WELL, "the terminal does not tell their width")
    if wide := "".join(glyph for glyph, width in zip(_DRAWN, widths, strict=True) if width != 1):
        fix = 'set glyphs = "ascii" in [display], or have the terminal draw ambiguous characters narrow'
        return Finding("terminal", "glyphs", Result.WARNING, f"not one column wide: {wide}", fix)
    return Finding("terminal", "glyphs", Result.WELL, "all one column wide")


def _measured(glyphs: str) -> list[int] | None:
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    try:
        tty.setcbreak(handle, termios.TCSANOW)
        return [_column(handle, glyph) - 1 for glyph in glyphs]
    except TimeoutError:
        return None
    finally:
        os.write(sys.stdout.fileno(), b"\r\x1b[K")
        termios.tcsetattr(handle, termios.TCSANOW, before)


def _column(handle: int, glyph: str) -> int:
    """The cursor's column after drawing a glyph in the first one. Raises TimeoutError."""
    os.write(sys.stdout.fileno(), b"\r\x1b[K" + glyph.encode() + b"\x1b[6n")
    answer, deadline = b"", time.monotonic() + ANSWER_S
    while not (found := re.search(rb"\x1b\[\d+;(\d+)R", answer)):
        ready, _, _ = select.select([handle], [], [], max(0.0, deadline - time.monotonic()))
        if not ready or len(answer) > 1000:
            raise TimeoutError
        answer += os.read(handle, 100)
    return int(found[1])
