"""Carries out what is due: takes each row once, at its time by the wall clock, and starts a runner for it.

Only the service does this (`radar collect`): a console's own collector ends with the console. Nothing here knows what
an action is; the runner is started by the name of its module and told the row's number. A maintenance that nobody
has ended at its planned end is told of as well.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial

from console.collector.child import INHERITED
from console.collector.event_loop import DaemonThreads
from console.collector.store_thread import StoreThread
from console.collector.told import operations_of
from console.model.configuration import Settings
from console.model.maintenance import channels
from console.model.observation import Json
from console.model.operations import Statuspage
from console.model.times import date_time
from console.notify.public_page import COMPLETED, Update
from console.notify.statuspage import payload_of
from console.notify.wording import where_words
from console.store import due, overdue
from console.store.clock import Clock
from console.store.due import DueEntry, People
from console.store.errors import StoreError
from console.store.files import UnsuitablePlace, change_mark
from console.store.records import Records

log = logging.getLogger("radar.collector")

LOOK_S = 1.0
"""How late an action may begin; a look is one stat and one comparison."""
TROUBLE_S = 10.0
ANSWER_S = 60.0
"""A runner asks the live systems before it begins, each with a limit below this."""
END_S = 2.0
RUNNER = ("-I", "-m", "console.actions.runner")
LARGEST_LINE_BYTES = 4 * 1024 * 1024


def withdrawal(environment: str, settings: Statuspage, entry: DueEntry) -> dict[str, Json]:
    """What takes an announced maintenance that does not take place off the status page; its components stay as they
    are."""
    return payload_of(
        Update(
            key=str(entry.parameters.get("announced") or ""),
            environment=environment,
            name="Scheduled maintenance",
            status=COMPLETED,
            body=f"The maintenance announced for {date_time(entry.due_ms)} UTC does not take place.",
            components=dict.fromkeys(settings.components),
        )
    )


class DueActions:
    """The executor of one environment. Run by who holds the lease; a row is taken once whoever runs it."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        thread: StoreThread,
        variables: Mapping[str, str] | None = None,
        command: tuple[str, ...] = (sys.executable, *RUNNER),
    ) -> None:
        """`variables`: what `${NAME}` in the settings may mean. `command`: the runner's."""
        self._settings, self._clock, self._thread = settings, clock, thread
        self._variables = dict(os.environ if variables is None else variables)
        self._command = command
        self._records = Records(settings.records_path)
        operations = operations_of(settings)
        where = where_words(settings.environment.name, settings.environment.label)
        page = operations.statuspage
        public = partial(withdrawal, settings.environment.name, page) if page else None
        self._people = People(channels=channels(operations), where=where, public=public)
        self._runners = DaemonThreads(2, "due")
        self._started: set[asyncio.Future[None]] = set()
        self._signature: tuple[int, int] | None = None
        self._next_ms: int | None = None
        self._trouble = ""

    async def run(self) -> None:
        """Until cancelled. What has been started goes on without us."""
        try:
            while True:
                await self._rest(LOOK_S if await self._tried() else TROUBLE_S)
        finally:
            self._runners.shutdown(wait=False)
            await self._thread.run(self._records.close)

    @staticmethod
    async def _rest(seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _tried(self) -> bool:
        try:
            await self.look()
        except (StoreError, UnsuitablePlace) as error:
            if str(error) != self._trouble:
                log.error("what is due cannot be read: %s", error)
            self._trouble = str(error)
            return False
        except Exception:
            # A defect here must not end what people rely on for an hour from now: it is told, and tried again.
            log.exception("what is due cannot be carried out")
            return False
        self._trouble = ""
        return True

    async def look(self) -> None:
        """Take and start what is due now."""
        signature = change_mark(self._settings.records_path)
        if signature is None:
            return  # nobody has recorded anything yet
        if signature != self._signature:
            self._next_ms = await self._thread.run(self._next)
            self._signature = signature
        # By the wall clock, which people were told: a clock that is set right moves what is due with it.
        now_ms = self._clock.wall_ms()
        if self._next_ms is None or now_ms < self._next_ms:
            return
        self._signature = None
        for entry in await self._thread.run(due.claim, self._records, now_ms, self._people):
            self._start(entry)
        if self._people.channels:
            told = self._people.channels, self._people.where
            await self._thread.run(overdue.tell, self._records, now_ms, *told)

    def _next(self) -> int | None:
        """When there is something to do: what is due, or a maintenance past its end that is to be told of."""
        untold = overdue.next_ms(self._records) if self._people.channels else None
        return min((each for each in (due.next_due_ms(self._records), untold) if each is not None), default=None)

    def _start(self, entry: DueEntry) -> None:
        log.warning("due %d is begun: %s", entry.id, entry.title)
        started = asyncio.ensure_future(self._started_by(entry))
        self._started.add(started)
        started.add_done_callback(self._started.discard)

    async def _started_by(self, entry: DueEntry) -> None:
        refused = await asyncio.wrap_future(self._runners.submit(self._begun, entry))
        if refused is None:
            return
        log.error("due %d is not done: %s", entry.id, refused)
        try:
            await self._thread.run(due.note_refusal, self._records, entry.id, refused, self._people)
        except (StoreError, UnsuitablePlace) as error:
            log.error("due %d: that it was not done could not be noted: %s", entry.id, error)

    def _begun(self, entry: DueEntry) -> str | None:
        """Start the runner and hear it out; None once the run's first row stands, else why it does not.

        What has begun goes on without this process, in a session of its own.
        """
        try:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in INHERITED if name in os.environ},
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            return f"the runner cannot be started: {error.strerror or type(error).__name__}"
        opening = {
            "file": str(self._settings.file),
            "environment": self._settings.environment.name,
            "variables": self._variables,
            "due": entry.id,
        }
        return _heard(process, json.dumps(opening).encode() + b"\n")


def _heard(process: subprocess.Popen[bytes], opening: bytes) -> str | None:
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdout as answers:
        try:
            with process.stdin as pipe:
                pipe.write(opening)
        except OSError:  # it ended already: its silence tells
            pass
        for line in _lines(answers.fileno(), time.monotonic() + ANSWER_S):
            if line.get("begun"):
                return None
            if line.get("refused"):
                return str(line["refused"])
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        return f"the runner has said nothing for {ANSWER_S:g} s; whether it is done stands in radar actions"
    return "the runner ended without a word; radar doctor examines what it needs"


def _lines(source: int, until_s: float) -> list[Mapping[str, object]]:
    """What it says until it begins, refuses, ends, or the time is over."""
    rest, found = b"", list[Mapping[str, object]]()
    while (left_s := until_s - time.monotonic()) > 0 and len(rest) < LARGEST_LINE_BYTES:
        if not select.select([source], [], [], left_s)[0] or not (chunk := os.read(source, 65536)):
            return found
        *lines, rest = (rest + chunk).split(b"\n")
        found += [_object(line) for line in lines]
        if any(line.get("begun") or line.get("refused") for line in found):
            return found
    return found


def _object(line: bytes) -> Mapping[str, object]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
