"""An action whose remote system is a directory: a change makes a file there. What goes wrong stands in its parameters.

`python -m tests.actions.scripted` is the real runner with this action in its registry.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from console.actions.base import Context, done, failed, unknown
from console.actions.registry import ACTIONS
from console.actions.wire import Rejected
from console.model.actions import (
    ActionRequest,
    Check,
    CheckResult,
    Holding,
    Option,
    Plan,
    Risk,
    Step,
    StepKind,
    StepOutcome,
    StepResult,
)
from console.model.observation import Json
from console.model.ports import Refused
from console.model.wire import Unanswered

STEPS = (
    Step(key="ask", kind=StepKind.CHANGE, words="make the first file", call="WRITE first"),
    Step(key="again", kind=StepKind.CHANGE, words="make the second file", call="WRITE second"),
    Step(key="tell", kind=StepKind.TELL, words="tell people", required=False),
    Step(key="watch", kind=StepKind.WATCH, words="watch"),
)


def _there(remote: Path) -> Json:
    return [*sorted(path.name for path in remote.glob("*.made"))]


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


class Scripted:
    """`remote`: the directory. `ask`, `again`, `tell`, `watch`: what the step does, by one word. `risk`, `fail`,
    `look`, `short`. What changes outside between two looks stands in the remote's `title` and `warning`."""

    NAME: ClassVar[str] = "scripted"

    async def facts(self, context: Context, request: ActionRequest) -> Mapping[str, Json]:
        """What is there, and the parameters. `look`: "wait" has it wait for the file `go`."""
        remote = Path(str(request.parameters["remote"]))
        leak(str(request.parameters.get("look")), context)
        if request.parameters.get("look") == "wait":
            (remote / "looks").write_text(str(os.getpid()))
            while not (remote / "go").exists():
                await context.wait(0.02)
        world: dict[str, Json] = {name: _text(remote / name) for name in ("title", "warning")}
        return {"there": await asyncio.to_thread(_there, remote), **world}

    def plan(self, context: Context, request: ActionRequest, facts: Mapping[str, Json]) -> Plan:
        """The four steps."""
        parameters = dict(request.parameters)
        forbidden = parameters.get("fail")
        checks: tuple[Check, ...] = (
            Check(key="fail", result=CheckResult.FAIL if forbidden else CheckResult.PASS, words="as it was scripted"),
        )
        if facts["warning"]:
            checks = (*checks, Check(key="warning", result=CheckResult.WARN, words=str(facts["warning"])))
        return Plan(
            action="scripted", title=str(facts["title"] or "Make two files"), environment=context.environment.name,
            target="files (f1)", short_id=str(parameters.get("short", "f1f1f1f")),
            risk=Risk(str(parameters.get("risk", "disruptive"))), exclusion="files", checks=checks,
            steps=STEPS, undo="radar scripted --undo", escape=("touch first second",),
            undo_request=ActionRequest(action="scripted"),
            options=(Option(key="h", words="hold", parameter="hold", value=True, on=bool(parameters.get("hold"))),),
            data={**parameters, "there": facts["there"]},
        )  # fmt: skip

    async def carry_out(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """What the script says of the step."""
        script = str(plan.data.get(step.key, "well"))
        if said := leak(script, context):
            return done(said, token=said)
        was_killed = (self._remote(plan) / "killed").exists()
        if script == "kill-once":
            (self._remote(plan) / "killed").touch()
        if script == "kill-before" or (script == "kill-once" and not was_killed):
            os.kill(os.getpid(), signal.SIGKILL)
        if step.kind is StepKind.CHANGE and script not in ("rejected", "lost-not-done"):
            (self._remote(plan) / f"{step.key}.made").write_text(context.run or "")
        if script == "kill-after":
            os.kill(os.getpid(), signal.SIGKILL)
        if script == "wait":
            context.tell("waits")
            while not (self._remote(plan) / "go").exists():
                await context.wait(0.02)
        return self._told(script, step)

    def _told(self, script: str, step: Step) -> StepResult:
        if script == "rejected":
            raise Rejected("the remote says no", 403)
        if script in ("lost", "lost-not-done", "lost-unreadable"):
            raise Unanswered("no answer came")
        if script == "defect":
            raise KeyError("secret-value")
        if script == "worse":
            return StepResult(outcome=StepOutcome.DONE, words="worse", worse=True)
        holds = (Holding(kind="pinned", subject="files", text="files are pinned"),) if step.key == "again" else ()
        return StepResult(outcome=StepOutcome.DONE, words="well", data={f"{step.key}_said": 1}, holds=holds)

    async def resolve(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """Whether the file is there. Never, while the remote has a file `hangs`."""
        if (self._remote(plan) / "hangs").exists():
            await asyncio.Event().wait()
        leak(str(plan.data.get(step.key)), context)
        if plan.data.get(step.key) == "lost-unreadable":
            return unknown("the remote does not say")
        made = (self._remote(plan) / f"{step.key}.made").exists()
        return done("the file is there") if made else failed("the file is not there")

    @staticmethod
    def _remote(plan: Plan) -> Path:
        return Path(str(plan.data["remote"]))


def leak(script: str, context: Context) -> str:
    """A step that lets the token out, as no step should: by an error, a refusal of the remote, or its words."""
    if not script.startswith("leak"):
        return ""
    assert context.environment.vercel is not None
    token = context.environment.vercel.token.reveal()
    context.tell(f"with {token}")
    if script == "leak-error":
        raise ValueError(f"no such header: {token}")
    if script == "leak-rejected":
        raise Rejected(f"the remote says: {token} is revoked", 403)
    if script == "leak-refused":
        raise Refused(f"not with {token}")
    return f"done with {token}"


ACTIONS["scripted"] = "tests.actions.scripted:Scripted"

if __name__ == "__main__":
    from console.actions import engine
    from console.actions.runner import main

    engine.RESOLVE_WAIT_S = 0.1  # a directory tells at once; a hosted system may take seconds
    sys.exit(main())
