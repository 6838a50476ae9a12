"""What served production when, as it was told by a moment, and what was held against it then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from console.model import payload
from console.model.causes import BEFORE_MS, CLOCKS_APART_MS
from console.model.observation import Json
from console.model.production import Blame, Stretch, blame
from console.store import codec
from console.store.moment import Moment
from console.store.names import DAY_MS, MINUTE_MS, VERDICT

VERCEL = "vercel"
LIVES_MS = 60 * DAY_MS
LIVES = 200
"""The newest changes of production that are looked at."""
LATE_MS = MINUTE_MS
"""A verdict follows its polls; what is said of a deployment later than this after its time is another's."""
VERDICTS = 60
"""So many different judgements of one deployment's first minutes are looked at, oldest first."""
GRAVE = "'critical', 'high'"


class Live(NamedTuple):
    """A deployment that began to serve production."""

    at_ms: int
    until_ms: int | None
    kind: str
    by: str | None
    data: Mapping[str, Json]

    @property
    def stretch(self) -> Stretch:
        """As rules take it."""
        made_ms = payload.time_ms(self.data, "created_ms")
        return Stretch(
            id=str(self.data["id"]), began_ms=self.at_ms, until_ms=self.until_ms, kind=self.kind, by=self.by,
            created_ms=made_ms,
        )  # fmt: skip


def lives(moment: Moment, limit: int = LIVES) -> list[Live]:
    """What went live, newest first, as it was told by the moment."""
    rows = moment.connection.execute(
        "SELECT at_ms, kind, key, data FROM event WHERE at_ms > ? AND at_ms <= ? AND at <= ? "
        "AND kind IN ('deployment', 'rollback') AND subject = ? ORDER BY at_ms DESC, id DESC LIMIT ?",
        (moment.at_ms - LIVES_MS, moment.at_ms, moment.position, VERCEL, limit),
    )
    found: list[Live] = []
    for at_ms, kind, key, data in rows:
        told = codec.loads(data)
        name = payload.text(told, "id") or _named_in(key)
        if name is not None:
            until_ms = found[-1].at_ms if found else None
            found.append(Live(at_ms, until_ms, kind, payload.text(told, "author"), {**told, "id": name}))
    return found


def _named_in(key: str) -> str | None:
    """The id in `deployment/dpl_…/live/MS`; None in any other key."""
    parts = key.split("/")
    return parts[1] if len(parts) == 4 and parts[2] == "live" else None


def held_against(moment: Moment, short: str, stretch: Stretch) -> Blame | None:
    """What the verdict blamed on a deployment in its first minutes; else a grave alert that fired then. None: nothing
    is on record against it."""
    until_ms = min(stretch.until_ms or moment.at_ms, stretch.began_ms + BEFORE_MS, moment.at_ms)
    return _by_verdict(moment, short, stretch, until_ms + LATE_MS) or _by_alert(moment, stretch, until_ms)


def _by_verdict(moment: Moment, short: str, stretch: Stretch, until_ms: int) -> Blame | None:
    rows = moment.connection.execute(
        "SELECT id FROM span WHERE target_id = ? AND began_at BETWEEN ? AND ? ORDER BY began_at LIMIT ?",
        (
            moment.keys.get(VERDICT),
            moment.timeline.position(stretch.began_ms - CLOCKS_APART_MS),
            min(moment.timeline.position(until_ms), moment.position),
            VERDICTS,
        ),
    ).fetchall()
    found: Blame | None = None
    for (number,) in rows:
        span = moment.span_by_id(number)
        reasons = [payload.mapping(each) for each in payload.items(span.body, "reasons")] if span is not None else []
        this = blame(reasons, short, stretch)
        if this is not None and this.likely:
            return this
        found = found or this
    return found


def _by_alert(moment: Moment, stretch: Stretch, until_ms: int) -> Blame | None:
    row = moment.connection.execute(
        f"SELECT text FROM alert WHERE at > ? AND at <= ? AND severity IN ({GRAVE}) ORDER BY at LIMIT 1",
        (moment.timeline.position(stretch.began_ms), min(moment.timeline.position(until_ms), moment.position)),
    ).fetchone()
    return Blame(words=f"an alert fired while it served: {row[0]}", likely=False) if row else None
