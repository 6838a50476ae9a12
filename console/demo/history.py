"""`python -m console.demo.history PARENT_PID DIRECTORY`: writes 30 authored days into the store, then ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from console.demo import incidents, past, series
from console.demo.incidents import Incident
from console.demo.link import Link, Message, run
from console.demo.world import DAY_MS, HOUR_MS, MINUTE_MS, REF, World, author
from console.model.judgement import AlertChange
from console.model.observation import Observation
from console.store.history import HistoryWriter

MINUTES_OF_MS = 2 * DAY_MS
RAW_MS = 10 * MINUTE_MS
"""Rounds older than this are rollups. Left as rounds they would keep a new collector packing for minutes."""


@dataclass(slots=True)
class _Run:
    """Stretches on end in which a target gave the same."""

    observation: Observation
    began_ms: int
    last_ms: int


def write(path: Path, world: World, certificate: str) -> None:
    """Author `observed.db` at `path`, which must not exist. `certificate`: the target of the demo's TLS listener."""
    nights = incidents.of(world)
    with HistoryWriter(path) as writer:
        for stretch in past.stretches(world, nights):
            writer.judgement(past.judgement(stretch, REF, certificate), stretch.ended_ms)
        for found in _runs(world, nights, certificate):
            raw = found.last_ms > world.now_ms - RAW_MS
            writer.observation(found.observation, found.began_ms, found.last_ms, past.INTERVAL_S, raw=raw)
        for event in sorted(past.events(world, nights), key=lambda one: one.at_ms):
            writer.event(event)
        for alert in sorted(_alerts(nights), key=lambda one: one.began_ms):
            writer.alert(alert)
        _rollups(writer, world, nights, certificate)


def _rollups(writer: HistoryWriter, world: World, nights: tuple[Incident, ...], certificate: str) -> None:
    """Hours of 30 days, minutes of the last two: today's are compared with yesterday's. A day more costs 0.4 s."""
    for name, rollups in series.rolled(series.buckets(world, nights, HOUR_MS, world.began_ms), certificate):
        writer.hours(name, rollups)
    first_ms = world.now_ms // HOUR_MS * HOUR_MS - MINUTES_OF_MS
    for name, rollups in series.rolled(series.buckets(world, nights, MINUTE_MS, first_ms), certificate):
        writer.minutes(name, rollups)
    writer.minutes(series.UP, series.uptime_minutes(world, nights))


def _runs(world: World, nights: tuple[Incident, ...], certificate: str) -> list[_Run]:
    """What the targets gave, equal neighbours joined, by target and time."""
    found: list[_Run] = []
    newest: dict[str, _Run] = {}
    for stretch in past.stretches(world, nights):
        for observation in past.observations(stretch, certificate):
            before = newest.get(observation.target)
            if before and before.observation == observation and before.last_ms == stretch.began_ms:
                before.last_ms = stretch.ended_ms
            else:
                newest[observation.target] = _Run(observation, stretch.began_ms, stretch.ended_ms)
                found.append(newest[observation.target])
    return found


def _alerts(nights: tuple[Incident, ...]) -> list[AlertChange]:
    return [
        AlertChange(
            rule=alarm.rule, subject=alarm.subject, severity=alarm.severity, text=alarm.text, origin=alarm.origin,
            pending_ms=night.began_ms, began_ms=night.began_ms + alarm.pending_s * 1000,
            ended_ms=night.ended_ms + 60_000, value=alarm.value, limit=alarm.limit, unit=alarm.unit,
        )
        for night in nights for alarm in night.alarms
    ]  # fmt: skip


async def main(link: Link, configuration: Message) -> None:
    """Write, say so, end."""
    world = author(configuration["now_ms"], configuration["seed"])
    write(Path(configuration["store"]), world, configuration["certificate"])
    link.announce(ready=True)


if __name__ == "__main__":
    run(main)
