"""Whether a collector lives that will still live when everybody has logged out: `radar collect`, not a console's."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from console.store.clock import Clock, SystemClock
from console.store.files import UnsuitablePlace, connect_reader
from console.store.lease import LeaseRow, read_lease

CHILD = b"console.collector"
"""How a console starts its own: `python -m console.collector`."""
WHAT_TO_DO = "start one: systemctl start radar-collect@ENVIRONMENT, or run radar collect"


@dataclass(frozen=True, slots=True)
class Service:
    """What is known of it. `alive` None: there is a collector, but whose it is cannot be seen."""

    alive: bool | None
    words: str


def service(observed: Path, clock: Clock | None = None) -> Service:
    """Look at the lease and at the process that holds it."""
    try:
        with closing(connect_reader(observed)) as connection:
            row = read_lease(connection)
    except (sqlite3.Error, OSError, UnsuitablePlace) as error:
        return Service(False, f"no collector: the store cannot be read ({error}); {WHAT_TO_DO}")
    if row is None or not row.alive(clock or SystemClock()):
        return Service(False, f"no collector lives, and a scheduled action needs one; {WHAT_TO_DO}")
    return _whose(row)


def _whose(row: LeaseRow) -> Service:
    try:
        command = Path(f"/proc/{row.holder.pid}/cmdline").read_bytes()
    except OSError:
        words = f"{row.holder.words} collects, but whether it is a service cannot be seen from here"
        return Service(None, words)
    if CHILD in command.split(b"\0"):
        words = (
            f"only a console's own collector lives ({row.holder.words}), and it ends with that console; {WHAT_TO_DO}"
        )
        return Service(False, words)
    return Service(True, f"{row.holder.words} collects, and will carry it out")
