"""The header of every view: identity, worst state, alerts, late sources, and the collector itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from console.model import payload
from console.model.configuration import Environment
from console.model.observation import Json, Outcome
from console.model.states import State
from console.model.times import date_time
from console.model.views import CollectorStatus, Header, OpenItem
from console.store.clock import Clock
from console.store.lease import TAKEOVER_MS, difference
from console.store.moment import Moment, SpanAt
from console.store.names import COMPONENT, VERDICT
from console.store.not_held import not_held
from console.store.read_alerts import firing
from console.store.read_records import RecordsAt
from console.store.timeline import wall_of

COLLECTOR = "collector"
PLATFORM, PINNED = "vercel", "pinned"
RUNS = frozenset({"running", "interrupted", "unknown"})
IN_FLIGHT_MS = 10_000
"""An answer that was asked for before a pin began or ended may be written after it."""
UNJUDGED = frozenset({"github"})
"""Sources that say nothing of the application's health, and are in no component."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """What the reader knows of itself."""

    environment: Environment
    fingerprint: str | None
    identities: Mapping[str, str]
    clock: Clock


def empty_header(ours: Ours, at_ms: int, records: RecordsAt) -> Header:
    """The header over a store that does not exist yet."""
    return Header(
        at_ms=at_ms,
        environment=ours.environment.name,
        label=ours.environment.label,
        identity=None,
        identity_mismatch=None,
        state=State.UNKNOWN,
        alerts_firing=0,
        sources_late=0,
        sources=0,
        collector=CollectorStatus(alive=False),
        open_items=_carried_out(records.open_items(), alive=False),
        armed_until_ms=records.armed_until_ms,
    )


def header(moment: Moment, ours: Ours, records: RecordsAt) -> Header:
    """The header at the moment."""
    figures = moment.figures
    late, sources = _late(moment)
    collector = _collector(moment, ours)
    return Header(
        at_ms=moment.at_ms,
        environment=ours.environment.name,
        label=ours.environment.label,
        identity=figures["identity"] if figures else None,
        identity_mismatch=figures["mismatch"] if figures else None,
        state=_state(moment),
        alerts_firing=sum(1 for alert in firing(moment, records) if alert.silenced_until_ms is None),
        sources_late=late,
        sources=sources,
        collector=collector,
        open_items=(
            *not_held(moment, records), *_open_items(moment, records, alive=collector.alive or not moment.live)
        ),
        armed_until_ms=records.armed_until_ms,
    )  # fmt: skip


NOBODY = "nobody will carry it out, since no collector runs: start radar collect"


def _carried_out(items: tuple[OpenItem, ...], *, alive: bool) -> tuple[OpenItem, ...]:
    """What is due, with the word that nobody is there to do it."""
    if alive:
        return items
    return tuple(replace(item, text=f"{item.text}: {NOBODY}") if item.kind == "due" else item for item in items)


def _open_items(moment: Moment, records: RecordsAt, *, alive: bool) -> tuple[OpenItem, ...]:
    """The ledger; of a pin that somebody has ended elsewhere it says so, and a rollback that it lacks it has too."""
    items, span = _carried_out(records.open_items(), alive=alive), moment.answered(PLATFORM)
    if span is None:
        return items
    facts = span.body["facts"]
    began_ms, last_ms = wall_of(span.began_at), wall_of(span.last_at)
    if not any(item.kind == PINNED for item in items):
        # What Vercel told before our promotion ended the pin is no second one.
        asked_since = last_ms >= (records.unpinned_ms or 0) + IN_FLIGHT_MS
        return (*items, *(_unrecorded(facts, items) if asked_since else ()))
    if facts.get("auto_assign") is not True:
        return items
    serving = (facts.get("production") or {}).get("id")
    return tuple(
        _gone(item, max(began_ms, item.since_ms or 0), serving)
        if item.kind == PINNED and last_ms >= (item.since_ms or 0) + IN_FLIGHT_MS
        else item
        for item in items
    )


def _unrecorded(facts: Mapping[str, Json], items: tuple[OpenItem, ...]) -> tuple[OpenItem, ...]:
    """A pin by a rollback that is on no record of ours: somebody else's, or recorded elsewhere when the glass was
    broken. Somebody must end it all the same. A run that is not at its end tells of its own."""
    job, serves = payload.mapping(facts, "last_alias_request"), payload.text(facts, "production", "id")
    to = payload.text(job, "to")
    is_pin = payload.flag(facts, "auto_assign") is False and payload.text(job, "type") == "rollback" and to == serves
    if not is_pin or to is None or any(item.kind in RUNS for item in items):
        return ()
    short, back = payload.text(facts, "production", "short") or to, payload.text(job, "from") or to
    known = back.replace("_", "").replace("-", "").isalnum()  # it stands in a command that people copy
    return (
        OpenItem(
            kind=PINNED,
            text=f"by a rollback to {short} that our records do not hold",
            owner=payload.text(facts, "rollback", "by") or "somebody at Vercel",
            since_ms=payload.time_ms(job, "requested_ms"),
            undo=f"radar promote {back}" if known else "",
            request=("promote", {"to": back}) if known else None,
        ),
    )


def _gone(item: OpenItem, since_ms: int, serving: str | None) -> OpenItem:
    """A pin that was seen gone. What serves is promoted to end its entry: that moves nothing."""
    text = f"{item.text}; seen gone since {date_time(since_ms)} UTC: radar promote ends this entry"
    if serving is None:
        return replace(item, text=text)
    return replace(item, text=text, undo=f"radar promote {serving}", request=("promote", {"to": serving}))


def _state(moment: Moment) -> State:
    span = moment.span(VERDICT)
    if span is None:
        return State.UNKNOWN
    return State.STALE if moment.late(span) else span.state


def _late(moment: Moment) -> tuple[int, int]:
    """(late, all) of the targets seen. A target that no component names any more counts only while it is polled.

    What no component tells of counts as late while it gives nothing: nothing else on Health would say so.
    """
    named = {target for key in moment.components for target in _targets(moment.span(COMPONENT + key))}
    late = sources = 0
    for key in moment.polled:
        span = moment.span(key)
        if span is None or key == COLLECTOR:
            continue
        is_late = moment.late(span)
        if is_late and named and key not in named:
            continue
        sources += 1
        late += is_late or (key in UNJUDGED and span.outcome != Outcome.ANSWERED)
    return late, sources


def _targets(span: SpanAt | None) -> list[str]:
    return list(span.body["targets"]) if span else []


def _collector(moment: Moment, ours: Ours) -> CollectorStatus:
    lease = moment.lease
    if lease is None or not lease.holder.name:
        return CollectorStatus(alive=_judged(moment) and not moment.live, last_error=_last_error(moment))
    if not moment.live:
        return CollectorStatus(alive=_judged(moment), last_error=_last_error(moment))
    same_boot = lease.holder.boot_id == ours.clock.boot_id
    age_ms = ours.clock.boot_ms() - lease.renewed_boot_ms if same_boot else ours.clock.wall_ms() - lease.renewed_ms
    return CollectorStatus(
        alive=lease.alive(ours.clock),
        holder=lease.holder.words,
        renewed_age_s=max(0, age_ms) / 1000,
        difference=difference(lease.holder, ours.fingerprint, ours.identities),
        last_error=_last_error(moment),
    )


def _judged(moment: Moment) -> bool:
    """Whether the collector was alive at a past moment: it judged, or polled anything, and was not late with it."""
    spans = [moment.span(VERDICT), *(moment.span(key) for key in moment.polled)]
    return any(span is not None and not moment.late(span) for span in spans) or any(
        span is not None and moment.position - span.last_at < TAKEOVER_MS for span in spans
    )


def _last_error(moment: Moment) -> str | None:
    span = moment.span(COLLECTOR)
    if span is not None and span.state is not State.HEALTHY and not moment.late(span):
        told = span.body["facts"].get("last_error", span.body["words"])
        if told:
            return str(told)
    row = moment.connection.execute(
        "SELECT text FROM event WHERE kind IN ('store', 'defect') AND at <= ? AND at_ms > ? "
        "ORDER BY at_ms DESC LIMIT 1",
        (moment.position, wall_of(moment.position) - 600_000),
    ).fetchone()
    return str(row[0]) if row else None
