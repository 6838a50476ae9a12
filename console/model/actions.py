"""Guarded actions as values: what is asked, what would be done, and how it went. Rules only, no I/O.

An action is asked for (`ActionRequest`), looks at the live facts and answers with a `Plan`; a person confirms it; the
runner carries out its steps and journals each of them. Everything here survives JSON, for it goes through pipes and
stands in the journal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from console.model.observation import Json
from console.model.value import value

ARMED_MS = 15 * 60_000
REASON_LIMIT = 300
ELSEWHERE = "elsewhere"
"""Key of the check that says what protects against another bastion: `NO OTHER RUN HERE; WHAT PROTECTS`."""


class Risk(StrEnum):
    """How an action is confirmed: Enter, the target's short id, or environment/target."""

    SAFE = "safe"
    DISRUPTIVE = "disruptive"
    DESTRUCTIVE = "destructive"


class CheckResult(StrEnum):
    """What a check of the preflight came to. One that fails forbids the action; what is unknown warns or fails."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"


class StepKind(StrEnum):
    """What a step does to the world."""

    CHANGE = "change"  # changes something outside: resolved from the remote state when its outcome is not known
    FOLLOW = "follow"  # waits until what was accepted is done, and is ours
    SEE = "see"  # looks from outside
    WATCH = "watch"  # some rounds: is it better, the same, worse
    TELL = "tell"  # tells people: may fail without losing the rest
    RECORD = "record"  # writes into our own records


class StepOutcome(StrEnum):
    """How a step ended. `INTENDED` and nothing after it: it was begun, and nobody knows more."""

    INTENDED = "intended"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class RunOutcome(StrEnum):
    """How a run ended, or how it stands. Only the last two are no end."""

    DONE = "done"
    WORSE = "worse"  # done, and what was watched is worse: undo is offered
    FAILED = "failed"  # a step failed; what was done before it is told
    NOT_DONE = "not done"  # the remote state says that nothing was changed
    CLOSED = "closed"  # a person ended it by hand, with a reason
    RUNNING = "running"
    UNKNOWN = "unknown"  # nobody can tell whether a change took place
    INTERRUPTED = "interrupted"  # the runner is gone, the run is not at its end


OPEN_OUTCOMES = frozenset({RunOutcome.RUNNING, RunOutcome.UNKNOWN, RunOutcome.INTERRUPTED})


@value
class ActionRequest:
    """What somebody wants: `rollback` with `{"to": "dpl_…"}`. Asking changes nothing."""

    action: str
    parameters: Mapping[str, Json] = field(default_factory=dict)


@value
class Check:
    """One line of the preflight, with its evidence."""

    key: str
    result: CheckResult
    words: str
    source: str = ""
    """From where: `vercel api`, `github api`, `records`, `this host`."""
    at_ms: int | None = None
    """When it was looked at; shown as its age."""


@value
class Step:
    """One step as planned."""

    key: str
    kind: StepKind
    words: str
    call: str = ""
    """The exact call, without secrets: `POST /v1/projects/prj_…/rollback/dpl_…`."""
    required: bool = True
    """Whether the run ends when it fails; people told and pages updated may fail without losing the rest."""
    expected_s: float = 1.0


@value
class Option:
    """Something that may be added to the plan by a key, such as a deploy freeze for as long as it runs."""

    key: str
    words: str
    parameter: str
    value: Json
    on: bool = False


@value
class Plan:
    """Exactly what would be done, and what a person must know before saying yes."""

    action: str
    title: str
    """`Roll back production from 8f3c1d2 to 41ab9e0`."""
    environment: str
    target: str
    """What is acted upon, by name and id: `41ab9e0 (dpl_…)`."""
    short_id: str
    """What is typed to confirm a disruptive action; also the last part of `ENVIRONMENT/TARGET`."""
    risk: Risk
    exclusion: str | None
    """Runs of one exclusion do not run beside each other; None: excludes nothing."""
    checks: tuple[Check, ...]
    steps: tuple[Step, ...]
    lost: tuple[str, ...] = ()
    """What will not come back by it."""
    afterwards: tuple[str, ...] = ()
    """What will be different, and for how long."""
    undo: str = ""
    """How it is undone, as a command of ours, and how long that takes. Empty: it cannot be."""
    undo_request: ActionRequest | None = None
    escape: tuple[str, ...] = ()
    """The same with the vendors' own tools, without secrets: to be used when this console cannot."""
    options: tuple[Option, ...] = ()
    data: Mapping[str, Json] = field(default_factory=dict)
    """What the steps need, decided here; never a secret."""
    request: ActionRequest | None = None
    """What was asked for, so that the same can be planned again; None: it is not known."""

    @property
    def expected_s(self) -> float:
        """How long it takes, as far as is known."""
        return sum(step.expected_s for step in self.steps)

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why it may not be done now; empty: it may."""
        return tuple(check.words for check in self.checks if check.result is CheckResult.FAIL)

    @property
    def phrase(self) -> str:
        """What must be typed to confirm it; empty: Enter is enough."""
        if self.risk is Risk.SAFE:
            return ""
        return self.short_id if self.risk is Risk.DISRUPTIVE else f"{self.environment}/{self.short_id}"

    @property
    def digest(self) -> str:
        """Names what would be done: target, steps and data. What was checked and when (`…_ms`) does not count."""
        data = {name: value for name, value in self.data.items() if not name.endswith("_ms")}
        steps = [(step.key, step.words, step.call) for step in self.steps]
        told = [self.action, self.environment, self.target, self.short_id, self.risk, self.exclusion, steps, data]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def confirms(self, typed: str) -> bool:
        """Whether these characters confirm it. `ENVIRONMENT/TARGET` always does: it is what scripts give. What is not
        safe and names nothing to type is confirmed by nothing."""
        if self.risk is not Risk.SAFE and not self.short_id.strip():
            return False
        return typed.strip() in {self.phrase, f"{self.environment}/{self.short_id}"}


@value
class Holding:
    """Something temporary that a step left behind and that somebody must undo: a pin, a freeze, maintenance."""

    kind: str
    subject: str
    text: str
    expires_ms: int | None = None
    undo: str = ""
    """The command of ours that ends it."""
    request: ActionRequest | None = None
    """The action that ends it: what its plan is asked for with. Not the run's undo, which may have made another."""
    continues: bool = False
    """What is held of that kind and subject goes on, under its owner and since then, and only reads otherwise."""


@value
class StepResult:
    """What came of one step. `holds` and `releases` are written together with it."""

    outcome: StepOutcome
    words: str
    data: Mapping[str, Json] = field(default_factory=dict)
    """Handed to the steps after it, and to who resumes the run."""
    holds: tuple[Holding, ...] = ()
    releases: tuple[tuple[str, str], ...] = ()
    """(kind, subject) of holdings that have ended by it."""
    worse: bool = False
    """Of a watch: what was seen is worse than before."""
