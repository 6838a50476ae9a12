"""What a plan about maintenance rests on: the flag, the page from outside, the database's health, CI, the status page.

Looked at side by side; a system that does not answer is a fact too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from console.actions import in_progress
from console.actions.base import Context
from console.actions.maintenance_providers import Provider, Reading, reading_or_fault
from console.actions.status_page import StatusPage
from console.actions.wire import Rejected
from console.model import payload
from console.model.actions import Check, CheckResult
from console.model.maintenance import HOLDING, Sign, flag_of, sign_of
from console.model.observation import Json
from console.model.operations import Maintenance
from console.model.ports import StoreUnreadable
from console.model.states import State
from console.model.times import date_time
from console.sources.application import address
from console.sources.faults import Fault
from console.sources.http import REDIRECT_LIMIT, Limits, Request, fetch

ANOTHER = "use another provider"
"""What helps when the database is the fault: a hook, an Edge Config, or the page at the edge by hand."""
OLD_MS = 3 * 60_000
"""What was judged longer ago says nothing of now."""
PAGE_LIMITS = Limits(connect_s=3.0, read_s=5.0, total_s=6.0)

Facts = Mapping[str, Json]


async def gathered(context: Context, provider: Provider, message: str = "") -> dict[str, Json]:
    """All of them. `message`: that the escape card gives too. Raises nothing that is expected."""
    maintenance = context.operations.maintenance
    assert maintenance is not None  # there is a provider
    reading, page, statuspage, moving, observed = await asyncio.gather(
        reading_or_fault(provider),
        seen_page(context, maintenance),
        _statuspage(context),
        in_progress.read(context),
        asyncio.to_thread(_observed, context),
    )
    return {
        **_told(reading),
        # As they are after the reading, which found out under which name Vercel keeps the store.
        "call": provider.call,
        "escape": {word: list(provider.escape(on=word == "on", message=message)) for word in ("on", "off")},
        "page": page,
        "statuspage": statuspage,
        "moving": moving,
        "at_ms": context.now_ms(),
        **observed,
    }


def _told(reading: Reading | Fault) -> dict[str, Json]:
    if isinstance(reading, Fault):
        return {"fault": reading.words, "flag": None}
    return {"fault": None, "flag": reading.flag.value}


async def seen_page(context: Context, maintenance: Maintenance) -> dict[str, Json]:
    """What visitors get at the page just now: `status` and `sign`, or `fault`."""
    url = address(context.environment, maintenance.page)
    request = Request(
        url=url, headers={"cache-control": "no-cache"}, limits=PAGE_LIMITS, redirects=REDIRECT_LIMIT, cut=True
    )
    try:
        answer = await fetch(context.clients.of(url), request)
    except Fault as fault:
        return {"fault": fault.words}
    return {
        "status": answer.status,
        "sign": sign_of(answer.status, answer.headers, answer.body, maintenance.marker),
    }


def sign_in(page: Json) -> Sign:
    """The sign in what `seen_page` gave."""
    found = payload.at(page, "sign")
    return found if found in ("header", "page", "503", "marker") else ""  # type: ignore[return-value]


async def _statuspage(context: Context) -> Json:
    if context.operations.statuspage is None:
        return None
    try:
        components = await StatusPage(context.operations.statuspage, context).components()
    except Rejected as error:
        return {"fault": error.words}
    wanted = context.operations.statuspage.components
    return {"missing": [each for each in wanted if each not in components], "components": len(wanted)}


def _observed(context: Context) -> dict[str, Json]:
    """What is wrong by the store: of the database, and at all; who holds maintenance."""
    try:
        view = context.reads.health(None, strip_slices=1, events=1)
        held = [row for row in context.reads.actions(None).holdings if row.kind == HOLDING]
    except StoreUnreadable as error:
        return {"unread": str(error), "database": [], "database_down": False, "reasons": [], "held": []}
    reasons = view.verdict.reasons if view.verdict else ()
    seen = next((row.state for row in view.components if row.key == "database"), State.UNKNOWN)
    bad = [each for each in reasons if each.state is State.UNHEALTHY]
    database = [each for each in reasons if each.component == "database" or each.key == "application.check:database"]
    return {
        "unread": _unjudged(view.verdict_ms if view.verdict else None, seen, context.now_ms()),
        "database": [each.text for each in database],
        "database_down": any(each.state is State.UNHEALTHY for each in database),
        "reasons": [f"{each.component}: {each.text}" for each in bad],
        "held": [{"owner": row.owner, "began_ms": row.began_ms} for row in held],
    }


def _unjudged(verdict_ms: int | None, database: State, now_ms: int) -> str | None:
    """Why the store says nothing of the database; None: it does."""
    if verdict_ms is None:
        return "nothing was ever judged: is `radar collect` running?"
    if now_ms - verdict_ms > OLD_MS:
        return f"nothing was judged since {date_time(verdict_ms)} UTC: is `radar collect` running?"
    if database in (State.UNKNOWN, State.STALE, State.NOT_CONFIGURED):
        return f"it is {database.value.replace('_', ' ')} here"
    return None


# --- the preflight's lines --------------------------------------------------------------------------------------------


def checks(facts: Facts, provider: Provider, context: Context, *, on: bool, changes: bool = False) -> tuple[Check, ...]:
    """All of them; pure. `changes`: it is on already, and something of it shall be another."""
    is_row = context.operations.maintenance is not None and context.operations.maintenance.provider == "database"
    found = [
        _provider(facts, provider.name, is_row=is_row),
        _state(facts, on=on, changes=changes),
        _database(facts) if is_row else None,
        _page(facts, on=on),
        *in_progress.checks(payload.mapping(facts, "moving")),
        _public(facts),
        _held(facts, context.operator) if not on else None,
        _health(facts) if not on else None,
    ]
    return tuple(check for check in found if check)


def _check(key: str, result: CheckResult, words: str, source: str, facts: Facts) -> Check:
    at_ms = facts.get("at_ms")
    return Check(key=key, result=result, words=words, source=source, at_ms=at_ms if isinstance(at_ms, int) else None)


def _provider(facts: Facts, name: str, *, is_row: bool) -> Check:
    fault = facts.get("fault")
    if not fault:
        return _check("provider", CheckResult.PASS, f"{name} answers", "provider", facts)
    help_ = f"; {ANOTHER}" if is_row and "radar maintenance table" not in str(fault) else ""
    return _check("provider", CheckResult.FAIL, f"{name} cannot be read: {fault}{help_}", "provider", facts)


def _state(facts: Facts, *, on: bool, changes: bool) -> Check | None:
    if facts.get("fault"):
        return None
    flag = flag_of(facts.get("flag"))
    if flag.on is None:
        return _check("state", CheckResult.WARN, f"{flag.words}; it is replaced", "provider", facts)
    if changes:
        words = f"maintenance is {flag.words}: that is changed, since when stays"
        return _check("state", CheckResult.PASS, words, "provider", facts)
    if flag.on is on:
        words = f"maintenance is already {flag.words}: it is not switched; the rest is looked at and told"
        return _check("state", CheckResult.PASS, words, "provider", facts)
    return _check("state", CheckResult.PASS, f"maintenance is {flag.words}", "provider", facts)


def _database(facts: Facts) -> Check:
    reasons = facts.get("database")
    words = "; ".join(str(each) for each in reasons) if isinstance(reasons, list) else ""
    if facts.get("database_down"):
        return _check("database", CheckResult.FAIL, f"the database is the fault: {words}; {ANOTHER}", "store", facts)
    if words:
        told = f"the database is not well: {words}; if the flag cannot be read from it, {ANOTHER}"
        return _check("database", CheckResult.WARN, told, "store", facts)
    if facts.get("unread"):
        told = f"whether the database is well is not known: {facts['unread']}"
        return _check("database", CheckResult.WARN, told, "store", facts)
    return _check("database", CheckResult.PASS, "the database is not the fault", "store", facts)


def _page(facts: Facts, *, on: bool) -> Check:
    page = facts.get("page")
    if fault := payload.text(page, "fault"):
        return _check("page", CheckResult.WARN, f"the page is not reached from here: {fault}", "probe", facts)
    status, sign = payload.number(page, "status") or 0, sign_in(page)
    if on and sign == "503":
        words = "the page answers 503 already: whether it is the maintenance page afterwards will be hard to tell"
        return _check("page", CheckResult.WARN, words, "probe", facts)
    what = " as a maintenance page" if sign in ("header", "page") else ""
    return _check("page", CheckResult.PASS, f"the page answers {status:.0f}{what}", "probe", facts)


def _public(facts: Facts) -> Check:
    told = facts.get("statuspage")
    if told is None:
        words = "no status page is configured: the public is not told"
        return _check("statuspage", CheckResult.PASS, words, "settings", facts)
    if fault := payload.text(told, "fault"):
        words = f"{fault}: it will be tried, and may fail without losing the rest"
        return _check("statuspage", CheckResult.WARN, words, "statuspage", facts)
    missing: Sequence[Json] = payload.items(told, "missing")
    if missing:
        words = f"the status page has no component {', '.join(map(str, missing))}: see statuspage.components"
        return _check("statuspage", CheckResult.WARN, words, "statuspage", facts)
    return _check("statuspage", CheckResult.PASS, "the status page answers", "statuspage", facts)


def _held(facts: Facts, operator: str) -> Check | None:
    rows = facts.get("held")
    for row in rows if isinstance(rows, list) else ():
        owner, began_ms = payload.text(row, "owner"), payload.number(row, "began_ms")
        if owner and owner != operator:
            words = f"{owner} began it at {date_time(int(began_ms or 0))} UTC, and may still need it: ask"
            return _check("owner", CheckResult.WARN, words, "ledger", facts)
    return None


def _health(facts: Facts) -> Check | None:
    reasons = facts.get("reasons")
    if not isinstance(reasons, list) or not reasons:
        return None
    words = f"visitors will get an application that is not well: {reasons[0]}"
    return _check("health", CheckResult.WARN, words, "store", facts)
