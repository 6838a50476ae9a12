"""What a deploy freeze does not hold. It ends CI runs; what Vercel builds from the repository by itself needs none."""

from __future__ import annotations

from collections.abc import Mapping

from console.actions import in_progress
from console.model import payload
from console.model.actions import Check, CheckResult
from console.model.observation import Json
from console.model.vercel_project import Link, Project

SOURCE = in_progress.SOURCE
HOW = (
    "to stop that: `vercel git disconnect`, or switch off Auto-assign Custom Production Domains in the project's "
    "settings for production"
)
_ALWAYS = "nor is a `vercel` command or a deploy hook of somebody's held"


def checks(facts: Mapping[str, Json]) -> tuple[Check, ...]:
    """Whether Vercel deploys by itself what is merged; no line where Vercel is not configured."""
    vercel, at_ms = payload.mapping(facts, "vercel"), payload.time_ms(facts, "at_ms")
    if not vercel:
        return ()
    result, words = _judged(vercel)
    return (Check(key="not-held", result=result, words=words, source=SOURCE, at_ms=at_ms),)


def words(facts: Mapping[str, Json]) -> str:
    """What the plan says of it for afterwards."""
    vercel = payload.mapping(facts, "vercel")
    if not vercel:
        return f"not held: what Vercel may build from the repository by itself (it is not configured here), {_ALWAYS}"
    if _judged(vercel)[0] is CheckResult.PASS:
        return f"only CI runs are held: {_ALWAYS.removeprefix('nor is ').removesuffix(' held')} still deploys"
    return f"not held: what Vercel builds from the repository by itself, {_ALWAYS}; what goes live is told"


def _judged(vercel: Mapping[str, Json]) -> tuple[CheckResult, str]:
    project = in_progress.project_of(vercel)
    if project is None:
        why = payload.text(vercel, "project", "trouble") or "no answer"
        return CheckResult.WARN, f"whether Vercel deploys by itself what is pushed cannot be read: {why}; {HOW}"
    if project.link is None:
        return _unlinked(project)
    where = _repository(project.link)
    if project.auto_assign is False:
        return CheckResult.PASS, f"Vercel builds pushes to {where} itself, and they do not go live by themselves now"
    told = "and takes it live" if project.auto_assign else "and may take it live (that is not told to this token)"
    return (
        CheckResult.WARN,
        f"NOT HELD: Vercel builds each push to {where} itself {told}, whatever becomes of the CI run; {HOW}",
    )


def _unlinked(project: Project) -> tuple[CheckResult, str]:
    if project.auto_assign is None:
        words = "whether Vercel deploys by itself what is pushed is not told to this token"
        return CheckResult.WARN, f"{words}; {HOW}"
    return CheckResult.PASS, "the Vercel project is linked to no repository: it builds only what it is asked for"


def _repository(link: Link) -> str:
    repository = f"{link.org}/{link.repo}" if link.org and link.repo else f"its {link.type} repository"
    return f"{link.branch or 'the production branch'} of {repository}"
