"""From a key to a plan, and from the yes to the runner's first journal row: cold, and with a runner that waits.

`python -m tests.bench.actions [--times 15]`

The scripted action shows what the engine costs, the rollback what its reads of Vercel and the application add: both are
one loopback server in a process of its own. A ratio to the bare interpreter, started in turn, and the processor time
tell more than milliseconds on a shared machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from console.actions.desk import Desk, Ticket
from console.model.actions import ActionRequest
from console.settings import load
from tests.actions.place import USER, Place, place

PLAN_MS, ROW_RATIO = 300.0, 3.0
PHRASE = "f1f1f1f"
TOKEN = "vcp_ExampleTokenThatMustNeverBeShown"
IMPORTS_S = 2.0
"""How long a runner that waits is given for its imports: longer than they take on a busy machine."""


@dataclass
class Row:
    """What was measured, some times over."""

    what: str
    taken_ms: list[float] = field(default_factory=list)
    processor_ms: list[float] = field(default_factory=list)

    def show(self, budget: str, kept: bool | None) -> None:
        """One line of the table."""
        taken, spent = sorted(self.taken_ms), statistics.median(self.processor_ms) if self.processor_ms else 0.0
        p95 = taken[int(0.95 * (len(taken) - 1))]
        verdict = {True: "yes", False: "NO", None: ""}[kept]
        print(f"{self.what:44} {self.p50:8.1f} {p95:8.1f} {spent:8.1f}  {budget:22} {verdict}", flush=True)

    @property
    def p50(self) -> float:
        """Half took less, ms."""
        return statistics.median(self.taken_ms)


def children_ms() -> float:
    """Processor time of all processes that we started and that have ended, ms."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


def bare(row: Row) -> None:
    """The interpreter and nothing else."""
    before_ms, began_s = children_ms(), time.perf_counter()
    subprocess.run([sys.executable, "-I", "-c", "pass"], check=True)
    row.taken_ms.append((time.perf_counter() - began_s) * 1000)
    row.processor_ms.append(children_ms() - before_ms)


def planned(row: Row, desk: Desk, request: ActionRequest, *, waits: bool) -> Ticket:
    """Asked for a plan until it is there."""
    if waits:
        desk.prepare()
        time.sleep(IMPORTS_S)  # a person needs longer from the page to the key
    began_s = time.perf_counter()
    ticket = desk.plan(request)
    row.taken_ms.append((time.perf_counter() - began_s) * 1000)
    return ticket


def looked(row: Row, desk: Callable[[], Desk], request: ActionRequest, *, waits: bool) -> None:
    """A plan that is left again, so that what its runner used can be told."""
    before_ms = children_ms()
    ticket = planned(row, desk(), request, waits=waits)
    ticket.leave()
    row.processor_ms.append(children_ms() - before_ms)


def begun(row: Row, here: Place) -> None:
    """From the yes until the first row stands, which is when `confirm` returns."""
    ticket = here.desk.plan(here.request())
    began_s = time.perf_counter()
    token = ticket.confirm(reason=f"bench {began_s}", typed=PHRASE)
    row.taken_ms.append((time.perf_counter() - began_s) * 1000)
    here.ended(token)


@contextlib.contextmanager
def vercel(directory: Path) -> Iterator[Callable[[], Desk]]:
    """Desks of an environment whose Vercel and application are a loopback server in another process."""
    server = subprocess.Popen([sys.executable, "-m", "tests.bench.actions", "--serve"], stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        url, project = server.stdout.readline().decode().split()
        file = directory / "radar.toml"
        file.write_text(
            f'state_directory = "{directory / "state"}"\n[environments.production]\nurl = "{url}"\n'
            f'[environments.production.vercel]\ntoken = "{TOKEN}"\nproject = "{project}"\napi = "{url}"\n'
            f'[environments.production.access]\nadmins = ["{USER}"]\n'
        )
        settings = load(file, "production", {})
        yield lambda: Desk(settings, {"PATH": os.environ["PATH"]})
    finally:
        server.terminate()
        server.wait(10)


async def serve() -> None:
    """Until it is terminated."""
    from tests.actions.hosting import PROJECT, hosting, running

    async with running(hosting()) as server:
        print(server.url(), PROJECT, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Measure in turn, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two, vercel(Path(two)) as hosted:
        measure(Path(one), hosted, options.times)


def measure(directory: Path, hosted: Callable[[], Desk], times: int) -> None:
    """The table."""
    interpreter = Row("bare python -I")
    rows = {
        name: Row(f"key to plan: {name}")
        for name in ("scripted, cold", "scripted, runner waits", "rollback, cold", "rollback, runner waits")
    }
    first = Row("yes to the first journal row")
    rollback = ActionRequest(action="rollback")
    with pytest.MonkeyPatch.context() as patch:
        desks = {"rollback": hosted}
        for number in range(times):
            bare(interpreter)
            for waits in (False, True):
                looked(
                    rows[f"rollback, {'runner waits' if waits else 'cold'}"], desks["rollback"], rollback, waits=waits
                )
            if number == 0:
                print(f"{'what':44} {'p50 ms':>8} {'p95 ms':>8} {'CPU ms':>8}  within", flush=True)
        here = place(directory, patch)
        for _ in range(times):
            for waits in (False, True):
                name = f"scripted, {'runner waits' if waits else 'cold'}"
                looked(rows[name], lambda: here.desk, here.request(), waits=waits)
        for _ in range(times):  # last: these runners end when they like, and would be counted with others
            begun(first, here)
    interpreter.show("", None)
    for row in rows.values():
        waits = "waits" in row.what
        row.show(f"{PLAN_MS:.0f} ms" if waits else "", row.p50 <= PLAN_MS if waits else None)
    ratio = first.p50 / interpreter.p50
    first.show(f"{ROW_RATIO:g} x bare: {ratio:.2f} x", ratio <= ROW_RATIO)


if __name__ == "__main__":
    main()
