"""What every guarded action is, and what it may use while it looks, plans and acts.

An action is one class in a file of its own: `facts` reads live, `plan` decides purely, `carry_out` does one step,
`resolve` tells from the remote state whether a change took place. It keeps nothing between the calls: a run may be
resumed by another process, which has only the plan and what the steps before left in `data`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from console.model.actions import ActionRequest, Plan, Step, StepOutcome, StepResult
from console.model.configuration import Environment, Settings
from console.model.observation import Json
from console.model.operations import Operations
from console.model.ports import Refused, StoreReads
from console.sources.http import Clients
from console.store.clock import now_ms

if TYPE_CHECKING:
    from console.store.records import Records

CHANGES_DEPLOYMENT = "deployment, schema or data"
"""The exclusion of everything that changes one of the three: no two of them run beside each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What an action may use. Its clients live as long as its process."""

    settings: Settings
    operations: Operations
    clients: Clients
    reads: StoreReads
    """What was observed; blocking: call it by `asyncio.to_thread`."""
    records: Records
    """The people's file; blocking too, each call some milliseconds."""
    operator: str
    """`op1 (loginuid)`."""
    reason: str = ""
    """Why, once it is confirmed."""
    run: str | None = None
    """The token of the run that carries it out; None while planning."""
    tell: Callable[[str], None] = lambda words: None
    """Say how the step goes on; kept in the journal when it says something new."""
    intended_ms: int | None = None
    """Of a step that was cut off: when its intent was written. What was sent may still be carried out for a while."""
    glass: Path | None = None
    """The second place for records, where the glass was broken."""
    done: Mapping[str, Json] = field(default_factory=dict)
    """What the steps before left."""

    @property
    def environment(self) -> Environment:
        """The environment acted upon."""
        return self.settings.environment

    @staticmethod
    def now_ms() -> int:
        """The wall clock, ms since epoch."""
        return now_ms()

    @staticmethod
    async def wait(seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)


class Action(Protocol):
    """One kind of action."""

    NAME: ClassVar[str]

    async def facts(self, context: Context, request: ActionRequest) -> Mapping[str, Json]:
        """The live facts that the plan needs. A system that does not answer is a fact too. Raises `Refused` where no
        plan can be made at all: nothing configured, no such deployment."""
        ...

    def plan(self, context: Context, request: ActionRequest, facts: Mapping[str, Json]) -> Plan:
        """What would be done. Pure: no I/O, the same facts give the same plan."""
        ...

    async def carry_out(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """Do one step. `Rejected`, `Unanswered` and `Fault` may come out of it: they become FAILED and UNKNOWN."""
        ...

    async def resolve(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """Of a CHANGE whose outcome is not known: DONE or FAILED by the remote state, UNKNOWN when it does not say.
        Changes nothing. Steps of other kinds are simply done again."""
        ...


def done(words: str, **data: Json) -> StepResult:
    """The step is done."""
    return StepResult(outcome=StepOutcome.DONE, words=words, data=data)


def failed(words: str, **data: Json) -> StepResult:
    """The step failed, and nothing of it was carried out."""
    return StepResult(outcome=StepOutcome.FAILED, words=words, data=data)


def unknown(words: str, **data: Json) -> StepResult:
    """Nobody can tell."""
    return StepResult(outcome=StepOutcome.UNKNOWN, words=words, data=data)


def text_of(request: ActionRequest, name: str) -> str | None:
    """A parameter that is a text, without blanks around it; None: not given. Raises `Refused` for anything else."""
    value = request.parameters.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise Refused(f"{name} must be a text")
    return value.strip()
