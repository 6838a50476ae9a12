"""A scripted desk for actions, and notes: what was asked, changed, confirmed and left, in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from console.model.actions import ActionRequest, Plan
from console.model.observation import Json
from console.model.ports import Refused
from console.model.secrets import HIDDEN
from tests.screens.sample_actions import TOKEN, held, plan


@dataclass
class ScriptedDesk:
    """Answers as told."""

    make_plan: Callable[[], Plan] = plan
    role_words: str = "OPERATOR"
    authority_words: str = "guard rails"
    armed: str = ""
    refusal: str | None = None
    """Why there is no plan."""
    refuses: str | None = None
    """Why a confirmation is refused."""
    hang: threading.Event | None = None
    waits: threading.Event | None = None
    """A confirmation waits for it."""
    breaks: bool = False
    """A confirmation meets a defect."""
    token: str = TOKEN
    done: list[tuple[object, ...]] = field(default_factory=list)
    open_tickets: int = 0
    prepared: int = 0

    def prepare(self) -> None:
        """Counted."""
        self.prepared += 1

    def plan(self, request: ActionRequest) -> ScriptedTicket:
        return self._ticket("plan", request.action, dict(request.parameters))

    def resume(self, token: str) -> ScriptedTicket:
        return self._ticket("resume", token)

    def close_run(self, token: str, reason: str) -> str:
        self.done.append(("close", token, reason))
        return "run 7 is closed by hand; what it had changed stays as it is"

    def _ticket(self, *what: object) -> ScriptedTicket:
        self.done.append(what)
        if self.hang is not None:
            self.hang.wait()
        if self.refusal is not None:
            raise Refused(self.refusal)
        self.open_tickets += 1
        return ScriptedTicket(self, self.make_plan())

    def said(self, kind: str) -> list[tuple[object, ...]]:
        """What was done of one kind."""
        return [what for what in self.done if what[0] == kind]


class ScriptedTicket:
    """One plan that waits."""

    def __init__(self, desk: ScriptedDesk, made: Plan) -> None:
        self._desk = desk
        self._left = False
        self.plan = made

    @property
    def reason(self) -> str:
        return self._desk.armed

    def change(self, parameters: Mapping[str, Json]) -> Plan:
        self._desk.done.append(("change", dict(parameters)))
        self.plan = held(dict(parameters))
        return self.plan

    def confirm(self, *, reason: str, typed: str) -> str:
        self._desk.done.append(("confirm", reason, typed))
        if self._desk.waits is not None:
            self._desk.waits.wait()
        if self._desk.breaks:
            raise BrokenPipeError("the runner is gone")
        if self._desk.refuses is not None:
            raise Refused(self._desk.refuses)
        self._left = True
        self._desk.open_tickets -= 1
        return self._desk.token

    def leave(self) -> None:
        if not self._left:
            self._left = True
            self._desk.open_tickets -= 1
            self._desk.done.append(("leave",))


@dataclass
class ScriptedNotes:
    """Notes that are remembered."""

    taken: list[str] = field(default_factory=list)
    refusal: str | None = None
    secret: str = "only for tests"

    def add(self, text: str) -> str:
        if self.refusal is not None:
            raise Refused(self.refusal)
        self.taken.append(text)
        return text.replace(self.secret, HIDDEN)
