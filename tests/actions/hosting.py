"""Vercel and the application as one scripted loopback server, and an engine that runs an action against them."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import re
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest

from console.actions import outside, vercel_follow, wire
from console.actions.base import Action, Context
from console.actions.engine import Engine, Progress
from console.actions.rollback import Rollback
from console.model.actions import ActionRequest, Plan, RunOutcome, StepResult
from console.model.configuration import Environment, Secret, Settings, Vercel
from console.model.observation import Json
from console.model.operations import Operations, Verification
from console.model.ports import StoreUnreadable
from console.sources.http import Clients, Limits
from tests.sources.loopback import Handler, Loopback, Seen, Writer, answering, cases, serving

TOKEN = "vcp_ExampleTokenThatMustNeverBeShown"
PROJECT = "prj_Example000000000000000001"
NEW, OLD, STAGED, PREVIEW = (f"dpl_Example0000000000000000000{number}" for number in (9, 6, 5, 4))
NORMAL: dict[str, Any] = cases("vercel_project_get")[0]["body"]
LIST: dict[str, Any] = cases("vercel_deployments_list")[0]["body"]
HEALTH = "/api/v1/system/health"
PING = "/api/v1/system/ping"

_NAMES = (
    ("project", r"/v9/projects/[^/]+"),
    ("deployments", r"/v7/deployments"),
    ("create", r"/v13/deployments"),
    ("deployment", r"/v13/deployments/[^/]+"),
    ("cancel", r"/v12/deployments/[^/]+/cancel"),
    ("events", r"/v3/deployments/[^/]+/events"),
    ("rollback", r"/v1/projects/[^/]+/rollback/[^/]+"),
    ("promote", r"/v10/projects/[^/]+/promote/[^/]+"),
    ("rollback aliases", r"/v9/projects/[^/]+/rollback/aliases"),
    ("promote aliases", r"/v9/projects/[^/]+/promote/aliases"),
    ("rolling", r"/v1/projects/[^/]+/rolling-release"),
    ("env", r"/v10/projects/[^/]+/env"),
    ("health", HEALTH),
    ("ping", PING),
    ("page", "/"),
)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def healthy(version: str = "1.4.0") -> Handler:
    return answering(200, {"status": "healthy", "version": version, "checks": {"database": {"status": "pass"}}})


def sick() -> Handler:
    return answering(503, {"status": "unhealthy", "checks": {"database": {"status": "fail", "message": "timeout"}}})


def project(live: str = NEW, job: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The recorded project with another deployment as production, a job, or other fields."""
    found = copy.deepcopy(NORMAL) | {"lastAliasRequest": job} | changes
    found["targets"]["production"]["id"] = live
    digit = live[-1]
    found["targets"]["production"]["meta"]["githubCommitSha"] = f"0{digit}" * 20
    return found


def job(to: str, status: str = "succeeded", kind: str = "rollback", at_ms: int | None = None) -> dict[str, Any]:
    """An alias request; asked for now unless said."""
    return {
        "fromDeploymentId": NEW, "toDeploymentId": to, "jobStatus": status, "type": kind,
        "requestedAt": now_ms() if at_ms is None else at_ms,
    }  # fmt: skip


@dataclass
class Hosting:
    """What each endpoint answers, by name: one after the other, the last one again and again."""

    answers: dict[str, list[Handler]] = field(default_factory=dict)
    seen: list[tuple[str, Seen]] = field(default_factory=list)

    def say(self, name: str, *handlers: Handler | Mapping[str, Any]) -> Hosting:
        """Answer so from now on; an object is sent as JSON with 200."""
        self.answers[name] = [each if callable(each) else answering(200, dict(each)) for each in handlers]
        return self

    def asked(self, name: str) -> list[Seen]:
        """The requests to one endpoint."""
        return [seen for endpoint, seen in self.seen if endpoint == name]

    async def handle(self, seen: Seen, writer: Writer) -> None:
        name = _name(seen)
        self.seen.append((name, seen))
        waiting = self.answers.get(name, [answering(404, {"error": {"code": "not_found", "message": "no such"}})])
        await (waiting.pop(0) if len(waiting) > 1 else waiting[0])(seen, writer)


def _name(seen: Seen) -> str:
    path = seen.path.partition("?")[0]
    wanted = "create" if seen.method == "POST" and path == "/v13/deployments" else ""
    found = (name for name, pattern in _NAMES if re.fullmatch(pattern, path))
    return wanted or next((name for name in found if name != "create"), path)


def hosting() -> Hosting:
    """All is well and nothing ever moved."""
    script = Hosting()
    script.say("project", project()).say("deployments", LIST).say("rolling", {"rollingRelease": None})
    script.say("env", {"envs": []}).say("health", healthy()).say("ping", {"status": "ok"})
    script.say("page", answering(200, b"<p>hello</p>", {"content-type": "text/html"}))
    return script


@contextlib.asynccontextmanager
async def running(script: Hosting) -> AsyncIterator[Loopback]:
    async with serving(script.handle) as server:
        yield server


class Reads:
    """What was observed, as far as these actions ask."""

    def __init__(self, **views: Any) -> None:
        self._views = views

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_: self._given(name, *_)

    def _given(self, name: str, *arguments: Any) -> Any:
        view = self._views.get(name)
        if view is None:
            raise StoreUnreadable(f"no {name}")
        return view(*arguments) if callable(view) else view


def nothing_observed(**views: Any) -> Reads:
    """A store that is there and knows of nothing."""
    empty: dict[str, Any] = {
        "actions": SimpleNamespace(holdings=(), runs=(), header=SimpleNamespace(open_items=())),
        "deployments": SimpleNamespace(deployments=()),
    }  # fmt: skip
    return Reads(**empty | views)


def held(kind: str, subject: str, text: str = "held", expires_ms: int | None = None) -> SimpleNamespace:
    """A row of the ledger."""
    return SimpleNamespace(kind=kind, subject=subject, text=text, owner="op2", expires_ms=expires_ms, began_ms=1)


def shown(
    deployment: str,
    *,
    live_ms: int | None = None,
    served_ms: int | None = None,
    amiss: str = "",
    passed: str = "",
    p95: float | None = None,
    errors: float | None = None,
) -> SimpleNamespace:
    """What the store tells of a deployment."""
    told = [SimpleNamespace(figure=name, after=after) for name, after in (("p95", p95), ("errors", errors))]
    return SimpleNamespace(
        id=deployment,
        short="0606060",
        message="fix",
        current=deployment == NEW,
        created_ms=live_ms,
        why_not="",
        live_ms=live_ms,
        served_ms=served_ms,
        amiss=amiss,
        passed=passed,
        effects=tuple(told),
    )


def rollback_run(
    left: str, outcome: RunOutcome = RunOutcome.DONE, *, to: str = OLD, at_ms: int | None = None
) -> SimpleNamespace:
    """A rollback of ours as the journal has it; of now unless said."""
    return SimpleNamespace(
        action="rollback", undo=f"radar promote {left}", target=f"0606060 ({to})", id=7, operator="op2",
        reason="errors 28.9 %", outcome=outcome, began_ms=now_ms() if at_ms is None else at_ms,
    )  # fmt: skip


def observed(*deployments: SimpleNamespace, runs: Iterable[Any] = (), holdings: Iterable[Any] = ()) -> Reads:
    """A store that knows of these deployments, runs and entries of the ledger."""
    return nothing_observed(
        actions=SimpleNamespace(holdings=tuple(holdings), runs=tuple(runs)),
        deployments=SimpleNamespace(
            deployments=deployments, deployments_ms=now_ms() - 12_000, header=SimpleNamespace(at_ms=now_ms())
        ),
    )


class Quick(Context):
    """Does not wait as long as it is told to; remembers how long that was."""

    waits: ClassVar[list[float]] = []

    @staticmethod
    async def wait(seconds: float) -> None:
        Quick.waits.append(seconds)
        await asyncio.sleep(min(seconds, 0.01))


def context(server: Loopback, reads: Reads | None = None, **environment: Any) -> Context:
    """A context of an environment whose Vercel and application are that server."""
    vercel = Vercel(token=Secret(TOKEN), project=PROJECT, team="team_Example1", api=server.url())
    made = Environment(name="production", url=server.url(), **{"vercel": vercel, "egress": None} | environment)
    settings = Settings(
        file=Path("radar.toml"), environment=made, environments=("production",), state_directory=Path("nowhere")
    )
    return Quick(
        settings=settings,
        operations=Operations(verification=Verification(rounds=2, interval_s=0.01, window_s=0.3)),
        clients=Clients(),
        reads=cast(Any, reads or nothing_observed()),
        records=cast(Any, None),
        operator="op1 (loginuid)",
        reason="errors 38 % since 0909090",
        run="run-token-1",
    )


class Notes:
    """A journal that only remembers."""

    def __init__(self) -> None:
        self.results: dict[str, StepResult] = {}
        self.told: list[str] = []

    def intend(self, _run: int, _step: str) -> None:
        return

    def progress(self, _run: int, step: str, words: str) -> None:
        self.told.append(f"{step}: {words}")

    def conclude(self, _run: int, step: str, result: StepResult) -> None:
        json.dumps(dict(result.data))
        self.results[step] = result


@dataclass
class Ran:
    """How a run went."""

    outcome: RunOutcome
    words: str
    notes: Notes

    def __getitem__(self, step: str) -> StepResult:
        return self.notes.results[step]


async def planned(action: Action, where: Context, **parameters: Json) -> Plan:
    """The plan; its facts survive JSON, and the same facts give the same plan."""
    request = ActionRequest(action=action.NAME, parameters=parameters)
    facts = json.loads(json.dumps(await action.facts(where, request)))
    plan = action.plan(where, request, facts)
    assert plan == action.plan(where, request, facts)
    assert TOKEN not in repr(plan) + repr(facts)
    return plan


async def carried_out(action: Action, where: Context, plan: Plan, done: Iterable[tuple[str, Json]] = ()) -> Ran:
    """All steps, by the real engine. `done`: what steps before left, of a run that is resumed."""
    notes = Notes()
    progress = Progress(data=dict(done))
    outcome, words = await Engine(where, action, plan, cast(Any, notes), 1).run(progress)
    assert TOKEN not in repr(notes.results) + repr(notes.told)
    return Ran(outcome, words, notes)


def words_of(plan: Plan, key: str) -> str:
    """What a check says, with its result: `warn: …`."""
    return next((f"{check.result}: {check.words}" for check in plan.checks if check.key == key), "")


ACCEPTED = answering(201, b"")


def moving(*projects: Handler | Mapping[str, Any], script: Hosting | None = None) -> Hosting:
    """A Vercel that takes the rollback; after that the project is answered so."""
    script = script or hosting()
    script.say("rollback", ACCEPTED)

    async def accept(seen: Seen, writer: Writer) -> None:
        script.say("project", *projects)
        await ACCEPTED(seen, writer)

    script.answers["rollback"] = [accept]
    return script


def moved(status: str = "succeeded", **changes: Any) -> dict[str, Any]:
    return project(OLD, job(OLD, status), autoAssignCustomDomains=False, **changes)


def accepting(script: Hosting, *answers: Any) -> Any:
    async def accept(seen: Seen, writer: Writer) -> None:
        script.say("project", *answers)
        await ACCEPTED(seen, writer)

    return accept


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes are tenths of seconds here."""
    monkeypatch.setattr(wire, "LIMITS", Limits(connect_s=1.0, read_s=0.3, total_s=0.5, body_bytes=1 << 20))
    limits_s = {"FOLLOW_S": 0.4, "QUEUED_S": 1.0, "POLL_S": 0.01, "RESOLVE_S": 0.1, "LIVE_S": 0.2, "BUILD_S": 0.5}
    for name, limit_s in limits_s.items():
        monkeypatch.setattr(vercel_follow, name, limit_s)
    monkeypatch.setattr(outside, "SEE_S", 0.1)
    Quick.waits.clear()


async def rolled_back(script: Hosting, **parameters: Any) -> Any:
    """A rollback planned and carried out against the script."""
    async with running(script) as server:
        where = context(server)
        return await carried_out(Rollback(), where, await planned(Rollback(), where, **parameters))
