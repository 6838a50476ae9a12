"""Where a defect of the console itself is written down: the traceback without local variables, which hold secrets."""

from __future__ import annotations

import os
import time
import traceback
from pathlib import Path

LIMIT_BYTES = 256 * 1024
"""A file that has grown beyond this is begun anew."""


class Defects:
    """Writes tracebacks into one file of the user's. Any thread may; one that repeats is written once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last = ""

    def words(self, error: BaseException) -> str:
        """Type and text of the error, and which file holds the rest."""
        told = f"{type(error).__name__}: {error}"
        text = "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format())
        if text == self._last:
            return f"{told} (traceback: {self.path})"
        try:
            self._write(text)
        except OSError as refused:
            return f"{told} (its traceback could not be written: {refused.strerror}: {self.path})"
        self._last = text
        return f"{told} (traceback: {self.path})"

    def _write(self, text: str) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        grown = self.path.exists() and self.path.stat().st_size > LIMIT_BYTES
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_TRUNC if grown else os.O_APPEND)
        moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        with os.fdopen(os.open(self.path, flags, 0o600), "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{moment} pid {os.getpid()}\n{text}\n")
