"""What differs between two reads of the store, as lines for people who watch without a screen. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from console.model.states import State, rank
from console.model.times import clock
from console.model.views import AlertRow, AlertsView, ComponentRow, HealthView, Reason

COMPONENT_CHANGED = "state"
"""The kind of the events that tell what the components' own lines tell already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that became different. `at_ms` is when it began, as far as that is known."""

    at_ms: int
    kind: str
    """`verdict`, `reason`, `component`, `alert`, `event` or `collector`."""
    subject: str
    text: str
    state: State | None = None
    was: State | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was read at one moment."""

    health: HealthView
    alerts: AlertsView


def differences(before: Sight | None, after: Sight) -> tuple[Change, ...]:
    """What became different, oldest first; with no `before`, what is not well now and the state of the whole."""
    found = [
        *_collector(before, after),
        *_verdict(before, after),
        *_reasons(before, after),
        *_components(before, after),
        *_alerts(before, after),
        *_events(before, after),
    ]
    return tuple(sorted(found, key=lambda change: change.at_ms))


def _collector(before: Sight | None, after: Sight) -> Iterator[Change]:
    now = after.health.header.collector
    if (before is None and now.alive) or (before and before.health.header.collector.alive == now.alive):
        return
    text = f"collecting: {now.holder or 'unknown holder'}" if now.alive else "nobody collects: nothing new is observed"
    yield Change(
        at_ms=after.health.header.at_ms,
        kind="collector",
        subject="collector",
        text=text,
        state=State.HEALTHY if now.alive else State.UNKNOWN,
    )


def _verdict(before: Sight | None, after: Sight) -> Iterator[Change]:
    """The state as the header has it: it knows of old values, which a stored verdict does not."""
    header = after.health.header
    was = before.health.header.state if before else None
    if header.state == was:
        return
    verdict_ms = after.health.verdict_ms or header.at_ms
    if header.state is State.STALE:
        at_ms, words = header.at_ms, f"not judged since {clock(verdict_ms)}"
    else:
        at_ms, words = verdict_ms, _why(after) if header.state is not State.HEALTHY else ""
    yield Change(at_ms=at_ms, kind="verdict", subject=header.environment, text=words, state=header.state, was=was)


def _why(sight: Sight) -> str:
    """The first reason; whose it is, where it is somebody else's and that reason does not say so."""
    verdict = sight.health.verdict
    if verdict is None or not verdict.reasons:
        return verdict.whose_words if verdict else ""
    top = verdict.reasons[0]
    told = f"{top.component}: {top.text.removeprefix(f'{top.component}: ')}"
    others = verdict.whose in ("vendor", "supabase", "bastion") and " reports " not in top.text
    return f"{told}; {verdict.whose_words}" if others else told


def _reasons(before: Sight | None, after: Sight) -> Iterator[Change]:
    old = _by_key(before)
    new = _by_key(after)
    now_ms = after.health.header.at_ms
    for key, reason in new.items():
        if key not in old or old[key].state != reason.state:
            cause = f"; {reason.cause}" if reason.cause else ""
            yield Change(
                at_ms=reason.since_ms or now_ms,
                kind="reason",
                subject=reason.component,
                text=f"{reason.text} ({reason.origin}){cause}",
                state=reason.state,
                was=old[key].state if key in old else None,
            )
    for key in old.keys() - new.keys():
        yield Change(at_ms=now_ms, kind="reason", subject=old[key].component, text=f"no longer: {old[key].text}")


def _by_key(sight: Sight | None) -> dict[str, Reason]:
    verdict = sight.health.verdict if sight else None
    return {reason.key: reason for reason in verdict.reasons} if verdict else {}


def _components(before: Sight | None, after: Sight) -> Iterator[Change]:
    old = {row.key: row for row in before.health.components} if before else {}
    for row in after.health.components:
        was = old[row.key].state if row.key in old else None
        if row.state == was or (before is None and rank(row.state) <= rank(State.HEALTHY)):
            continue
        yield Change(
            at_ms=_since(row, after.health.header.at_ms),
            kind="component",
            subject=row.key,
            text=f"{row.figure} ({row.origin})" + (f"; {row.error}" if row.error else ""),
            state=row.state,
            was=was,
        )


def _since(row: ComponentRow, now_ms: int) -> int:
    """A judgement has a beginning; that a value became too old is seen now."""
    return now_ms if row.state is State.STALE or row.since_ms is None else row.since_ms


def _alerts(before: Sight | None, after: Sight) -> Iterator[Change]:
    old = {row.id: row for row in before.alerts.firing} if before else {}
    new = {row.id: row for row in after.alerts.firing}
    now_ms = after.alerts.header.at_ms
    for key, row in new.items():
        if key not in old:
            yield _alert(row, row.began_ms, f"firing ({row.severity}): {row.text}", State.UNHEALTHY)
        elif row.acknowledged_ms and not old[key].acknowledged_ms:
            note = f": {row.acknowledged_note}" if row.acknowledged_note else ""
            yield _alert(row, row.acknowledged_ms, f"acknowledged by {row.acknowledged_by}{note}", None)
    ended = {row.id: row.ended_ms for row in after.alerts.history if row.ended_ms}
    for key in old.keys() - new.keys():
        yield _alert(old[key], ended.get(key, now_ms), "resolved", State.HEALTHY)


def _alert(row: AlertRow, at_ms: int, words: str, state: State | None) -> Change:
    return Change(at_ms=at_ms, kind="alert", subject=row.name, text=f"{row.id} {words}", state=state)


def _events(before: Sight | None, after: Sight) -> Iterator[Change]:
    """What happened before we began to watch is history, and `radar watch` tells only what is new."""
    old = set(before.health.lately) if before else set(after.health.lately)
    for event in after.health.lately:
        if event not in old and event.kind != COMPONENT_CHANGED:
            yield Change(at_ms=event.at_ms, kind="event", subject=event.kind, text=event.text, state=event.state)
