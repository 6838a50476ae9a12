"""Deployments and CI runs at a moment: the lists as last read by then, what was live when, and what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from console.model import payload
from console.model.action_views import HoldingRow
from console.model.configuration import Environment
from console.model.deployment_rules import PRODUCTION, why_not
from console.model.deployments import CiRunRow, DeploymentRow, DeploymentsView
from console.model.observation import Json
from console.model.pipeline import run_row
from console.model.views import EventRow, Header
from console.model.words import time_of_day
from console.store import codec
from console.store.amiss import amiss
from console.store.closed_cells import ClosedCells
from console.store.effects import Effects
from console.store.moment import Moment
from console.store.names import DAY_MS, RAW_MS
from console.store.read_changes import newest, observed
from console.store.read_health import clock_text
from console.store.read_series import SeriesReader
from console.store.timeline import wall_of

VERCEL, GITHUB = "vercel", "github"
LIVES_MS = 60 * DAY_MS
LIVES = 200
"""The newest changes of production that are looked at."""
EFFECTS = 24
"""Of so many of the deployments that were live last the effect is told."""
LOOKED_BACK = 30
"""Stored lists among which the newest with deployments is looked for; older versions stored none."""
GONE = "lists are kept for 48 hours: those of that moment are gone"
NO_RUNS = "No run is on record: [environments.{name}.github] with repository and token in the settings reads them."
NO_VERCEL = "Vercel is not configured: [environments.{name}.vercel] with project and token in the settings reads it."


class Live(NamedTuple):
    """A deployment that began to serve production."""

    at_ms: int
    until_ms: int | None
    kind: str
    by: str | None
    data: Mapping[str, Json]


class Journal(NamedTuple):
    """What the records say: what actions left behind, and what they did lately."""

    holdings: Sequence[HoldingRow]
    lately: tuple[EventRow, ...]


def empty(environment: Environment, header: Header, journal: Journal) -> DeploymentsView:
    """The view over a store that does not exist yet."""
    words = "Nothing has been observed yet: radar collect does, and the console brings its own collector."
    return _view(
        header, journal, None, words=words if environment.vercel else _unconfigured(environment), runs_words=words
    )


def view(
    moment: Moment, environment: Environment, header: Header, journal: Journal, closed: ClosedCells
) -> DeploymentsView:
    """What was known at the moment. `closed`: what earlier reads of the same file kept."""
    span = moment.answered(VERCEL)
    facts: Mapping[str, Json] = span.body["facts"] if span is not None else {}
    listed, words = _deployments(moment, environment)
    lives = _lives(moment)
    rows = _rows(listed, facts, lives, moment.at_ms)
    rows = _with_effects(rows, Effects(SeriesReader(moment, closed), environment, closed, moment.at_ms))
    runs, runs_words = _runs(moment, environment)
    found = _view(header, journal, facts, words=words, runs_words=runs_words)
    return replace(
        found,
        deployments=rows,
        deployments_ms=_seen_ms(moment, VERCEL),
        runs=runs,
        runs_ms=_seen_ms(moment, GITHUB),
        lately=tuple(newest([*observed(moment), *journal.lately])),
    )


def _view(
    header: Header, journal: Journal, facts: Mapping[str, Json] | None, *, words: str, runs_words: str
) -> DeploymentsView:
    told, holdings = facts or {}, journal.holdings
    auto_assign = payload.flag(told, "auto_assign")
    pin = next((each for each in holdings if each.kind == "pinned"), None)
    in_force = [each for each in holdings if each.expires_ms is None or each.expires_ms > header.at_ms]
    freeze = next((each for each in in_force if each.kind == "freeze"), None)
    return DeploymentsView(
        header=header,
        deployments=(),
        deployments_ms=None,
        deployments_words=words,
        auto_assign=auto_assign,
        pinned_by=pin.owner if pin is not None and auto_assign is not True else None,
        rolling_release=payload.flag(told, "rolling_release"),
        runs=(),
        runs_ms=None,
        runs_words=runs_words,
        frozen_until_ms=freeze.expires_ms if freeze is not None else None,
        frozen_by=freeze.owner if freeze is not None else None,
        lately=journal.lately,
    )


def _unconfigured(environment: Environment) -> str:
    return NO_VERCEL.format(name=environment.name)


def _seen_ms(moment: Moment, target: str) -> int | None:
    span = moment.span(target)
    at = None if span is None else moment.last_answer(span)
    return None if at is None else wall_of(at)


# What was stored


def _list(moment: Moment, target: str, name: str) -> tuple[Mapping[str, Json], Sequence[Json]] | None:
    """(all that was stored with it, the newest list of that name by the moment); None: there is none."""
    if target not in moment.keys:
        return None
    rows = moment.connection.execute(
        "SELECT at, data FROM volatile WHERE target_id = ? AND at <= ? ORDER BY at DESC LIMIT ?",
        (moment.keys[target], moment.position, LOOKED_BACK),
    )
    for at, data in rows:
        stored = codec.unpacked(data)
        if isinstance(stored.get(name), list):
            return stored | {"stored_ms": wall_of(at)}, stored[name]
    return None


def _is_gone(moment: Moment) -> bool:
    """Whether lists of the moment would be deleted by now."""
    newest_ms = wall_of(moment.lease.last_at) if moment.lease is not None else moment.at_ms
    return newest_ms - moment.at_ms > RAW_MS


def _deployments(moment: Moment, environment: Environment) -> tuple[list[Mapping[str, Json]], str]:
    """The list, and what is amiss with it in words."""
    found = _list(moment, VERCEL, "deployments")
    trouble = amiss(moment, VERCEL)
    if found is None:
        if moment.span(VERCEL) is None:
            return [], _unconfigured(environment) if environment.vercel is None else "Vercel has not been asked yet"
        return [], trouble or (GONE if _is_gone(moment) else "the list of deployments has not been read yet")
    stored, listed = found
    own = payload.text(stored, "deployments_trouble", limit=300)
    if own is not None:
        read_ms = payload.time_ms(stored, "deployments_read_ms")
        own += f"; the list is of {clock_text(read_ms)}" if read_ms is not None else ""
    items = [payload.mapping(item) for item in listed]
    return _of_before(items, moment, payload.time_ms(stored, "stored_ms") or 0), trouble or own or ""


def _of_before(items: list[Mapping[str, Json]], moment: Moment, stored_ms: int) -> list[Mapping[str, Json]]:
    """The list, without what it says of candidates where it is older than the newest change of production."""
    lives = _lives(moment, 1)
    if not lives or lives[0].at_ms <= stored_ms:
        return items
    return [{**item, "candidate": None} for item in items]


def _runs(moment: Moment, environment: Environment) -> tuple[tuple[CiRunRow, ...], str]:
    if moment.span(GITHUB) is None:
        return (), NO_RUNS.format(name=environment.name)
    found, trouble = _list(moment, GITHUB, "runs"), amiss(moment, GITHUB)
    if found is None:
        return (), trouble or (GONE if _is_gone(moment) else "the runs have not been read yet")
    rows = tuple(run_row(payload.mapping(run), moment.at_ms) for run in found[1])
    return rows, trouble or ("" if rows else "there is no run on this branch yet")


def _lives(moment: Moment, limit: int = LIVES) -> list[Live]:
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


# Rows


def _rows(
    listed: Sequence[Mapping[str, Json]], facts: Mapping[str, Json], lives: Sequence[Live], at_ms: int
) -> tuple[DeploymentRow, ...]:
    """Production first, then staging, then previews, each newest first; the current one even where no list has it."""
    production = payload.mapping(facts, "production")
    current = payload.text(production, "id")
    items = {str(item.get("id")): item for item in listed}
    if current is not None and current not in items:
        state = (payload.text(production, "state") or "unknown").lower()
        items[current] = {**production, "target": PRODUCTION, "state": state, "ever_live": True}
    if not listed:
        for live in lives:  # what served is on record for a year, though the list is not
            items.setdefault(
                str(live.data["id"]), {**live.data, "target": PRODUCTION, "state": "ready", "ever_live": True}
            )
    rows = [_row(item, current, lives, facts, at_ms) for item in items.values()]
    return tuple(sorted(rows, key=_order))


def _order(row: DeploymentRow) -> tuple[int, int]:
    place = 0 if row.target == PRODUCTION else 1 if row.target is not None else 2
    return place, -(row.created_ms or row.live_ms or 0)


def _row(
    item: Mapping[str, Json], current: str | None, lives: Sequence[Live], facts: Mapping[str, Json], at_ms: int
) -> DeploymentRow:
    name = str(item.get("id"))
    is_current = name == current
    live = next((each for each in lives if each.data["id"] == name), None)
    told_ms = payload.time_ms(item, "live_ms")
    return DeploymentRow(
        id=name,
        short=payload.text(item, "short") or name[:7],
        message=payload.text(item, "message") or "",
        author=payload.text(item, "author"),
        target=payload.text(item, "target"),
        state=payload.text(item, "state") or "unknown",
        created_ms=payload.time_ms(item, "created_ms"),
        live_ms=live.at_ms if live is not None else told_ms,
        until_ms=None if is_current or live is None else live.until_ms,
        current=is_current,
        candidate=payload.flag(item, "candidate"),
        why_not=why_not(item, current=is_current),
        branch=payload.text(item, "branch"),
        error=payload.text(item, "error") or "",
        note=_note(name, lives, facts, at_ms),
        url=payload.text(item, "url"),
    )


def _note(name: str, lives: Sequence[Live], facts: Mapping[str, Json], at_ms: int) -> str:
    """That production was rolled back from it, or to it."""
    for newer, older in pairwise(lives):
        if newer.kind != "rollback":
            continue
        told = time_of_day(newer.at_ms, at_ms) + (f" by {newer.by}" if newer.by else "")
        if older.data["id"] == name:
            return f"rolled back from {told}"
        if newer.data["id"] == name:
            return f"rolled back to {told}"
    job = payload.mapping(facts, "last_alias_request")
    if job.get("status") in ("pending", "in-progress") and job.get("to") == name:
        return f"{payload.text(job, 'type') or 'a move of production'} to it in progress"
    return ""


def _with_effects(rows: Sequence[DeploymentRow], effects: Effects) -> tuple[DeploymentRow, ...]:
    """Those that were live last with what they did."""
    served = sorted((row for row in rows if row.live_ms is not None), key=lambda row: -(row.live_ms or 0))
    chosen = {row.id for row in served[:EFFECTS] if row.target == PRODUCTION}
    return tuple(
        replace(row, effects=effects.of(row.live_ms, row.until_ms))
        if row.id in chosen and row.live_ms is not None
        else row
        for row in rows
    )
