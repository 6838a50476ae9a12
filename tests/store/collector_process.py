"""A collector as its own process, for tests that stop and kill it: takes the lease and writes rounds until it must not.

`python -m tests.store.collector_process OBSERVED NAME [--unfenced]`: prints `acquired`, then the time of each committed
round, then `lost`. `--unfenced` leaves the check of the epoch out: what would happen without it.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from pathlib import Path

from console.store import observe
from console.store.clock import SystemClock, now_ms
from console.store.errors import LeaseLost
from console.store.lease import Holder, Lease, LeaseRow, read_lease
from tests.store.samples import component, judged, observed


def main(path: Path, name: str, fenced: bool) -> None:
    if not fenced:
        observe.check = unchecked  # type: ignore[attr-defined]
    store = observe.ObservedStore.open(path)
    holder = Holder(name=name, pid=os.getpid(), boot_id=SystemClock().boot_id, fingerprint="f1")
    lease = store.acquire(holder)
    assert lease is not None
    say("acquired")
    try:
        while True:
            time.sleep(0.002)  # a pace at which it is mostly between two writes; each round has a ms of its own
            at_ms = now_ms()
            judgement = judged(at_ms, (component(targets=(name,)),), up=1.0)
            store.write_round(lease, at_ms, [observed(name, words=f"round at {at_ms}")], judgement, {name: 5.0})
            say(str(at_ms))
    except LeaseLost as error:
        say(f"lost: {error}")


def unchecked(connection: sqlite3.Connection, lease: Lease) -> LeaseRow:
    row = read_lease(connection)
    assert row is not None
    return row


def say(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], "--unfenced" not in sys.argv)
