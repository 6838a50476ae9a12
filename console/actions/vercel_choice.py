"""Which deployment a rollback goes back to where none is named, and what is passed over on the way. Pure.

The one that served just before the current one, unless something speaks against it: production went back from it, a
later one reverts it, or the store blames it for what users met. What is passed over is told in the plan, with the
reason; by its name it can be gone back to all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from console.model import payload
from console.model.observation import Json
from console.model.ports import Refused
from console.model.vercel_project import UNKNOWN, Deployment, Job, Project, why_not

BAD_ERRORS = 0.05
"""A share of errors with which nobody goes back to a build without being told."""
TOLD = 5
"""So many of those that are not gone back to are named where none is left."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The deployment, and those that served after it and are passed over, newest first, each with its reason."""

    target: Deployment
    passed: tuple[tuple[Deployment, str], ...]


def usual(project: Project, listed: Sequence[Deployment], observed: Mapping[str, Json]) -> Choice:
    """What a rollback goes back to where nothing is named. Raises `Refused` where nothing is left."""
    live = project.production
    if live is None:
        raise Refused("this token is not shown which deployment serves production: name the one to go back to")
    live = next((one for one in listed if one.id == live.id), live)
    before = [(one, why_not(one, live.id)) for one in _in_order(listed, live, observed)]
    passed: list[tuple[Deployment, str]] = []
    for one, why in before:
        if why or (one.state == UNKNOWN and one.candidate is not True):
            continue
        against = speaks_against(one, project, listed, observed)
        if not against:
            return Choice(one, tuple(passed))
        passed.append((one, against))
    known = dict(passed)
    reasons = "; ".join(
        f"{one.short}: {why or known.get(one) or 'its state is not known'}" for one, why in before[:TOLD]
    )
    raise Refused(f"there is nothing to go back to before {live.short}" + (f" ({reasons})" if reasons else ""))


def _in_order(listed: Iterable[Deployment], live: Deployment, observed: Mapping[str, Json]) -> list[Deployment]:
    """All that can have served before the current one, the last to serve first."""
    now_ms = served_from_ms(live, observed) or 1 << 62
    others = [one for one in listed if one.id != live.id and (served_from_ms(one, observed) or 0) < now_ms]
    return sorted(others, key=lambda one: -(served_from_ms(one, observed) or 0))


def served_from_ms(one: Deployment, observed: Mapping[str, Json]) -> int | None:
    """Since when it served the last time, as far as is known; else when it was made."""
    seen_ms = payload.time_ms(observed, "served", one.id, "live_ms")
    return max(filter(None, (seen_ms, one.live_ms)), default=one.created_ms)


def speaks_against(
    one: Deployment, project: Project, listed: Iterable[Deployment], observed: Mapping[str, Json]
) -> str:
    """Why production is not put back to it unless somebody says so; empty: nothing is known that would."""
    if why := left(one, project.job, observed):
        return why
    if (reverting := _reverted_by(one, listed, observed)) is not None:
        return f"{reverting.short} reverts it"
    if passed := payload.text(observed, "served", one.id, "passed"):
        return passed
    share = payload.number(observed, "effects", one.id, "errors")
    return f"{share * 100:.0f} % errors when it ran" if share is not None and share >= BAD_ERRORS else ""


def left(one: Deployment, job: Job | None, observed: Mapping[str, Json]) -> str:
    """That a rollback left it, ours or not, and it has not served again since; empty: none did."""
    since_ms = served_from_ms(one, observed) or 0
    for run in payload.items(observed, "rollbacks"):
        if payload.text(run, "left") == one.id and (payload.time_ms(run, "at_ms") or 0) >= since_ms:
            return payload.text(run, "words") or ""
    if job is None or (job.type, job.status, job.source) != ("rollback", "succeeded", one.id):
        return ""
    is_over = job.requested_ms is not None and job.requested_ms < since_ms
    return "" if is_over else "the last rollback at Vercel left it"


def _reverted_by(one: Deployment, listed: Iterable[Deployment], observed: Mapping[str, Json]) -> Deployment | None:
    """A later deployment that served since, and whose commit reverts this one's."""
    since_ms = served_from_ms(one, observed) or 0
    for other in listed:
        reverts = one.message and (other.message or "").startswith(f'Revert "{one.message}"')
        if reverts and other.aliased and (served_from_ms(other, observed) or 0) > since_ms:
            return other
    return None
