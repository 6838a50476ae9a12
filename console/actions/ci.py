"""What the actions on CI runs share: which run is meant, whether a freeze is in force, waiting for a run to change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from console.actions.base import Context
from console.actions.github_api import GitHubApi, Job, Run, configured, half_way
from console.model.actions import ActionRequest, Check, CheckResult, StepResult
from console.model.observation import Json
from console.model.ports import Refused, StoreUnreadable
from console.model.times import clock
from console.model.wire import Unanswered
from console.sources.faults import Fault
from console.store import freezes

SOURCE = "github api"
FREEZE = freezes.KIND
"""The kind of a deploy freeze's holding; its subject is the repository, or `REPOSITORY run ID`."""
LEAST_ID = 10_000_000
"""GitHub's ids have ten digits and more; what is smaller is the number of a run, as people say it."""
POLL_S = 2.0


def api_of(context: Context) -> GitHubApi:
    """The repository's CI. Raises `Refused` where none is configured."""
    return GitHubApi(configured(context.operations.github), context.clients)


def subject(repository: str, run: int | None = None) -> str:
    """What a freeze holds."""
    return repository if run is None else f"{repository} run {run}"


def number_of(request: ActionRequest, name: str = "run") -> int | None:
    """A parameter that is a run: 413, `413`, `#413` or its id. Raises `Refused` for anything else."""
    value = request.parameters.get(name)
    if value is None:
        return None
    if isinstance(value, str) and value.strip().lstrip("#").isdecimal() and len(value) < 20:
        value = int(value.strip().lstrip("#"))
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise Refused(f"{name} must be a run of the CI: its number or id")
    return value


async def find(api: GitHubApi, wanted: int | None) -> Run:
    """The run by its number or id. Raises `Refused` when none is named, there is none, or GitHub does not say."""
    if wanted is None:
        raise Refused("which run? name it by its number or id")
    try:
        if wanted >= LEAST_ID:
            return await api.run(wanted)
        found = [run for run in await api.runs(limit=100) if run.number == wanted]
    except Fault as fault:
        raise Refused(f"CI run {wanted} cannot be read: {fault.words}") from None
    if not found:
        raise Refused(f"none of the newest hundred CI runs of {api.repository} is #{wanted}: give its id")
    if len(found) > 1:
        raise Refused(f"{len(found)} workflows have a run #{wanted}: give its id, or configure github.workflow")
    return found[0]


async def jobs_or_none(api: GitHubApi, run: int) -> tuple[Job, ...] | None:
    """Its jobs; None when they cannot be read."""
    try:
        return await api.jobs(run)
    except Fault:
        return None


async def holdings(context: Context) -> Json:
    """What the ledger holds of freezes and pins; None when it cannot be read."""
    try:
        view = await asyncio.to_thread(context.reads.actions, None)
    except StoreUnreadable:
        return None
    told = ("kind", "subject", "text", "owner", "began_ms", "expires_ms")
    return [
        {name: getattr(row, name) for name in told} for row in view.holdings if row.kind in (FREEZE, "pinned")
    ]  # fmt: skip


def frozen(held: Json, repository: str, run: int, now_ms: int) -> Mapping[str, Json] | None:
    """The freeze in force that holds this run."""
    subjects = (subject(repository), subject(repository, run))
    return next((each for each in in_force(held, now_ms) if each.get("subject") in subjects), None)


def in_force(held: Json, now_ms: int) -> Sequence[Mapping[str, Json]]:
    """The freezes in force."""
    rows = held if isinstance(held, list) else []
    return [
        row
        for row in rows
        if isinstance(row, dict) and row.get("kind") == FREEZE and (moment(row, "expires_ms") or 1 << 62) > now_ms
    ]


def moment(row: Mapping[str, Json], name: str) -> int | None:
    """A number of ms in a row of facts."""
    value = row.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def freeze_words(row: Mapping[str, Json]) -> str:
    """`a deploy freeze by op1 (loginuid) until 03:04:05 UTC`; of one run it is a hold and no freeze."""
    ends, what = moment(row, "expires_ms"), "a hold of one CI run" if is_of_one_run(row) else "a deploy freeze"
    return f"{what} by {row.get('owner')}" + (f" until {clock(ends)} UTC" if ends else "")


def is_of_one_run(row: Mapping[str, Json]) -> bool:
    """Whether it holds a single run of the CI, while everything else deploys."""
    return " run " in str(row.get("subject"))


def half_way_check(run: Run, jobs: Sequence[Job] | None, at_ms: int | None, *, by_keeper: bool = False) -> Check:
    """Whether ending the run now leaves something half done. A person may choose that; `by_keeper` nobody looks."""
    key, doubt = half_way_key(run), CheckResult.FAIL if by_keeper else CheckResult.WARN
    if words := half_way_words(run.number, jobs):
        then = "it is left alone for now" if by_keeper else "ended now it may be half done; look at it after"
        return Check(key=key, result=doubt, words=f"{words}: {then}", source=SOURCE, at_ms=at_ms)
    words = f"#{run.number} neither deploys production nor migrates at this moment"
    return Check(key=key, result=CheckResult.PASS, words=words, source=SOURCE, at_ms=at_ms)


def half_way_key(run: Run) -> str:
    """Of the check that tells whether it does."""
    return f"half-way-{run.id}"


def half_way_words(number: int, jobs: Sequence[Job] | None) -> str:
    """What would be left half done, or that nobody knows; empty: nothing."""
    if jobs is None:
        return f"its jobs cannot be read, whether #{number} deploys or migrates just now is not known"
    names = half_way(jobs)
    return f"{', '.join(names)} of #{number} is in progress" if names else ""


async def polled(
    context: Context, api: GitHubApi, run: int, told: Callable[[Run], StepResult | None], limit_s: float
) -> StepResult | Run | None:
    """Read the run until `told` gives a result; else the run as last seen, or None when it was never read."""
    seen: Run | None = None
    for attempt in range(max(1, int(limit_s / POLL_S))):
        if attempt:
            await context.wait(POLL_S)
        try:
            seen = await api.run(run)
        except (Fault, Unanswered) as fault:
            context.tell(f"it cannot be read now: {fault}")
            continue
        if (result := told(seen)) is not None:
            return result
        context.tell(f"#{seen.number} is {seen.stands}")
    return seen
