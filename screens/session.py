"""What the console remembers from one start to the next: cursors, filters, theme, not the page. Survives any file."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

SIZE_LIMIT = 64 * 1024
VERSION = 1
NOTE_LIMIT = 1000
"""Characters of an incident note."""


@dataclass(slots=True)
class Session:
    """One person's place in the console, for one environment."""

    theme: str = ""
    """Chosen in the console; empty: that of the settings."""
    configured_theme: str = ""
    """The settings' theme when `theme` was chosen: a changed setting wins over an old choice."""
    cursors: dict[str, str] = field(default_factory=dict)
    """Page name to the key of the selected line."""
    scrolls: dict[str, int] = field(default_factory=dict)
    filters: dict[str, str] = field(default_factory=dict)
    note: str = ""
    """An incident note that was begun and not sent."""


def user_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """The user's own state directory (`$XDG_STATE_HOME/radar`), whoever else shares the store."""
    base = environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "state") / "radar"


def session_file(environment: str, state_directory: Path) -> Path:
    """The file of one environment's store: two demos, or two hosts' stores, have the same names. The file's name can
    hold nothing but letters, digits and `-_.`."""
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in environment)[:80]
    place = zlib.crc32(os.fsencode(os.path.realpath(state_directory)))
    return user_directory() / f"session-{name}-{place:08x}.json"


def load(path: Path) -> Session:
    """The session from a file; a new one when the file is missing, unreadable or holds something else."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(SIZE_LIMIT))
    except (OSError, ValueError, RecursionError):
        return Session()
    if not isinstance(found, dict):
        return Session()
    return Session(
        theme=_text(found.get("theme")),
        configured_theme=_text(found.get("configured_theme")),
        cursors=_texts(found.get("cursors")),
        scrolls={name: row for name, row in _items(found.get("scrolls")) if type(row) is int and 0 <= row < 10**6},
        filters=_texts(found.get("filters")),
        note=_text(found.get("note"), NOTE_LIMIT),
    )


def save(path: Path, session: Session) -> str | None:
    """Write the session whole or not at all; in words why it could not be written, else None."""
    text = json.dumps({"version": VERSION, **asdict(session)}, ensure_ascii=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(text)
        beside.replace(path)
    except OSError as error:
        return f"the session was not kept: {error.strerror}: {path}"
    return None


def _text(value: object, longest: int = 200) -> str:
    return value[:longest] if isinstance(value, str) else ""


def _items(value: object) -> list[tuple[str, object]]:
    return [(str(name)[:80], found) for name, found in list(value.items())[:50]] if isinstance(value, dict) else []


def _texts(value: object) -> dict[str, str]:
    return {name: _text(found) for name, found in _items(value) if isinstance(found, str)}
