"""A past on the site's store, and things on its records that somebody must undo."""

from __future__ import annotations

import json
import os

import msgspec

from console.model.actions import (
    Check,
    CheckResult,
    Holding,
    Plan,
    Risk,
    RunOutcome,
    Step,
    StepKind,
    StepOutcome,
    StepResult,
)  # fmt: skip
from console.model.metrics import Rollup
from console.model.observation import Event
from console.model.states import State
from console.store import due
from console.store.clock import now_ms
from console.store.history import HistoryWriter
from console.store.identity import identity
from console.store.journal import Beginning, Journal
from console.store.records import AlertBook, Records
from console.store.runlock import RunLock
from tests.commands.conftest import Site
from tests.store import samples

MINUTE_MS = 60_000
HOSTILE = "a\x1b[31m | b\n[click](https://evil.example) <b>*x*</b> \x9b2J ‮ www.evil.example"


def past(site: Site, *, deployed: str = "8f3c1d2 live", minutes: int = 30) -> int:
    """Healthy, ten minutes unhealthy with an alert and a deployment before it, healthy since. Gives its beginning."""
    end_ms = now_ms()
    bad_ms, well_ms = end_ms - 20 * MINUTE_MS, end_ms - 10 * MINUTE_MS
    begin_ms = end_ms - minutes * MINUTE_MS
    with HistoryWriter(site.settings.observed_path) as writer:
        for began_ms, until_ms, state in (
            (begin_ms, bad_ms, State.HEALTHY), (bad_ms, well_ms, State.UNHEALTHY), (well_ms, end_ms, State.HEALTHY)
        ):  # fmt: skip
            reasons = [] if state is State.HEALTHY else ["health"]
            writer.observation(samples.observed(state=state), began_ms, until_ms - 5000, 5.0)
            writer.component(samples.component(state=state), began_ms, until_ms - 5000)
            writer.verdict(samples.verdict(state, *reasons), began_ms, until_ms - 5000)
        writer.event(Event(at_ms=bad_ms - 40_000, kind="deployment", subject="vercel", text=deployed))
        writer.alert(samples.alert(began_ms=bad_ms + MINUTE_MS, ended_ms=well_ms))
        start_ms = begin_ms - begin_ms % MINUTE_MS
        values = [(at_ms, 1840.0 if bad_ms <= at_ms < well_ms else 81.0)
                  for at_ms in range(start_ms, end_ms - MINUTE_MS, MINUTE_MS)]  # fmt: skip
        writer.minutes("postgres.canary|latency_ms", [(at_ms, _rollup(value)) for at_ms, value in values])
    return begin_ms


def _rollup(value: float) -> Rollup:
    made = Rollup.of([value] * 12, distribution=True)
    assert made is not None
    return made


class Shift:
    """What people did, by the real records."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.records = Records(site.settings.records_path)
        self.journal = Journal(self.records, identity())

    def silence(self, reason: str) -> None:
        """Of the rule `error rate`, for an hour."""
        self.records.silence("error rate", reason, "op1 (uid)", now_ms() + 60 * MINUTE_MS)

    def run(self, outcome: RunOutcome | None, *holds: Holding, title: str = "Roll back", reason: str = "why") -> int:
        """A run that ended so (None: nobody carries it out any more), and what it left behind. Gives its number."""
        token = os.urandom(8).hex()
        lock = RunLock.take(self._site.settings.state_directory, token)
        assert lock is not None
        begun = self.journal.begin(self._beginning(title, reason, token))
        self.journal.intend(begun[0], "ask")
        done = StepResult(outcome=StepOutcome.DONE, words="the remote took it", holds=holds)
        self.journal.conclude(begun[0], "ask", done)
        if outcome is not None:
            self.journal.end(begun[0], outcome, "seen from outside")
        lock.release()
        return int(begun[0])

    def due(self, title: str) -> int:
        """In half an hour."""
        who = identity()
        entry = due.add(self.records, key="k", due_ms=now_ms() + 30 * MINUTE_MS, action="maintenance", parameters={},
                        title=title, reason="why", operator=who.words, operator_uid=who.uid)  # fmt: skip
        return entry.id

    def book(self, reads: object) -> AlertBook:
        """To acknowledge by."""
        return AlertBook(self.records, reads, identity(), lambda _: "", str)  # type: ignore[arg-type]  # a reader

    def close(self) -> None:
        """Release the file."""
        self.records.close()

    @staticmethod
    def _beginning(title: str, reason: str, token: str) -> Beginning:
        plan = Plan(action="rollback", title=title, environment="production", target="41ab9e0", short_id="41ab9e0",
                    risk=Risk.DISRUPTIVE, exclusion=None,
                    steps=(Step(key="ask", kind=StepKind.CHANGE, words="ask the remote"),),
                    checks=(Check(key="x", result=CheckResult.PASS, words="well"),))  # fmt: skip
        return Beginning(
            token=token, action="rollback", title=title, target="41ab9e0", risk="disruptive", exclusion=None,
            plan=json.dumps(msgspec.to_builtins(plan)), reason=reason, authority="guard rails", host="here",
            pid=os.getpid(), boot_id="b",
        )  # fmt: skip
