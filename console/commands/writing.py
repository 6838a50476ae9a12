"""Writing to the standard streams: one that takes nothing, as on a full disk, is told from other errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Unwritable(Exception):
    """A standard stream takes no more. A reader that left is none: that stays `BrokenPipeError`."""

    def __init__(self, stream: TextIO, why: str) -> None:
        super().__init__(f"cannot write to standard output: {why}")
        self.stream = stream


def write(text: str, stream: TextIO | None = None) -> None:
    """Write at once, by default to standard output. Raises `Unwritable`."""
    out = stream or sys.stdout
    with writing_to(out):
        out.write(text)
        out.flush()


@contextmanager
def writing_to(stream: TextIO) -> Iterator[None]:
    """What is raised inside by the stream itself becomes `Unwritable`; nothing else may be done inside."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unwritable(stream, (error.strerror or "error").lower()) from error


def flush() -> None:
    """Write what is still held back: what fails only at the interpreter's end can give no status."""
    for stream in (sys.stdout, sys.stderr):
        with writing_to(stream):
            stream.flush()


def give_up(error: Unwritable) -> None:
    """Say that standard output took not all, where that can be said; nothing more is written to what fails."""
    drop(error.stream)
    try:
        if error.stream is sys.stdout:
            write(f"radar: {error}\n", sys.stderr)
        flush()
    except (Unwritable, BrokenPipeError):
        drop(sys.stdout)
        drop(sys.stderr)


def drop(stream: TextIO) -> None:
    """Send to nowhere what is still written to it, as at the interpreter's end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
