"""Events that two answers of one target tell together: a setting changed, another version serves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from console.model.observation import Event, Json, Observation


@dataclass(frozen=True, slots=True)
class _Watched:
    target: str
    fact: str
    kind: str
    words: str


_WATCHED = (
    _Watched("postgres.activity", "max_connections", "setting", "max_connections"),
    _Watched("postgres.activity", "server_version", "setting", "PostgreSQL"),
    _Watched("health", "version", "deployment", "version"),
)


def changes(before: Observation | None, now: Observation, at_ms: int, *, deployments_told: bool) -> Iterator[Event]:
    """The events between two answers. `deployments_told`: a source of its own tells of deployments."""
    for watched in _WATCHED if before else ():
        if watched.target != now.target or (watched.kind == "deployment" and deployments_told):
            continue
        was, is_now = before.facts.get(watched.fact) if before else None, now.facts.get(watched.fact)
        if was is not None and is_now is not None and was != is_now:
            yield _event(watched, was, is_now, at_ms)


def _event(watched: _Watched, was: Json, is_now: Json, at_ms: int) -> Event:
    return Event(
        at_ms=at_ms,
        kind=watched.kind,
        subject=watched.target,
        text=f"{watched.words} {was} → {is_now}",
        key=f"{watched.kind}/{watched.target}/{watched.fact}/{at_ms}",
    )
