"""The repository's CI (GitHub Actions) as actions use it: its runs, and re-running and cancelling them.

A private repository that the token may not see answers 404; a rate limit answers 403 or 429. Both are told as what they
are. Every field of an answer may be missing.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self
from urllib.parse import quote

from console.actions.wire import Api, Rejected
from console.model import payload
from console.model.configuration import Secret
from console.model.observation import ErrorKind, Json, Outcome
from console.model.operations import GitHub
from console.model.pipeline import stage_of
from console.model.ports import Refused
from console.model.times import clock
from console.sources.base import api_value
from console.sources.faults import Fault
from console.sources.github_runs import job_of, limit_words, limited_s, run_of
from console.sources.http import Answer, Clients

HEADERS = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}
"""And `user-agent`, which every request of ours has: GitHub refuses who gives none."""
LONGEST_LIST = 100
PAGES = 10
"""A matrix makes 256 jobs at most; what needs more pages than this is told as not read."""
_SHA = re.compile("[0-9a-f]{40}")
_OF_A_RUN = (
    "id", "number", "attempt", "branch", "commit", "event", "status", "conclusion", "started_ms", "updated_ms", "url",
)  # fmt: skip
_OF_A_JOB = ("id", "name", "status", "conclusion")
_FAILURES = frozenset({"failure", "timed_out", "cancelled", "startup_failure", "action_required"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What survives JSON."""

    def told(self) -> dict[str, Json]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def of(cls, told: Json) -> Self:
        """What `told` gave."""
        values = told if isinstance(told, dict) else {}
        return cls(**{each.name: values.get(each.name) for each in fields(cls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(_Told):
    """One run of the pipeline."""

    id: int
    number: int
    attempt: int
    title: str
    branch: str | None
    commit: str | None
    actor: str | None
    event: str | None
    status: str
    """`queued`, `in_progress`, `waiting`, …, `completed`; GitHub's word."""
    conclusion: str | None
    created_ms: int | None
    started_ms: int | None
    updated_ms: int | None
    url: str | None

    @property
    def active(self) -> bool:
        """Whether it runs, or will."""
        return self.status != "completed"

    @property
    def words(self) -> str:
        """`#413 "feat: pricing v2" (mira)`."""
        return f'#{self.number} "{self.title}"' + (f" ({self.actor})" if self.actor else "")

    @property
    def stands(self) -> str:
        """`in progress`, or how it ended: `failure`."""
        return (self.conclusion or "completed") if not self.active else self.status.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(_Told):
    """One job of a run's newest attempt."""

    id: int
    name: str
    status: str
    conclusion: str | None

    @property
    def deploys(self) -> bool:
        """Whether its name says that it deploys to production."""
        return stage_of(self.name) == "deploy production"

    @property
    def migrates(self) -> bool:
        """Whether its name says that it migrates the database."""
        return stage_of(self.name) == "database migration"

    @property
    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return self.status == "in_progress"

    @property
    def failed(self) -> bool:
        """Whether it ended badly."""
        return self.conclusion in _FAILURES


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit(_Told):
    """What a branch, a tag or the beginning of a commit stands for."""

    sha: str
    message: str
    """Its first line."""
    author: str | None
    at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What lies between two commits."""

    ahead_by: int | None
    behind_by: int | None = None
    """How many commits the base has and the head lacks."""
    messages: tuple[str, ...]
    """First lines of the commits, oldest first; GitHub gives 250 at most."""
    files: tuple[str, ...]
    """Changed files; 300 at most."""


class GitHubApi:
    """One repository. Reads raise `Fault`, changes `Rejected` or `Unanswered`."""

    def __init__(self, settings: GitHub, clients: Clients) -> None:
        self.repository = settings.repository
        self.branch = settings.branch
        self._root = f"/repos/{settings.repository}"
        workflow = f"/workflows/{quote(settings.workflow, safe='')}" if settings.workflow else ""
        self._runs = f"{self._root}/actions{workflow}/runs"
        credentials = {"authorization": Secret(f"Bearer {settings.token.reveal()}")}
        self._api = Api("GitHub", settings.api, credentials, clients)

    async def runs(
        self, *, branch: str | None = None, status: str | None = None, since: str | None = None, limit: int = 30
    ) -> tuple[Run, ...]:
        """The newest runs first. `status` takes GitHub's states and conclusions; `since` is `2026-11-20T10:15:00Z`."""
        asked = {"branch": branch, "status": status, "created": f">={since}" if since else None}
        more = "".join(f"&{name}={quote(value, safe='')}" for name, value in asked.items() if value)
        found = await self._read(f"{self._runs}?per_page={min(limit, LONGEST_LIST)}&exclude_pull_requests=true{more}")
        return tuple(run for entry in payload.items(found, "workflow_runs") if (run := _run(entry)))

    async def active_runs(self, branch: str | None = None) -> tuple[Run, ...]:
        """The runs of a branch (None: the one that is deployed) that are not at their end, among its newest hundred."""
        newest = await self.runs(branch=branch or self.branch, limit=LONGEST_LIST)
        return tuple(run for run in newest if run.active)

    async def run(self, run: int) -> Run:
        """One run."""
        found = _run(await self._read(self.run_path(run)))
        if found is None:
            raise Fault(ErrorKind.BODY, f"GitHub: the answer about run {run} is none")
        return found

    async def jobs(self, run: int) -> tuple[Job, ...]:
        """The jobs of its newest attempt, of all pages. Those that wait for others need not be listed yet.

        Raises `Fault` where there are more than can be read: what was not read may deploy.
        """
        jobs: list[Job] = []
        for page in range(1, PAGES + 1):
            found = await self._read(f"{self.run_path(run)}/jobs?filter=latest&per_page={LONGEST_LIST}&page={page}")
            entries = payload.items(found, "jobs")
            jobs += [job for entry in entries if (job := _job(entry))]
            if len(entries) < LONGEST_LIST or (payload.number(found, "total_count") or 1 << 30) <= page * LONGEST_LIST:
                return tuple(jobs)
        raise Fault(ErrorKind.BODY, f"GitHub: run {run} has more than {PAGES * LONGEST_LIST} jobs, not all were read")

    async def commit(self, ref: str) -> Commit:
        """The commit of a branch, tag or beginning of one. A `Fault` with status 422: there is no such ref."""
        found = await self._read(f"{self._root}/commits/{quote(ref, safe='/')}")
        sha = payload.text(found, "sha", limit=40)
        if sha is None or not _SHA.fullmatch(sha):
            raise Fault(ErrorKind.BODY, "GitHub: the answer about a commit names none")
        message = payload.text(found, "commit", "message", limit=300) or ""
        return Commit(
            sha=sha,
            message=message.partition("↵")[0].strip()[:80],
            author=payload.text(found, "author", "login", limit=80)
            or payload.text(found, "commit", "author", "name", limit=80),
            at_ms=payload.time_ms(found, "commit", "committer", "date"),
        )

    async def compare(self, base: str, head: str) -> Comparison:
        """What `head` has and `base` has not."""
        found = await self._read(f"{self._root}/compare/{quote(base, safe='')}...{quote(head, safe='')}")
        ahead, behind = payload.number(found, "ahead_by"), payload.number(found, "behind_by")
        messages = [payload.text(entry, "commit", "message") for entry in payload.items(found, "commits")]
        files = [payload.text(entry, "filename") for entry in payload.items(found, "files")]
        return Comparison(
            ahead_by=int(ahead) if ahead is not None else None,
            behind_by=int(behind) if behind is not None else None,
            messages=tuple(each for each in messages if each),
            files=tuple(each for each in files if each),
        )

    async def rerun(self, run: int, *, failed_only: bool = False) -> None:
        """Ask for another attempt; 201 is accepted."""
        await self._change(self.rerun_path(run, failed_only=failed_only))

    async def cancel(self, run: int, *, force: bool = False) -> None:
        """Ask for its end; 202 is accepted, not done. `Rejected` with status 409: it is at its end already."""
        await self._change(self.cancel_path(run, force=force))

    def run_path(self, run: int) -> str:
        """Where one run is read."""
        return f"{self._root}/actions/runs/{run}"

    def rerun_path(self, run: int, *, failed_only: bool = False) -> str:
        """Where another attempt is asked for."""
        return f"{self.run_path(run)}/{'rerun-failed-jobs' if failed_only else 'rerun'}"

    def cancel_path(self, run: int, *, force: bool = False) -> str:
        """Where its end is asked for."""
        return f"{self.run_path(run)}/{'force-cancel' if force else 'cancel'}"

    async def _read(self, path: str) -> Json:
        answer = await self._api.answer(path, HEADERS)
        if 200 <= answer.status < 300:
            return api_value(answer, "GitHub")
        raise _fault(answer, self.repository)

    async def _change(self, path: str) -> None:
        try:
            await self._api.change("POST", path, {}, HEADERS)
        except Rejected as rejected:
            raise _refused(rejected, self.repository) from None


async def followed_up(runs: Iterable[int], api: GitHubApi) -> dict[str, Json]:
    """The jobs of each run, told; None where they cannot be read."""

    async def one(run: int) -> Json:
        try:
            return [job.told() for job in await api.jobs(run)]
        except Fault:
            return None

    numbers = list(runs)
    return {str(run): jobs for run, jobs in zip(numbers, await asyncio.gather(*map(one, numbers)), strict=True)}


def configured(settings: GitHub | None) -> GitHub:
    """The settings. Raises `Refused` with the lines to add."""
    if settings is None:
        raise Refused(
            "no CI is configured: add [environments.NAME.github] with token = "
            '"${GITHUB_TOKEN}" and repository = "OWNER/NAME" to radar.toml'
        )
    return settings


def _fault(answer: Answer, repository: str) -> Fault:
    try:
        api_value(answer, "GitHub")
    except Fault as fault:
        words, wait_s = _worded(fault.words, answer.status, repository), limited_s(answer)
        if wait_s is None:
            return Fault(fault.kind, words, outcome=fault.outcome, http_status=answer.status, state=fault.state)
        return Fault(
            ErrorKind.RATE_LIMITED, _limited_words(answer, wait_s), outcome=Outcome.BLOCKED,
            http_status=answer.status, retry_after_s=wait_s,
        )  # fmt: skip
    return Fault(ErrorKind.STATUS, f"GitHub answers {answer.status}", http_status=answer.status)


def _refused(rejected: Rejected, repository: str) -> Rejected:
    """A change that was refused, with what that means: a limit comes as 403 too, and says how long it lasts."""
    answer = rejected.answer
    wait_s = limited_s(answer) if answer is not None else None
    if answer is None or wait_s is None:
        words = _worded(rejected.words, rejected.status, repository)
        return Rejected(words, rejected.status, rejected.retry_after_s, answer)
    words = f"{_limited_words(answer, wait_s)}: nothing was changed, ask again then"
    return Rejected(words, rejected.status, wait_s, answer)


def _limited_words(answer: Answer, wait_s: float) -> str:
    until = clock(int((time.time() + wait_s) * 1000))
    return f"GitHub answers {answer.status}: rate limited until {until} UTC ({limit_words(answer)})"


def _worded(words: str, status: int | None, repository: str) -> str:
    if status == 404:
        return f"{words}: no such run or commit in {repository}, or the token may not see that repository"
    if status == 403 and "Resource not accessible" in words:
        return f"{words}: the token needs `Actions: write` on {repository}"
    return words


def _run(entry: Json) -> Run | None:
    found: dict[str, Any] = run_of(payload.mapping(entry))
    if not found:
        return None
    return Run(
        **{name: found[name] for name in _OF_A_RUN},
        title=found["title"] or found["workflow"] or "without a title",
        actor=found["author"],
        created_ms=payload.time_ms(entry, "created_at"),
    )


def _job(entry: Json) -> Job | None:
    found: dict[str, Any] = job_of(payload.mapping(entry))
    if found["id"] is None or not found["name"]:
        return None
    return Job(**{name: found[name] for name in _OF_A_JOB})


def settled(jobs: Iterable[Job]) -> bool | None:
    """Whether the run's deployment of production is behind it: True; False: still to come; None: no such job yet."""
    deploying = [job for job in jobs if job.deploys]
    return all(job.status == "completed" for job in deploying) if deploying else None


def half_way(jobs: Iterable[Job]) -> tuple[str, ...]:
    """Names of jobs that are in the middle of deploying or migrating: to end these leaves something half done."""
    return tuple(job.name for job in jobs if job.running and (job.deploys or job.migrates))


def jobs_of(told: Mapping[str, Json], run: int) -> tuple[Job, ...] | None:
    """The jobs of a run out of what `followed_up` gave; None: not known."""
    found = told.get(str(run))
    return tuple(Job.of(each) for each in found) if isinstance(found, list) else None
