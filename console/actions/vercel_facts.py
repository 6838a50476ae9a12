"""What must be known before production is moved: of Vercel and CI live, of the rest what was observed.

Without the project there is no plan. Everything else may be unknown, which is told as such: a plan must stand within
300 ms of the key, and a vendor that hangs must not keep a rollback waiting.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from console.actions.base import Context
from console.actions.vercel_api import VercelApi, configured, match
from console.model import payload
from console.model.action_views import RunRow
from console.model.actions import RunOutcome
from console.model.deployments import DeploymentRow, Effect
from console.model.observation import Json
from console.model.ports import Refused, StoreUnreadable
from console.model.vercel_project import Deployment, told
from console.model.views import ComponentDetail
from console.sources.faults import Fault

T = TypeVar("T")

OPTIONAL_S = 3.0  # longer than any answer that is worth waiting for in a night
DATABASE = "database"
_NOT_LEFT = frozenset({RunOutcome.FAILED, RunOutcome.NOT_DONE})
CATALOGUE = "postgres.catalogue"
PROMOTES = "radar promote "


def api_of(context: Context) -> VercelApi:
    """The client of the configured project. Raises `Refused`."""
    return VercelApi(configured(context.environment.vercel), context.clients)


async def read(context: Context, api: VercelApi, *, wanted: str | None = None, env: bool = True) -> dict[str, Json]:
    """All facts, as JSON. `wanted`: the deployment that was named; then `wanted` is it, or None.

    Raises `Refused` where the project or its deployments cannot be read.
    """
    looked_ms = context.now_ms()
    observing = asyncio.ensure_future(asyncio.to_thread(observed_now, context))
    try:
        project, (listed, _), rolling, variables, ci, observed = await asyncio.gather(
            api.project(),
            api.deployments(target="production"),
            _optional(api.rolling_release()),
            _optional(api.variables() if env else _nothing()),
            _ci(context),
            observing,
        )
        found = await _wanted(api, listed, wanted) if wanted else None
    except Fault as fault:
        await asyncio.wait([observing])  # the store is read by one thread at a time
        by_hand = await asyncio.to_thread(_by_hand, context, api, wanted)
        raise Refused(f"{fault.words}; by hand: {by_hand}") from None
    return {
        "now_ms": looked_ms,
        "project": told(project),
        "deployments": [told(one) for one in listed],
        "wanted": told(found) if found else None,
        "rolling": rolling.told(told(rolling.found) if rolling.found else None),
        "variables": variables.told([told(one) for one in variables.found or ()]),
        "ci": ci,
        "observed": observed,
    }


def _by_hand(context: Context, api: VercelApi, wanted: str | None) -> str:
    """The commands, with the deployment by what is stored: asking for the list needs the token too. Blocking."""
    from console.model.deployment_rules import goes_back_to, stored_as, stored_words

    scope = f" --scope {shlex.quote(api.team)}" if api.team else ""
    view = _tried(lambda: context.reads.deployments(None), [])
    row = (stored_as(view, wanted) if wanted else goes_back_to(view)) if view is not None else None
    name = row.id if row is not None else "ID"
    told = f"; {name} is {stored_words(view, row)}" if view is not None and row is not None else ""
    listing = f"vercel list {shlex.quote(api.project_name)}{scope}"
    return f"vercel rollback {name}{scope}; vercel promote {name if wanted else 'ID'}{scope}; {listing}{told}"


@dataclass(frozen=True)
class _Maybe(Generic[T]):
    """What was found, or why not."""

    found: T | None
    trouble: str = ""

    def told(self, found: Json) -> Json:
        return {"found": found, "trouble": self.trouble}


async def _optional(question: Awaitable[T]) -> _Maybe[T]:
    try:
        async with asyncio.timeout(OPTIONAL_S):
            return _Maybe(await question)
    except TimeoutError:
        return _Maybe(None, f"no answer within {OPTIONAL_S:g} s")
    except Fault as fault:
        return _Maybe(None, fault.words)


async def _nothing() -> None:
    return None


async def _wanted(api: VercelApi, listed: tuple[Deployment, ...], wanted: str) -> Deployment | None:
    return match(listed, wanted) or await api.find(wanted)


async def _ci(context: Context) -> dict[str, Json]:
    """Runs of the CI in progress on the branch that is deployed, asked of GitHub itself. Empty: none is configured."""
    settings = context.operations.github
    if settings is None:
        return {}
    from console.actions import hold_ci

    looked = await _optional(hold_ci.facts(context))
    if looked.found is not None:
        return looked.found
    return {
        "repository": settings.repository, "branch": settings.branch, "at_ms": context.now_ms(), "active": None,
        "why": looked.trouble, "jobs": {},
    }  # fmt: skip


# What was observed


def observed_now(context: Context) -> Json:
    """Holdings in force, deployments that a rollback of ours left, migrations now, how deployments did. Blocking."""
    trouble: list[Json] = []
    actions = _tried(lambda: context.reads.actions(None), trouble)
    shown = _tried(lambda: context.reads.deployments(None), trouble)
    database = _tried(lambda: context.reads.component(DATABASE, None), trouble) if _has_database(context) else None
    holdings: list[Json] = [
        {"kind": row.kind, "subject": row.subject, "text": row.text, "owner": row.owner, "expires_ms": row.expires_ms}
        for row in (actions.holdings if actions else ())
    ]
    rows = shown.deployments if shown else ()
    return {
        "trouble": trouble,
        "recorded": actions is not None,
        "holdings": holdings,
        "rollbacks": _rollbacks(actions.runs if actions else ()),
        "effects": {row.id: _effects(row.effects) for row in rows},
        "served": {row.id: _served(row) for row in rows},
        "migrations": _migrations(database) if database else None,
        "migration": _latest(database) if database else None,
    }


def _rollbacks(runs: Iterable[RunRow]) -> list[Json]:
    """Rollbacks of ours, newest first: what each left and went to, when, and by whom."""
    ours = [run for run in runs if run.action == "rollback" and run.outcome not in _NOT_LEFT]
    return [
        {
            "left": run.undo.removeprefix(PROMOTES) if run.undo.startswith(PROMOTES) else None,
            "target": run.target,
            "at_ms": run.began_ms,
            "operator": run.operator,
            "words": f"a rollback left it (run {run.id}, {run.operator}: {run.reason})",
        }
        for run in sorted(ours, key=lambda run: -run.began_ms)
    ]


def _served(row: DeploymentRow) -> Json:
    return {"live_ms": row.live_ms, "served_ms": row.served_ms, "amiss": row.amiss, "passed": row.passed}


def migration_then(context: Context, at_ms: int) -> Json:
    """The newest migration that was applied at a moment, as observed then. Blocking."""
    if not _has_database(context):
        return None
    found = _tried(lambda: context.reads.component(DATABASE, at_ms), [])
    return _latest(found) if found else None


def _has_database(context: Context) -> bool:
    return context.environment.database is not None


def _tried(read: Callable[[], T], trouble: list[Json]) -> T | None:
    try:
        return read()
    except StoreUnreadable as error:
        trouble.append(str(error))
        return None


def _effects(effects: Iterable[Effect]) -> Json:
    """Its own figures after it went live: `{"p95": 118.0, "errors": 0.002}`."""
    return {effect.figure: effect.after for effect in effects if effect.after is not None}


def _migrations(database: ComponentDetail) -> list[Json]:
    return [{"at_ms": row.at_ms, "text": row.text} for row in database.events if row.kind == "migration"]


def _latest(database: ComponentDetail) -> Json:
    """`012_plans`; empty: none was ever applied; None: not known."""
    facts: Mapping[str, Json] = next((row.facts for row in database.targets if row.target == CATALOGUE), {})
    if "latest_migration" not in facts:
        return None
    version, name = (payload.text(facts, "latest_migration", key) for key in ("version", "name"))
    return "_".join(part for part in (version, name) if part)
