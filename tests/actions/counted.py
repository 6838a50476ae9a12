"""An action each step of which makes one call to a remote that counts, and that kills the caller when it is told to.

`python -m tests.actions.counted` is the real runner with this action in its registry; `Remote` is its other end.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Self

from console.actions.base import Context, done, failed
from console.actions.registry import ACTIONS
from console.model.actions import ActionRequest, Holding, Plan, Risk, Step, StepKind, StepOutcome, StepResult
from console.model.observation import Json

STEPS = (
    Step(key="first", kind=StepKind.CHANGE, words="make the first change", call="POST first"),
    Step(key="follow", kind=StepKind.FOLLOW, words="follow it", call="GET first"),
    Step(key="second", kind=StepKind.CHANGE, words="make the second change", call="POST second"),
    Step(key="tell", kind=StepKind.TELL, words="tell people", call="POST tell", required=False),
    Step(key="watch", kind=StepKind.WATCH, words="watch", call="GET health"),
)
CHANGES = tuple(step.key for step in STEPS if step.kind is StepKind.CHANGE)
BEFORE, UNDONE, LOST, AFTER = "before", "in it, not carried out", "in it, carried out", "after"
POINTS = (BEFORE, UNDONE, LOST, AFTER)


class Counted:
    """`remote`: the path of the remote's socket."""

    NAME: ClassVar[str] = "counted"

    async def facts(self, context: Context, request: ActionRequest) -> Mapping[str, Json]:
        """None: a plan that was seen must not differ after another run changed something."""
        return {}

    def plan(self, context: Context, request: ActionRequest, facts: Mapping[str, Json]) -> Plan:
        """The five steps."""
        return Plan(
            action="counted", title="Make two changes", environment=context.environment.name, target="things (t1)",
            short_id="t1t1t1t", risk=Risk.DISRUPTIVE, exclusion="things", checks=(), steps=STEPS,
            undo="", data=dict(request.parameters),
        )  # fmt: skip

    async def carry_out(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """Call, and hear the answer; each line is waited for by the other side."""
        reader, writer = await asyncio.open_unix_connection(str(plan.data["remote"]))
        for word in ("hello", "do", "thanks"):
            writer.write(json.dumps({"say": word, "step": step.key, "pid": os.getpid()}).encode() + b"\n")
            assert json.loads(await reader.readline())["ok"] is True
        writer.close()
        holds = (Holding(kind="pinned", subject="things", text="things are pinned"),) if step.key == "second" else ()
        return StepResult(outcome=StepOutcome.DONE, words="well", data={step.key: 1}, holds=holds)

    async def resolve(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """What the remote has counted."""
        reader, writer = await asyncio.open_unix_connection(str(plan.data["remote"]))
        writer.write(json.dumps({"say": "state", "step": step.key, "pid": os.getpid()}).encode() + b"\n")
        count = json.loads(await reader.readline())["count"]
        writer.close()
        return done("it was counted", **{step.key: 1}) if count else failed("it was not counted")


class Remote:
    """Counts what it carried out, by step. `kills`: at which calls it kills whoever calls, each once."""

    def __init__(self, path: Path, *kills: tuple[str, str]) -> None:
        self.carried_out: Counter[str] = Counter()
        self.kills = list(kills)
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                wire, _ = self._server.accept()
            except OSError:
                return
            with wire, wire.makefile("rwb") as lines, suppress(ConnectionError):  # of a caller that was killed
                for line in lines:
                    told = json.loads(line)
                    if not self._answered(told):
                        break
                    lines.write(json.dumps({"ok": True, "count": self.carried_out[told["step"]]}).encode() + b"\n")
                    lines.flush()

    def _answered(self, told: dict[str, object]) -> bool:
        """False: the caller was killed."""
        step, word, pid = str(told["step"]), told["say"], int(str(told["pid"]))
        if word == "do":
            if self._kills(step, UNDONE, pid):
                return False
            self.carried_out[step] += 1
            return not self._kills(step, LOST, pid)
        point = {"hello": BEFORE, "thanks": AFTER}.get(str(word), "")
        return not self._kills(step, point, pid)

    def _kills(self, step: str, point: str, pid: int) -> bool:
        if (step, point) not in self.kills:
            return False
        self.kills.remove((step, point))
        os.kill(pid, signal.SIGKILL)
        return True


ACTIONS["counted"] = "tests.actions.counted:Counted"

if __name__ == "__main__":
    from console.actions.runner import main

    sys.exit(main())
