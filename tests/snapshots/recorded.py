"""Recorded stores with a fixed clock: what a collector would have written, for pictures that never change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from console.model.configuration import Environment
from console.model.judgement import Judgement
from console.model.metrics import Rollup
from console.model.observation import Json, Observation, Origin, Outcome
from console.model.states import State
from console.store.history import HistoryWriter
from console.store.lease import Holder
from console.store.read import StoreReader
from console.store.records import Records
from tests.snapshots.stories import BLOCKING, CALM_VERDICT, Part, Story
from tests.snapshots.story_alerts import GOOD, NOW, PAST_ALERT, D, H, M, S, rules
from tests.snapshots.story_metrics import write_series

HOLDER = Holder(name="op1@bastion-1", pid=4711, boot_id="boot-1", fingerprint="f1", identities={})


@dataclass(frozen=True)
class FixedClock:
    """The machine's clocks, standing still."""

    wall: int = NOW
    boot_id: str = "boot-1"

    def wall_ms(self) -> int:
        return self.wall

    def boot_ms(self) -> int:
        return 1_000_000_000 + self.wall - NOW


def reader(directory: Path, environment: Environment, now_ms: int = NOW) -> StoreReader:
    """The store as it is read at that time."""
    observed, records = directory / "observed.db", directory / "records.db"
    return StoreReader(observed, records, environment, None, lambda: now_ms, machine=FixedClock(now_ms))


def record(directory: Path, story: Story) -> None:
    """Write both files of a story."""
    with HistoryWriter(directory / "observed.db") as writer:
        for part in story.parts:
            _write_part(writer, part)
        _write_verdict(writer, story)
        writer.figures(_judgement(story, NOW - 20 * M), NOW - 9 * D)
        writer.figures(_judgement(story, NOW - 2 * S))
        for event in story.events:
            writer.event(event)
        for alert in (PAST_ALERT, *story.alerts):
            writer.alert(alert)
        writer.minutes("application|up", _minutes(story))
        writer.hours("application|up", _hours())
        if story.series:
            write_series(writer, story.series)
        writer.lease(HOLDER, FixedClock())
    if story.silence:
        _write_records(directory)


def _write_part(writer: HistoryWriter, part: Part) -> None:
    ends = [*(began for _, began in part.states[1:]), 0]
    for (state, began), end in zip(part.states, ends, strict=True):
        last = NOW - end if end else NOW - 2 * S
        judgement = replace(part.judgement, state=state, error=part.error if end == 0 else None)
        writer.component(judgement, NOW - began, last)
        for target in part.targets:
            now = end == 0
            seen = _observation(part, target, state, now)
            poll_last = NOW - part.seen if now and part.outcome is Outcome.ANSWERED else last
            writer.observation(seen, NOW - began, max(NOW - began, poll_last), part.interval_s)


def _observation(part: Part, target: str, state: State, now: bool) -> Observation:
    outcome = part.outcome if now else Outcome.ANSWERED
    answered = outcome is Outcome.ANSWERED
    facts = dict(part.facts) if now and answered else {}
    raw: dict[str, Json] = {
        "url": "https://app.example.com/api/v1/system/health",
        "http_status": 200,
        "headers": {"content-type": "application/json"},
        "body": '{"status":"healthy","timestamp":"2025-11-22T03:12:41Z","version":"1.0.0","checks":{"database":'
        '{"status":"fail","message":"connection refused"},"memory":{"status":"pass"}},"responseTime":"16ms"}',
    }
    return Observation(
        target=target,
        outcome=outcome,
        state=state,
        words=part.words if now else "answers as it should",
        origin=part.origin,
        error_kind=part.error_kind if now else None,
        facts=facts,
        samples={"latency_ms": 16.0, "ok": 1.0 if state is GOOD else 0.0}
        if now and answered and part.origin is Origin.PROBE
        else {},
        volatile=_volatile(target, raw) if now and answered else {},
    )


def _volatile(target: str, raw: Json) -> Mapping[str, Json]:
    if target == "postgres.activity":
        return {"blocking": BLOCKING}
    return {"raw": raw} if target == "health" else {}


def _write_verdict(writer: HistoryWriter, story: Story) -> None:
    if story.since < 9 * D:
        writer.verdict(CALM_VERDICT, NOW - 9 * D, NOW - story.since)
    writer.verdict(story.verdict, NOW - story.since, NOW - 2 * S)


def _judgement(story: Story, at_ms: int) -> Judgement:
    return Judgement(
        at_ms=at_ms,
        verdict=story.verdict,
        components=tuple(part.judgement for part in story.parts),
        targets=story.targets,
        rules=rules(bool(story.alerts)),
        identity="abcdref",
    )


def _minutes(story: Story) -> Sequence[tuple[int, Rollup]]:
    first = (NOW - D) // M * M
    return [
        (at, Rollup(n=12, sum=0 if story.down and at >= NOW - story.down else 12, min=0, max=1))
        for at in range(first, NOW // M * M, M)
    ]


def _hours() -> Sequence[tuple[int, Rollup]]:
    """Thirty days; a night of a week ago in which nobody collected, and an outage of eight minutes."""
    first = (NOW - 30 * D) // H * H
    hours = [at for at in range(first, NOW // H * H, H) if not NOW - 7 * D < at < NOW - 7 * D + 10 * H]
    return [(at, Rollup(n=720, sum=624 if at == hours[-50] else 720, min=0, max=1, minutes=60)) for at in hours]


def _write_records(directory: Path) -> None:
    records = Records.open(directory / "records.db")
    records.silence("memory", "flaps since the upgrade, see #88", "op2", NOW + 3 * H, at_ms=NOW - H)
    records.acknowledge("application", "application", NOW - 7 * M, "op1", "looking at the pool", at_ms=NOW - 5 * M)
    records.close()
