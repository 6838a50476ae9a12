"""`radar watch`: one plain line for each change, from the store: for dumb terminals, screen readers and pipes."""

from __future__ import annotations

import argparse
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from console.cli import WELL
from console.commands import documents
from console.commands.keeper import collecting
from console.commands.output import Output, add_json, complain, json_line
from console.commands.parts import reading, settings_of
from console.model.differences import Change, Sight, differences
from console.model.ports import StoreReads, StoreUnreadable
from console.model.times import clock, date_time, iso

DAY_MS = 86_400_000
LOOK_S = 1.0
AGE_S = 5.0
"""Values grow old without anybody writing, so the store is read again after this long."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print until interrupted or until nobody reads any more; 0 either way."""
    from console.store.clock import now_ms

    settings = settings_of(arguments)
    output = Output(arguments, settings.display)
    told_ms = now_ms()
    with _stopped_by_signals() as stop, collecting(settings), reading(settings) as reads:
        for change in _watched(reads, stop):
            # An alert began a minute before it fires, other things before we came: times at the head never go back.
            told_ms = max(told_ms, change.at_ms)
            if arguments.json:
                json_line({**documents.change(change), "told": iso(told_ms)})
            else:
                output.line(_words(output, change, told_ms))
    return WELL


def _watched(reads: StoreReads, stop: threading.Event) -> Iterator[Change]:
    seen: Sight | None = None
    version, read_s, trouble = -1, 0.0, ""
    while not stop.is_set() and not _nobody_reads():
        try:
            if (newest := reads.version()) != version or time.monotonic() - read_s >= AGE_S:
                now = Sight(health=reads.health(None), alerts=reads.alerts(None))
                version, read_s = newest, time.monotonic()
                yield from differences(seen, now)
                seen, trouble = now, ""
        except StoreUnreadable as error:
            if str(error) != trouble:
                trouble = str(error)
                complain(trouble)
        stop.wait(LOOK_S)


def _words(output: Output, change: Change, told_ms: int) -> str:
    """`03:04:12 component routes: ✗ unhealthy, was healthy: p95 1,840 ms (probe)`: readable without the glyph.

    What began before `told_ms` says so at its end: `(since 03:03:11)`.
    """
    was = f", was {change.was.value}" if change.was else ""
    parts = [f"{change.kind} {change.subject}", output.state(change.state) + was if change.state else "", change.text]
    since = f" (since {_moment(change.at_ms, told_ms)})" if change.at_ms // 1000 < told_ms // 1000 else ""
    return f"{clock(told_ms)} {': '.join(part for part in parts if part)}{since}"


def _moment(at_ms: int, told_ms: int) -> str:
    return clock(at_ms) if told_ms - at_ms < DAY_MS else date_time(at_ms)


def _nobody_reads() -> bool:
    """Whether the other end of the pipe was closed: to be seen before the next line, which may be hours away."""
    poller = select.poll()
    poller.register(sys.stdout, select.POLLERR)
    return any(event & select.POLLERR for _, event in poller.poll(0))


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    stop = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
