"""A question on the terminal whose answer is typed: read key by key, so that what is pasted can be told from it."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import time
from codecs import getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from console.commands.writing import Unwritable, write
from console.model.prompt import Prompt

DISCARD_S = 0.5
"""What is typed before the question was read is no answer."""
PASTE_ON, PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"
_READ_BYTES = 4096
_LOCAL, _CONTROLS = 3, 6
"""Places in what termios gives."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_DISABLED = b"\0"
"""Linux' _POSIX_VDISABLE."""


class Left(Exception):
    """Nobody answers any more: ctrl+d, or the terminal is gone."""


class _Ended(BaseException):
    """A signal that ends the program came: first the terminal is as it was."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def answer(prompt: Prompt) -> str:
    """What is typed after the question has stood for half a second; what came before is thrown away, what is pasted is
    told of. Raises `Left`, and `KeyboardInterrupt` for ctrl+c. Blocks; needs a terminal and the main thread."""
    with _signals(), _key_by_key():
        select.select([], [], [], DISCARD_S)
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
        _show(prompt.question)
        decode = getincrementaldecoder(sys.stdin.encoding)("replace").decode
        while not prompt.done:
            data = _read()
            _show(prompt.feed(decode(data), time.monotonic()))
            if prompt.left or not data:
                raise Left
    return prompt.value.strip()


def _show(text: str) -> None:
    """What the terminal's encoding lacks as question marks."""
    write(text.encode(sys.stdout.encoding, "replace").decode(sys.stdout.encoding))


def _read() -> bytes:
    """What the terminal has; nothing: it is gone."""
    try:
        return os.read(sys.stdin.fileno(), _READ_BYTES)
    except OSError:
        return b""


@contextmanager
def _key_by_key() -> Iterator[None]:
    """No lines and no echo by the terminal's driver, and pasted text in brackets; all of it as it was at the end."""
    before = termios.tcgetattr(sys.stdin)
    wanted = [*before[:_CONTROLS], list(before[_CONTROLS])]
    # Ctrl+z would hand the terminal to the shell in this state.
    wanted[_LOCAL] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
    wanted[_CONTROLS][termios.VMIN], wanted[_CONTROLS][termios.VTIME] = 1, 0
    wanted[_CONTROLS][termios.VSUSP] = _DISABLED
    knows = os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")
    try:
        termios.tcsetattr(sys.stdin, termios.TCSAFLUSH, wanted)
        write(PASTE_ON if knows else "")
        yield
    finally:
        with suppress(termios.error):  # a terminal that is gone needs nothing
            termios.tcsetattr(sys.stdin, termios.TCSAFLUSH, before)  # the rest of a paste is no command for the shell
        with suppress(Unwritable, BrokenPipeError):
            write(PASTE_OFF if knows else "")


@contextmanager
def _signals() -> Iterator[None]:
    """What would end the program at once ends it after the terminal is as it was. What is ignored stays so."""
    before = {number: signal.getsignal(number) for number in _ENDING}
    taken = {number: was for number, was in before.items() if was in (signal.SIG_DFL, signal.default_int_handler)}
    ended: int | None = None
    try:
        for number in taken:
            signal.signal(number, _end)
        yield
    except _Ended as end:
        ended = end.number
    finally:
        for number, was in taken.items():
            signal.signal(number, was)
    if ended is not None:
        signal.raise_signal(ended)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """A second one finds the terminal being put in order, and waits for that."""
    for each in _ENDING:
        if signal.getsignal(each) is _end:
            signal.signal(each, signal.SIG_IGN)
    raise _Ended(number)
