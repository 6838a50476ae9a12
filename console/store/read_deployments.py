"""Deployments and CI runs at a moment: the lists as last read by then, what was live when, and what it did."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from console.model import payload, production
from console.model.action_views import HoldingRow
from console.model.configuration import Environment
from console.model.deployment_rules import PRODUCTION, why_not
from console.model.deployments import CiRunRow, DeploymentRow, DeploymentsView
from console.model.observation import Json
from console.model.pipeline import run_row
from console.model.production import Blame, Stretch
from console.model.views import EventRow, Header
from console.model.words import time_of_day
from console.store import codec
from console.store.amiss import amiss
from console.store.closed_cells import ClosedCells
from console.store.effects import Effects
from console.store.moment import Moment
from console.store.names import RAW_MS
from console.store.read_changes import newest, observed
from console.store.read_health import clock_text
from console.store.read_lives import VERCEL, Live, held_against
from console.store.read_lives import lives as lives_of
from console.store.read_series import SeriesReader
from console.store.timeline import wall_of

GITHUB = "github"
EFFECTS = 24
"""Of so many of the deployments that were live last the effect is told."""
CLOCKS_APART_MS = 300_000
"""Between Vercel and this host."""
LOOKED_BACK = 30
"""Stored lists among which the newest with deployments is looked for; older versions stored none."""
TIMES = 3
"""So many of the newest times that a deployment served are looked at for what is held against it."""
GONE = "lists are kept for 48 hours: those of that moment are gone"
NO_RUNS = "No run is on record: they are read where [environments.{name}.github] has repository and token."
NOT_YET = "{what} had not been read by then: the first is of {first}"
NO_VERCEL = "Vercel is not configured: [environments.{name}.vercel] with project and token in the settings reads it."


class Asked(NamedTuple):
    """A rollback of ours that was begun, and may have taken place."""

    operator: str
    target: str
    """`8f3c1d2 (dpl_…)`."""
    began_ms: int


class Journal(NamedTuple):
    """What the records say: what actions left behind, and what they did lately."""

    holdings: Sequence[HoldingRow]
    lately: tuple[EventRow, ...]
    rollbacks: Sequence[Asked] = ()
    """Rollbacks of ours, newest first."""
    unread: bool = False
    """Whether the records could not be read: then nothing is known of what actions did."""


def rollbacks(connection: sqlite3.Connection, at_ms: int) -> tuple[Asked, ...]:
    """The newest rollbacks of ours that were not refused before they changed anything."""
    rows = connection.execute(
        "SELECT operator, target, began_ms FROM run WHERE action = 'rollback' AND began_ms <= ? "
        "AND (outcome IS NULL OR outcome NOT IN ('failed', 'not done')) ORDER BY id DESC LIMIT ?",
        (at_ms, TIMES),
    )
    return tuple(Asked(*row) for row in rows)


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
    lives = lives_of(moment)
    rows = _rows(listed, facts, lives, moment.at_ms)
    rows = _with_effects(moment, rows, lives, Effects(SeriesReader(moment, closed), environment, closed, moment.at_ms))
    runs, runs_words = _runs(moment, environment)
    found = _view(header, journal, facts, words=words, runs_words=runs_words)
    return replace(
        found,
        deployments=rows,
        deployments_ms=None if words and not listed else _seen_ms(moment, VERCEL),
        assign_asked=span is None or "auto_assign" in facts,
        runs=runs,
        runs_ms=_seen_ms(moment, GITHUB),
        lately=tuple(newest([*observed(moment), *journal.lately])),
    )


def _view(
    header: Header, journal: Journal, facts: Mapping[str, Json] | None, *, words: str, runs_words: str
) -> DeploymentsView:
    told, holdings = facts or {}, journal.holdings
    auto_assign = payload.flag(told, "auto_assign")
    pin = next((each.owner for each in holdings if each.kind == "pinned"), None) or _asked_by(told, journal)
    in_force = [each for each in holdings if each.expires_ms is None or each.expires_ms > header.at_ms]
    # A hold of one CI run is no freeze: everything else deploys.
    freeze = next((each for each in in_force if each.kind == "freeze" and " run " not in each.subject), None)
    return DeploymentsView(
        header=header,
        deployments=(),
        deployments_ms=None,
        deployments_words=words,
        auto_assign=auto_assign,
        pinned_by=pin if auto_assign is not True else None,
        project_names=tuple(name for key in ("project", "project_id") if (name := payload.text(told, key))),
        rolled_back=_is_rolled_back(told),
        records_unread=journal.unread,
        rolling_release=payload.flag(told, "rolling_release"),
        runs=(),
        runs_ms=None,
        runs_words=runs_words,
        frozen_until_ms=freeze.expires_ms if freeze is not None else None,
        frozen_by=freeze.owner if freeze is not None else None,
        lately=journal.lately,
    )


def _asked_by(facts: Mapping[str, Json], journal: Journal) -> str | None:
    """Who asked for the rollback that Vercel tells as its last request: a run that was closed, or is unknown, holds
    nothing in the ledger. None: nobody that the journal knows."""
    job = payload.mapping(facts, "last_alias_request")
    to, asked_ms = payload.text(job, "to"), payload.time_ms(job, "requested_ms")
    if payload.text(job, "type") != "rollback" or to is None:
        return None
    ours = (each for each in journal.rollbacks if each.target.endswith(f"({to})"))
    return next((each.operator for each in ours if (asked_ms or 0) >= each.began_ms - CLOCKS_APART_MS), None)


def _is_rolled_back(facts: Mapping[str, Json]) -> bool:
    """Whether Vercel's own last request is a rollback to what serves, whoever asked for it."""
    job = payload.mapping(facts, "last_alias_request")
    kind, to = payload.text(job, "type"), payload.text(job, "to")
    return kind == "rollback" and to is not None and to == payload.text(facts, "production", "id")


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
        return [], trouble or _not_yet(moment, VERCEL, "the list of deployments")
    stored, listed = found
    own = payload.text(stored, "deployments_trouble", limit=300)
    if own is not None:
        read_ms = payload.time_ms(stored, "deployments_read_ms")
        own += f"; the list is of {clock_text(read_ms)}" if read_ms is not None else ""
    items = [payload.mapping(item) for item in listed]
    return _of_before(items, moment, payload.time_ms(stored, "stored_ms") or 0), trouble or own or ""


def _of_before(items: list[Mapping[str, Json]], moment: Moment, stored_ms: int) -> list[Mapping[str, Json]]:
    """The list, without what it says of candidates where it is older than the newest change of production."""
    lives = lives_of(moment, 1)
    if not lives or lives[0].at_ms <= stored_ms:
        return items
    return [{**item, "candidate": None} for item in items]


def _runs(moment: Moment, environment: Environment) -> tuple[tuple[CiRunRow, ...], str]:
    if moment.span(GITHUB) is None:
        return (), _not_yet(moment, GITHUB, "the list of runs", NO_RUNS.format(name=environment.name))
    found, trouble = _list(moment, GITHUB, "runs"), amiss(moment, GITHUB)
    if found is None:
        return (), trouble or _not_yet(moment, GITHUB, "the list of runs")
    rows = tuple(run_row(payload.mapping(run), moment.at_ms) for run in found[1])
    return rows, trouble or ("" if rows else "there is no run on this branch yet")


def _not_yet(moment: Moment, target: str, what: str, never: str = "") -> str:
    """Why there is no list at the moment: it is gone, the first came later, or there `never` was one."""
    if _is_gone(moment):
        return GONE
    never = never or f"{what} has not been read yet"
    if target not in moment.keys:
        return never
    row = moment.connection.execute(
        "SELECT min(at) FROM volatile WHERE target_id = ? AND at > ?", (moment.keys[target], moment.position)
    ).fetchone()
    return never if row[0] is None else NOT_YET.format(what=what, first=clock_text(wall_of(row[0])))


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
    own = [each for each in lives if each.data["id"] == name]
    live = own[0] if own else None
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
        served_ms=sum(each.stretch.length_ms(at_ms) for each in own) if own else None,
        current=is_current,
        candidate=payload.flag(item, "candidate"),
        why_not=why_not(item, current=is_current),
        branch=payload.text(item, "branch"),
        error=payload.text(item, "error") or "",
        note=_note(name, lives, facts, at_ms),
        url=payload.text(item, "url"),
    )


def _note(name: str, lives: Sequence[Live], facts: Mapping[str, Json], at_ms: int) -> str:
    """That production was rolled back from it, or to it, the last time that it served."""
    place = next((at for at, each in enumerate(lives) if each.data["id"] == name), None)
    if place is not None:
        after = lives[place - 1] if place else None
        if after is not None and after.kind == "rollback":
            return f"rolled back from {_told(after, at_ms)}"
        if lives[place].kind == "rollback" and len(lives) > place + 1:
            return f"rolled back to {_told(lives[place], at_ms)}"
    job = payload.mapping(facts, "last_alias_request")
    if job.get("status") in ("pending", "in-progress") and job.get("to") == name:
        return f"{payload.text(job, 'type') or 'a move of production'} to it in progress"
    return ""


def _told(live: Live, at_ms: int) -> str:
    return time_of_day(live.at_ms, at_ms) + (f" by {live.by}" if live.by else "")


def _with_effects(
    moment: Moment, rows: Sequence[DeploymentRow], lives: Sequence[Live], effects: Effects
) -> tuple[DeploymentRow, ...]:
    """Those that were live last with what they did, and what is held against them."""
    served = sorted((row for row in rows if row.live_ms is not None), key=lambda row: -(row.live_ms or 0))
    chosen = {row.id for row in served[:EFFECTS] if row.target == PRODUCTION}
    stretches = [each.stretch for each in lives]
    return tuple(_with_effect(moment, row, stretches, effects) if row.id in chosen else row for row in rows)


def _with_effect(moment: Moment, row: DeploymentRow, lives: Sequence[Stretch], effects: Effects) -> DeploymentRow:
    """Of what has gone, by the time that tells most of it; of what serves, since it serves."""
    own = production.of(lives, row.id)
    best = None if row.current else production.telling(own, moment.at_ms)
    began_ms, until_ms = (best.began_ms, best.until_ms) if best is not None else (row.live_ms, row.until_ms)
    found = effects.of(began_ms, until_ms) if began_ms is not None else ()
    held = _held(moment, row.short, own)
    return replace(row, effects=found, amiss=held.words if held else "", passed=_passed(row, lives, held, moment.at_ms))


def _held(moment: Moment, short: str, own: Sequence[Stretch]) -> Blame | None:
    """What is held against it, unless it has served since for long enough to be seen well."""
    for each in own[:TIMES]:
        found = held_against(moment, short, each)
        if found is not None or each.length_ms(moment.at_ms) >= production.SEEN_AT_LEAST_MS:
            return found
    return None


def _passed(row: DeploymentRow, lives: Sequence[Stretch], held: Blame | None, at_ms: int) -> str:
    """Why production does not go back to it unless somebody names it; empty: nothing is known against it."""
    after = production.gone_back_from(lives, row.id)
    if after is not None:
        by = f" by {after.by}" if after.by and after.kind == "rollback" else ""
        return f"production went back from it {time_of_day(after.began_ms, at_ms)}{by}"
    return held.words if held is not None and held.likely else ""
