"""Copy through OSC 52: it reaches the clipboard of the terminal at the other end of SSH, tmux and screen.

What is too long for terminals goes into a file of the user's, and the words say so.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from pathlib import Path

LIMIT_BYTES = 74_994
"""Of base64: what xterm, and so most terminals, take in one OSC 52."""
SCREEN_CHUNK = 500
"""GNU screen passes on strings of less than 768 bytes."""


def copy(text: str, write: Callable[[str], object], environ: Mapping[str, str], directory: Path) -> str:
    """Put the text on the clipboard, or into a file in `directory`; in words which of the two, or why neither."""
    encoded = base64.b64encode(text.encode()).decode("ascii")
    size = f"{len(text.splitlines()):,} lines" if text.count("\n") > 1 else f"{len(text.strip()):,} characters"
    if len(encoded) <= LIMIT_BYTES:
        way, sequence = wrapped(encoded, environ)
        write(sequence)
        return f"copied {size} to the terminal's clipboard (OSC 52{way})"
    return _to_file(text, size, directory)


def wrapped(encoded: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """How it is sent, in words, and the sequence."""
    bare = f"\x1b]52;c;{encoded}\x07"
    if environ.get("TMUX"):
        # Passed through where allow-passthrough is on; the bare one serves set-clipboard on. Twice does no harm.
        inner = bare.replace("\x1b", "\x1b\x1b")
        return " through tmux", f"\x1bPtmux;{inner}\x1b\\{bare}"
    if environ.get("STY"):
        chunks = (bare[at : at + SCREEN_CHUNK] for at in range(0, len(bare), SCREEN_CHUNK))
        return " through screen", "".join(f"\x1bP{chunk}\x1b\\" for chunk in chunks)
    return "", bare


def _to_file(text: str, size: str, directory: Path) -> str:
    path = directory / "copied.txt"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as file:
            file.write(text)
    except OSError as error:
        return f"not copied: {size} are too many for the clipboard, and {path} cannot be written ({error.strerror})"
    return f"{size} are too many for the clipboard: written to {path}"
