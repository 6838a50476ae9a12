"""What a ref is at GitHub just now, and what it brings over what is live. Nothing is built of what does not exist."""

from __future__ import annotations

from collections.abc import Mapping

from console.actions.base import Context
from console.actions.github_api import GitHubApi
from console.actions.vercel_checks import Facts
from console.model import payload
from console.model.actions import Check
from console.model.observation import Json
from console.model.text import clean
from console.model.times import ago
from console.model.words import counted, listed
from console.sources.faults import Fault

SOURCE = "github api"
MESSAGES = 3
NO_SUCH = 422
"""What GitHub answers for a ref that it does not have; 404 is also a repository that the token may not see."""


async def resolved(context: Context, facts: Facts, ref: str) -> dict[str, Json]:
    """The commit of the ref with its difference to what is live; `why` where it is not known, `missing` where there
    is none."""
    settings, link = context.operations.github, facts.project.link
    if settings is None:
        return {"why": f"[environments.{context.environment.name}.github] is not configured"}
    if link is None or f"{link.org}/{link.repo}".lower() != settings.repository.lower():
        return {"why": f"the project is built from another repository than {settings.repository}, which is configured"}
    api = GitHubApi(settings, context.clients)
    try:
        commit = await api.commit(ref)
    except Fault as fault:
        return {"why": fault.words, "missing": fault.http_status == NO_SUCH}
    live = facts.live.commit if facts.live else None
    return {"commit": commit.told(), **(await _compared(api, live, commit.sha) if live else {})}


async def _compared(api: GitHubApi, live: str, sha: str) -> dict[str, Json]:
    try:
        found = await api.compare(live, sha)
    except Fault as fault:
        return {"uncompared": fault.words}
    return {"compared": {
        "ahead": found.ahead_by, "behind": found.behind_by, "messages": list(found.messages),
        "migrations": [name for name in found.files if "migrations/" in name],
    }}  # fmt: skip


def sha_of(found: Mapping[str, Json]) -> str | None:
    """The commit, where it is known."""
    return payload.text(found, "commit", "sha")


def checks(facts: Facts, found: Mapping[str, Json], ref: str, repository: str) -> tuple[Check, ...]:
    """That there is such a ref, whose commit it is, and what is new in it."""
    why, sha = payload.text(found, "why") or "", sha_of(found)
    if found.get("missing") is True:
        return (facts.refuse("ref", f"{repository} has no branch, tag or commit {clean(ref, 80)}", SOURCE),)
    if sha is None:
        words = f"whether there is a {clean(ref, 80)}, and what it is, is not known: {why}"
        return (facts.doubt("ref", words, SOURCE),)
    return (facts.well("ref", _commit_words(facts, found, ref, sha), SOURCE), *_differences(facts, found, sha))


def _commit_words(facts: Facts, found: Mapping[str, Json], ref: str, sha: str) -> str:
    message, author = (payload.text(found, "commit", name, limit=80) for name in ("message", "author"))
    at_ms = payload.time_ms(found, "commit", "at_ms")
    named = sha[:7] if sha.startswith(ref) else f"{ref} is {sha[:7]}"
    words = named + (f' "{message}"' if message else "") + (f" by {author}" if author else "")
    return words + (f", {ago((facts.now_ms - at_ms) / 1000)} old" if at_ms is not None else "")


def _differences(facts: Facts, found: Mapping[str, Json], sha: str) -> tuple[Check, ...]:
    live = facts.live
    if live is None or live.commit is None:
        return (facts.doubt("new", "what is new in it is not known: which commit is live is not told", SOURCE),)
    if live.commit == sha:
        return (facts.well("new", f"{live.short} is live already: nothing is new in it", SOURCE),)
    if "compared" not in found:
        why = payload.text(found, "uncompared") or "no answer"
        return (facts.doubt("new", f"what is new in it against {live.short} is not known: {why}", SOURCE),)
    ahead, behind = (payload.number(found, "compared", name) for name in ("ahead", "behind"))
    lines: list[Check] = []
    if ahead:
        lines.append(facts.well("new", _ahead_words(found, int(ahead), live.short), SOURCE))
    if behind:
        words = f"live {live.short} has {counted(int(behind), 'commit')} that it lacks: older code goes over newer"
        lines.append(facts.doubt("older", words, SOURCE))
    return (*lines, *_migrations(facts, found))


def _ahead_words(found: Mapping[str, Json], ahead: int, live: str) -> str:
    messages = [str(each).partition("↵")[0].strip()[:60] for each in payload.items(found, "compared", "messages")]
    return f"{counted(ahead, 'commit')} more than live {live}: {listed(messages[::-1], MESSAGES)}"


def _migrations(facts: Facts, found: Mapping[str, Json]) -> tuple[Check, ...]:
    names = [str(each).rpartition("/")[2] for each in payload.items(found, "compared", "migrations")]
    if not names:
        return ()
    words = f"it brings {counted(len(names), 'migration')}, which no build at Vercel applies: {listed(names, MESSAGES)}"
    return (facts.doubt("brings-migrations", words, SOURCE),)
