"""`radar audit verify`: whether the chain holds, and which of its entries are known outside."""

from __future__ import annotations

import re
import sqlite3
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from console.actions import audit_runs
from console.store import audit
from console.store.records import Records
from console.store.schema import one_moment

JOURNAL_TIMEOUT_S = 20.0
_ANCHOR = re.compile(r"radar audit (\d+) ([0-9a-f]{64})\b")
LARGEST_FILE_BYTES = 256 * 1024 * 1024


Anchors = Mapping[int, frozenset[str]]
"""Id to the hashes that are known of it outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found. `broken` in words, one an entry; empty and no `missing`: the chain is whole."""

    entries: int
    broken: tuple[str, ...]
    missing: tuple[str, ...]
    """Gaps, and an end that was cut off."""
    contradicted: tuple[int, ...]
    """Entries whose hash outside is another one: rewritten."""
    gone: tuple[int, ...]
    """Known outside and not in the file."""
    unanchored: tuple[int, ...]
    """Known nowhere outside: of these the file alone tells."""
    outside: str
    """Where was looked, in words."""
    differences: tuple[str, ...] = ()
    """Between the journal's runs and what the entries say of them."""
    runs: int = 0

    @property
    def whole(self) -> bool:
        """Whether nothing speaks against the chain itself."""
        return not (self.broken or self.missing or self.contradicted or self.gone)

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against it, nor against the journal."""
        return self.whole and not self.differences


def verify(records: Records, anchors: Anchors, outside: str) -> Verdict:
    """Walk the chain, compare it with the hashes known outside and the journal with it. Raises `StoreError`."""
    found, last, (differences, runs) = records.read(_read)
    known = {entry.id: entry.hash for entry in found}
    return Verdict(
        entries=len(found),
        broken=tuple(_broken(found)),
        missing=tuple(_missing(found, last)),
        contradicted=tuple(number for number, told in anchors.items() if number in known and told != {known[number]}),
        gone=tuple(number for number in anchors if number not in known),
        unanchored=tuple(entry.id for entry in found if entry.id not in anchors),
        outside=outside,
        differences=differences,
        runs=runs,
    )


def _read(connection: sqlite3.Connection) -> tuple[list[audit.Entry], int, tuple[tuple[str, ...], int]]:
    with one_moment(connection):  # an action that goes on meanwhile writes to all of them
        found = list(audit.entries(connection))
        return found, _last_given(connection), audit_runs.differences(connection, found)


def anchors_in(lines: Iterable[str]) -> Anchors:
    """Id to hashes, of the lines of a log that hold anchors: a log takes lines from everybody, so one that was
    written later does not outweigh the first."""
    found: dict[int, frozenset[str]] = {}
    for line in lines:
        if match := _ANCHOR.search(line):
            number = int(match[1])
            found[number] = found.get(number, frozenset()) | {match[2]}
    return found


def anchors_of_file(path: Path) -> Anchors:
    """Of a log file. Raises `OSError`."""
    with path.open(encoding="utf-8", errors="replace") as opened:
        return anchors_in(opened.read(LARGEST_FILE_BYTES).splitlines())


def anchors_of_journald() -> Anchors | None:
    """Of the system's journal; None: there is none, or this user may not read it."""
    command = ["journalctl", "--quiet", "--no-pager", "--identifier=radar", "--output=cat"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=JOURNAL_TIMEOUT_S, check=False,
            stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return anchors_in(done.stdout.splitlines()) if done.returncode == 0 else None


def _broken(entries: Iterable[audit.Entry]) -> Iterable[str]:
    before = audit.FIRST
    for entry in entries:
        if entry.computed != entry.hash:
            yield f"entry {entry.id} was changed: its hash is not that of its words"
        elif entry.previous != before:
            yield f"entry {entry.id} does not follow the one before it"
        before = entry.hash


def _missing(entries: list[audit.Entry], last: int) -> Iterable[str]:
    expected = 1
    for entry in entries:
        if entry.id != expected:
            yield f"entries {expected} to {entry.id - 1} are missing"
        expected = entry.id + 1
    if last >= expected:
        yield f"entries {expected} to {last} are missing: the end was cut off"


def _last_given(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").fetchone()
    return int(row[0]) if row else 0
