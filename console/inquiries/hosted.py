"""What a person asks the hosted systems for: the end of a build's log, the end of a job's. Read only and capped.

GitHub answers with a redirect to a host that stores logs. It is followed once, without the token: whoever stores logs
is not whoever gave us the credential.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from console.model import build_log, payload
from console.model.configuration import Settings
from console.model.inquiries import LogEnd, LogLine
from console.model.job_log import FailingStep, Marked, failing_step, left_off_words, own_lines
from console.model.operations import GitHub
from console.model.ports import Refused
from console.model.secrets import Concealer
from console.model.text import clean, decode
from console.settings import SettingsError
from console.sources import github, vercel
from console.sources.base import api_value
from console.sources.faults import Fault
from console.sources.http import Answer, Clients, Limits, Request, fetch

EVENTS_PATH = "/v3/deployments/{deployment}/events"
BUILD_LIMITS = Limits(connect_s=3.0, read_s=8.0, total_s=12.0, body_bytes=2 * 1024 * 1024)
JOB_LIMITS = Limits(connect_s=3.0, read_s=8.0, total_s=20.0, body_bytes=8 * 1024 * 1024)
EVENTS = 400
LINES = 300
_STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z ")
_MARK = re.compile(r"^##\[(\w+)\]")


class Hosted:
    """Asks Vercel and GitHub (`ports.Inquiries`). One question at a time; `cancel` gives it up, from any thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._concealer: Concealer | None = None
        self._asking: tuple[asyncio.AbstractEventLoop, asyncio.Task[LogEnd]] | None = None

    def build_log(self, deployment_id: str) -> LogEnd:
        """The end of a deployment's build log. Raises `Refused`."""
        return self._run(self._build_log(deployment_id))

    def job_log(self, job_id: int) -> LogEnd:
        """The end of a CI job's log. Raises `Refused`."""
        return self._run(self._job_log(job_id))

    def cancel(self) -> None:
        """Give up what is being read."""
        with self._lock:
            if self._asking is not None:
                loop, task = self._asking
                loop.call_soon_threadsafe(task.cancel)

    def _run(self, question: Coroutine[Any, Any, LogEnd]) -> LogEnd:
        with asyncio.Runner() as runner:
            task = runner.get_loop().create_task(question)
            with self._lock:
                self._asking = runner.get_loop(), task
            try:
                return self._without_secrets(runner.run(_finished(task)))
            except asyncio.CancelledError:
                raise Refused("given up") from None
            except Fault as fault:
                raise Refused(self._conceal(fault.words)) from None
            finally:
                with self._lock:
                    self._asking = None

    def _conceal(self, text: str) -> str:
        """What a build or a job prints can be what it was given."""
        if self._concealer is None:
            try:
                self._concealer = Concealer(self._settings.environment, self._settings.operations())
            except SettingsError:
                self._concealer = Concealer(self._settings.environment)
        return self._concealer(text)

    def _without_secrets(self, log: LogEnd) -> LogEnd:
        return replace(log, lines=tuple(replace(line, text=self._conceal(line.text)) for line in log.lines))

    async def _build_log(self, deployment_id: str) -> LogEnd:
        settings = self._settings.environment.vercel
        if settings is None:
            raise Refused("Vercel is not configured")
        path = EVENTS_PATH.format(deployment=quote(deployment_id, safe=""))
        query = {"direction": "backward", "limit": str(EVENTS), "builds": "1", "format": "lines"}
        answer = await self._fetch(vercel.request_to(settings, path, query, BUILD_LIMITS, cut=True))
        if not 200 <= answer.status < 300:
            api_value(answer, "Vercel")
        events = list(build_log.lines_of(answer.body))
        return _log(
            f"build of {clean(deployment_id, 80)}", answer, events, _cut(answer, BUILD_LIMITS), len(events) >= EVENTS
        )

    async def _job_log(self, job_id: int) -> LogEnd:
        settings = self._github()
        answer, step = await asyncio.gather(
            self._fetch(github.request_to(settings, f"/actions/jobs/{job_id}/logs")), self._failing(settings, job_id)
        )
        if answer.status in (404, 410):
            raise Refused("GitHub has no log of this job: it has expired, or has not been written yet")
        if answer.status not in (301, 302, 303, 307, 308):
            api_value(answer, "GitHub")
            raise Refused("GitHub tells no place of the log")
        place = _place(answer, settings)
        stored = await self._fetch(Request(url=place, limits=JOB_LIMITS, cut=True))
        if not 200 <= stored.status < 300:
            raise Refused(f"the host that stores the logs answers {stored.status}")
        lines = [_job_line(line) for line in decode(stored.body).splitlines()]
        first, end = own_lines(lines, step)
        log = _log(f"job {job_id}", stored, [each.line for each in lines[first:end]], _cut(stored, JOB_LIMITS))
        alone = left_off_words(step.name if step else "that failed", first, len(lines) - end)
        return replace(log, left_off="; ".join(filter(None, (alone, log.left_off))))

    async def _failing(self, settings: GitHub, job_id: int) -> FailingStep | None:
        """At which step it failed, and when; None: at none, or that is not told. The log tells of itself then."""
        try:
            answer = await self._fetch(github.request_to(settings, f"/actions/jobs/{job_id}"))
            return failing_step(api_value(answer, "GitHub"))
        except Fault:
            return None

    def _github(self) -> GitHub:
        try:
            settings = self._settings.operations().github
        except SettingsError as error:
            raise Refused(str(error)) from None
        if settings is None:
            raise Refused(f"no repository is configured: [environments.{self._settings.environment.name}.github]")
        return settings

    async def _fetch(self, request: Request) -> Answer:
        client = Clients(self._settings.environment.certificate_ca).of(request.url)
        try:
            return await fetch(client, request)
        finally:
            await client.close()


async def _finished(task: asyncio.Task[LogEnd]) -> LogEnd:
    return await task


def _place(answer: Answer, settings: GitHub) -> str:
    """Where the log is stored: never less safe than how it was asked for. Raises `Refused`."""
    asked = f"{settings.api.rstrip('/')}/"
    place = urljoin(asked, answer.headers.get("location", ""))
    schemes = {urlsplit(asked).scheme, "https"}
    if urlsplit(place).scheme not in schemes or not urlsplit(place).hostname:
        raise Refused("GitHub sends us to a place for the log that is not asked: it is no https URL")
    return place


def _job_line(line: str) -> Marked:
    """A line of a job's log: its time before it, `##[error]` and the like as GitHub's own marks."""
    stamp = _STAMP.match(line[:60])
    text = line[stamp.end() :] if stamp else line
    mark = _MARK.match(text)
    kind = mark.group(1) if mark else ""
    shown = text[mark.end() :] if mark else text
    at_ms = payload.iso_ms(f"{stamp.group(1)}Z") if stamp else None
    return Marked(
        line=LogLine(text=build_log.plain(shown), at_ms=at_ms, wrong=kind == "error"), mark=kind
    )  # fmt: skip


def _cut(answer: Answer, limits: Limits) -> bool:
    return len(answer.body) >= limits.body_bytes


def _log(title: str, answer: Answer, lines: list[LogLine], cut: bool, more: bool = False) -> LogEnd:
    left_off = ""
    if cut:
        left_off = f"longer than {len(answer.body) // (1024 * 1024)} MiB: what comes after that is not here"
    elif len(lines) > LINES:
        left_off = f"{len(lines) - LINES:,} lines before these are left off"
    elif more:
        left_off = "lines before these are left off"
    return LogEnd(
        title=title,
        source=urlsplit(answer.url).hostname or "?",
        read_ms=time.time_ns() // 1_000_000,
        lines=tuple(lines[-LINES:]),
        left_off=left_off,
    )
