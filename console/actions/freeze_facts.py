"""What happened during a deploy freeze: the CI runs that were cancelled, by the journal, and what went live."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from console.actions import ci
from console.actions.base import Context
from console.actions.github_api import GitHubApi, Run
from console.model import payload
from console.model.not_held import KIND as NOT_HELD
from console.model.observation import Json
from console.model.ports import StoreUnreadable
from console.sources.faults import Fault
from console.store import freezes
from console.store.errors import StoreError
from console.store.files import UnsuitablePlace

ASKED = 20
"""Of so many runs GitHub is asked how they stand now; the rest is named by the journal alone."""


async def during(context: Context, api: GitHubApi, held: Json) -> dict[str, Json]:
    """`cancelled` and `went_live` since the first of the recorded freezes began; None: not known."""
    rows = [row for row in (held if isinstance(held, list) else []) if payload.text(row, "kind") == ci.FREEZE]
    began = [at_ms for row in rows if (at_ms := payload.time_ms(row, "began_ms")) is not None]
    if not began:
        return {"cancelled": [], "went_live": []}
    cancelled, went_live = await asyncio.gather(
        asyncio.to_thread(_cancelled, context, min(began)), asyncio.to_thread(_went_live, context)
    )
    return {"cancelled": await _as_now(api, cancelled) if cancelled is not None else None, "went_live": went_live}


def _cancelled(context: Context, since_ms: int) -> Sequence[freezes.Cancelled] | None:
    try:
        return context.records.read(lambda connection: freezes.cancelled(connection, since_ms))
    except (StoreError, UnsuitablePlace):
        return None


def _went_live(context: Context) -> Json:
    """The ledger's lines of it."""
    try:
        items = context.reads.actions(None).header.open_items
    except StoreUnreadable:
        return None
    return [item.text for item in items if item.kind == NOT_HELD]


async def _as_now(api: GitHubApi, cancelled: Sequence[freezes.Cancelled]) -> Json:
    """Each with what GitHub says of it now, where it says something."""

    async def one(each: freezes.Cancelled) -> Json:
        try:
            now = await api.run(each.run) if each in asked else None
        except Fault:
            now = None
        return {"run": each.run, "number": each.number, "now": now.told() if now else None}

    asked = cancelled[:ASKED]
    return list(await asyncio.gather(*map(one, cancelled)))


def words(facts: Mapping[str, Json]) -> tuple[str, ...]:
    """What is to be looked after at its end."""
    return (*_live_words(facts.get("went_live")), *_cancelled_words(facts.get("cancelled")))


def _live_words(told: Json) -> tuple[str, ...]:
    if not isinstance(told, list):
        return ("whether something went live during it cannot be read: see radar deployments",)
    return tuple(f"NOT HELD: {words}" for words in told)


def _cancelled_words(told: Json) -> tuple[str, ...]:
    if not isinstance(told, list):
        return ("which runs were cancelled during it cannot be read: see the CI and radar actions",)
    return tuple(map(_run_words, told)) or ("no run was cancelled during it",)


def _run_words(told: Json) -> str:
    number = int(payload.number(told, "number") or payload.number(told, "run") or 0)
    now = payload.mapping(told, "now")
    run = Run.of(dict(now)) if now else None
    again = f"radar rerun {number}"
    if run is None:
        return f"#{number} was cancelled: {again}"
    if run.conclusion == "cancelled":
        return f"{run.words} was cancelled: {again}"
    return f"{run.words} was cancelled, and is {run.stands} now at attempt {run.attempt}"
