"""What Vercel says of a project and its deployments, as values. Pure: its JSON in, nothing trusted, no I/O.

Every field may be missing (callers without full permission get reduced objects), and every enumeration is open: a word
that is not known here is `unknown`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Self

from console.model import payload
from console.model.observation import Json
from console.model.text import redact
from console.model.value import value

UNKNOWN = "unknown"
STATES = frozenset({"blocked", "building", "canceled", "deleted", "error", "initializing", "queued", "ready"})
BUILDING = frozenset({"building", "initializing", "queued", "blocked"})
SUBSTATES = frozenset({"staged", "rolling", "promoted"})
JOB_STATES = frozenset({"pending", "in-progress", "succeeded", "failed", "skipped"})
JOB_TYPES = frozenset({"rollback", "promote"})
ROLLING_STATES = frozenset({"active", "complete", "aborted"})
SECRET_TYPES = frozenset({"secret", "encrypted", "sensitive"})
RUN_KEY = "radarRun"
"""In the `meta` of a deployment that we asked for: the token of the run, by which it is found again."""
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
"""What stands in commands that people copy."""
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_FORGES = ("github", "gitlab", "bitbucket")


@value
class Deployment:
    """One deployment, from the list, from itself or from the project's targets."""

    id: str
    short: str
    """The first seven characters of its commit; of its id where it has none."""
    commit: str | None = None
    message: str | None = None
    author: str | None = None
    branch: str | None = None
    name: str | None = None
    project: str | None = None
    url: str | None = None
    target: str | None = None
    """`production`, `staging`, another word of Vercel's; None: a preview, or not told."""
    state: str = UNKNOWN
    substate: str = ""
    created_ms: int | None = None
    live_ms: int | None = None
    """When a domain was assigned to it, where that is told as a time."""
    aliased: bool | None = None
    """Whether a domain was ever assigned to it; None: not told."""
    candidate: bool | None = None
    """Whether Vercel takes it for a rollback; None: it does not say."""
    deleted: bool = False
    error: str = ""
    alias_checks: str = ""
    """How the checks ended that stand before its domains: `succeeded`, `failed`, `pending`, or empty."""
    aliases: tuple[str, ...] = ()
    run: str | None = None
    """The token of the run of ours that asked for it."""

    @classmethod
    def of(cls, told: Json) -> Self | None:
        """What `told` gave."""
        if not isinstance(told, dict):
            return None
        values: dict[str, Any] = dict(told)
        values["aliases"] = tuple(values.get("aliases") or ())
        return cls(**values)

    @property
    def called(self) -> str:
        """`8f3c1d2 "pricing v2"`."""
        return f'{self.short} "{self.message[:60]}"' if self.message else self.short

    @property
    def building(self) -> bool:
        """Whether it is on its way to READY."""
        return self.state in BUILDING


@value
class Job:
    """The last request to move production; it can be anybody's and of yesterday."""

    type: str
    status: str
    source: str | None
    target: str | None
    requested_ms: int | None

    @classmethod
    def of(cls, told: Json) -> Self | None:
        """What `told` gave."""
        values: Any = told
        return cls(**values) if isinstance(told, dict) else None

    @property
    def running(self) -> bool:
        """Whether it is at work; of an unknown word nobody can say."""
        return self.status in ("pending", "in-progress")


@value
class Link:
    """The repository that the project is built from."""

    type: str
    org: str | None
    repo: str | None
    branch: str | None
    """Of production."""


@value
class Project:
    """The project, without what it holds of environment variables."""

    id: str | None
    name: str | None
    production: Deployment | None
    job: Job | None
    auto_assign: bool | None
    """Whether pushes to the production branch go live by themselves; None: not told."""
    rolling: bool
    """Whether rolling releases are configured."""
    paused: bool
    link: Link | None
    rolled_back_by: str | None = None
    rolled_back_why: str | None = None

    @classmethod
    def of(cls, told: Json) -> Self:
        """What `told` gave."""
        values: dict[str, Any] = dict(told) if isinstance(told, dict) else {}
        link = values.get("link")
        return cls(
            **values
            | {
                "production": Deployment.of(values.get("production")),
                "job": Job.of(values.get("job")),
                "link": Link(**link) if link else None,
            }
        )


@value
class RollingRelease:
    """A release that moves in stages."""

    state: str
    current: str | None
    canary: str | None
    queued: str | None
    percentage: float | None


@value
class Variable:
    """An environment variable: its name and its times, never its value."""

    key: str
    type: str
    targets: tuple[str, ...]
    changed_ms: int | None

    @property
    def secret(self) -> bool:
        """Whether Vercel keeps its value from being read."""
        return self.type in SECRET_TYPES


def told(one: Deployment | Project | RollingRelease | Variable) -> dict[str, Json]:
    """As JSON, with lists for tuples: facts and plans are carried as such, and read as such where they were made."""
    plain: dict[str, Json] = json.loads(json.dumps(asdict(one)))
    return plain


def project_of(found: Json) -> Project:
    """A project as `GET /v9/projects/{id}` answers."""
    link = payload.mapping(found, "link")
    return Project(
        id=payload.text(found, "id", limit=80),
        name=payload.text(found, "name", limit=100),
        production=deployment_of(payload.mapping(found, "targets", "production")),
        job=_job(payload.mapping(found, "lastAliasRequest")),
        auto_assign=payload.flag(found, "autoAssignCustomDomains"),
        rolling=bool(payload.mapping(found, "rollingRelease")),
        paused=payload.flag(found, "paused") is True,
        link=_link(link) if link else None,
        rolled_back_by=payload.text(found, "rollbackDescription", "username", limit=80),
        rolled_back_why=payload.text(found, "rollbackDescription", "description", limit=250),
    )


def deployment_of(found: object) -> Deployment | None:
    """A deployment in any of its forms; None: it has not even an id, or one that is none."""
    name = payload.text(found, "id", limit=80) or payload.text(found, "uid", limit=80)
    if name is None or not _ID.fullmatch(name):
        return None
    commit, message = _commit(_meta(found, "CommitSha")), _meta(found, "CommitMessage")
    return Deployment(
        id=name,
        short=commit[:7] if commit else name.removeprefix("dpl_")[:7],
        commit=commit,
        message=message.partition("↵")[0].strip() if message else None,
        author=_meta(found, "CommitAuthorLogin") or _meta(found, "CommitAuthorName") or _creator(found),
        branch=_meta(found, "CommitRef"),
        name=payload.text(found, "name", limit=100),
        project=payload.text(found, "projectId", limit=80),
        url=payload.text(found, "url"),
        target=(payload.text(found, "target", limit=40) or "").lower() or None,
        state=_word(found, STATES, "readyState", "state"),
        substate=_word(found, SUBSTATES, "readySubstate") if payload.text(found, "readySubstate") else "",
        created_ms=payload.time_ms(found, "createdAt") or payload.time_ms(found, "created"),
        live_ms=payload.time_ms(found, "aliasAssigned"),
        aliased=_aliased(payload.at(found, "aliasAssigned")),
        candidate=payload.flag(found, "isRollbackCandidate"),
        deleted=any(payload.at(found, key) for key in ("deleted", "softDeletedByRetention"))
        and not payload.at(found, "undeleted"),
        error=_error(found),
        alias_checks=payload.text(found, "checks", "deployment-alias", "state", limit=40) or "",
        aliases=tuple(alias for item in list(payload.items(found, "alias"))[:20] if (alias := payload.text(item))),
        run=payload.text(found, "meta", RUN_KEY, limit=80),
    )


def deployments_of(found: Json) -> tuple[tuple[Deployment, ...], int | None]:
    """A page of the list, and the time at which the next page begins; None: there is none."""
    listed = tuple(one for item in payload.items(found, "deployments") if (one := deployment_of(item)))
    return listed, payload.time_ms(found, "pagination", "next")


def rolling_of(found: Json) -> RollingRelease | None:
    """A rolling release; None: there is none."""
    release = payload.mapping(found, "rollingRelease")
    if not release:
        return None
    return RollingRelease(
        state=_word(release, ROLLING_STATES, "state"),
        current=payload.text(release, "currentDeployment", "id", limit=80),
        canary=payload.text(release, "canaryDeployment", "id", limit=80),
        queued=payload.text(release, "queuedDeploymentId", limit=80),
        percentage=payload.number(release, "currentCanaryPercentage"),
    )


def variables_of(found: Json) -> tuple[Variable, ...]:
    """Environment variables of all three forms of the answer. Their values end here."""
    listed = payload.items(found, "envs") or (found if isinstance(found, list) else [found])
    return tuple(_variable(item) for item in listed if payload.text(item, "key"))


def unmoved_of(found: Json) -> tuple[tuple[str, ...], int | None]:
    """Domains that failed to move, of both forms of the answer, and where the next page begins."""
    entries = [item for item in payload.items(found, "aliases") if payload.text(item, "status") in ("failed", None)]
    names = (payload.text(item, "alias", "alias") or payload.text(item, "alias") for item in entries)
    return tuple(name for name in names if name), payload.time_ms(found, "pagination", "next")


def why_not(one: Deployment, production: str | None) -> str:
    """Why production cannot go back to a deployment; empty: it can, or nobody says, as of a state in a word that is not
    known here. A preview that was once promoted is one of Vercel's candidates. `production`: id of what serves."""
    if one.id == production:
        return "it serves production now"
    if one.deleted or one.state == "deleted":
        return "removed by retention"
    if one.state == "error":
        return "its build failed"
    if one.state in STATES - {"ready"}:
        return f"it is {one.state}"
    if one.candidate is True and one.substate != "staged":
        return ""
    if one.target != "production":
        return "never served production: it is of staging" if one.target else "a preview: never aliased"
    if one.aliased is False or one.substate == "staged":
        return "never served production: it can be promoted"
    if one.candidate is False:
        return "Vercel takes it for no rollback (plan or age)"
    return ""


def _link(found: Mapping[str, Json]) -> Link:
    return Link(
        type=payload.text(found, "type", limit=40) or UNKNOWN,
        org=payload.text(found, "org", limit=100),
        repo=payload.text(found, "repo", limit=100),
        branch=payload.text(found, "productionBranch", limit=200),
    )


def _job(found: Mapping[str, Json]) -> Job | None:
    if not found:
        return None
    return Job(
        type=_word(found, JOB_TYPES, "type"),
        status=_word(found, JOB_STATES, "jobStatus"),
        source=payload.text(found, "fromDeploymentId", limit=80),
        target=payload.text(found, "toDeploymentId", limit=80),
        requested_ms=payload.time_ms(found, "requestedAt"),
    )


def _word(found: object, known: frozenset[str], *names: str) -> str:
    """The first of these fields that is told, in small letters; what is not known is `unknown`."""
    for name in names:
        said = payload.text(found, name, limit=40)
        if said is not None:
            return said.lower() if said.lower() in known else UNKNOWN
    return UNKNOWN


def _meta(found: object, name: str) -> str | None:
    """A field of the commit, whichever the forge."""
    return next((said for forge in _FORGES if (said := payload.text(found, "meta", forge + name))), None)


def _commit(said: str | None) -> str | None:
    """A commit; whoever deploys from a command line may give any text for one."""
    return said.lower() if said is not None and _COMMIT.fullmatch(said.lower()) else None


def _creator(found: object) -> str | None:
    return payload.text(found, "creator", "username", limit=80)


def _aliased(said: Json) -> bool | None:
    """`aliasAssigned` is a time, a boolean or null."""
    if isinstance(said, bool):
        return said
    return True if isinstance(said, int | float) and said > 0 else None


def _error(found: object) -> str:
    told = payload.text(found, "errorMessage") or payload.text(found, "errorCode") or ""
    alias = payload.text(found, "aliasError", "message")
    return redact("; ".join(part for part in (told, alias) if part))


def _variable(found: Json) -> Variable:
    said = payload.at(found, "target")
    targets = said if isinstance(said, list) else [said]
    times = (payload.time_ms(found, "updatedAt"), payload.time_ms(found, "createdAt"))
    return Variable(
        key=payload.text(found, "key", limit=100) or "",
        type=payload.text(found, "type", limit=20) or UNKNOWN,
        targets=tuple(str(target)[:40] for target in targets if isinstance(target, str)),
        changed_ms=max(filter(None, times), default=None),
    )
