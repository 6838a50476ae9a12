"""What happens on a full disk, told as JSON lines. `python -m tests.store.full_disk_process DIRECTORY tmpfs|limit`.

`tmpfs`: DIRECTORY becomes a real file system of 16 MiB of this process (run it in a mount namespace of its own).
`limit`: a limit on the size of files stands for the full disk; it needs no privileges.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from console.store.errors import StoreFull
from console.store.observe import ObservedStore
from console.store.read import StoreReader
from console.store.records import Records
from tests.store.samples import ENVIRONMENT, ManualClock, holder, judged, observed


def main(directory: Path, kind: str) -> None:
    if kind == "tmpfs":
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "radar-test", str(directory)], check=True)
    clock = ManualClock()
    records = Records.open(directory / "records.db")
    store = ObservedStore.open(directory / "observed.db", clock)
    lease = store.acquire(holder())
    assert lease is not None
    reads = StoreReader(
        directory / "observed.db", directory / "records.db", ENVIRONMENT, "f1", clock.wall_ms, machine=clock
    )

    def write(words: str) -> None:
        one = observed(words=words, volatile={"raw": [f"{clock.wall}{n}" for n in range(4000)]})
        store.write_round(lease, clock.pass_ms(61_000), [one], judged(clock.wall), {"health": 61.0})

    for number in range(5):
        write(f"before {number}")
    tell(step="before", spans=history(reads))
    free = fill(directory, kind)
    tell(step="full", words=until_full(write), spans=history(reads), state=reads.health(None).header.state)
    records.silence("rule", "recorded though the disk is full", "op1", clock.wall + 1000, clock.wall)
    tell(step="recorded", silences=len(records.active_silences(clock.wall)))
    free()
    clock.pass_ms(120_000)
    write("after")
    view = reads.health(None)
    events = [row.text for row in view.lately if row.kind == "store"]
    tell(step="after", spans=history(reads), events=events, last_error=view.header.collector.last_error)


def history(reads: StoreReader) -> list[str]:
    return [row.words for row in reads.component("application", None).targets[0].history]


def until_full(write: Callable[[str], None]) -> str:
    for number in range(500):
        try:
            write(f"while filling {number % 2}")
        except StoreFull as error:
            return str(error)
    return "never full"


def fill(directory: Path, kind: str) -> Callable[[], None]:
    """Take all room, and give what releases it."""
    if kind == "limit":
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        limit = (directory / "observed.db-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)
    filler = directory / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(bytes(64 * 1024))
                file.flush()
        except OSError:
            pass
    return filler.unlink


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
