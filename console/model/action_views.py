"""What the screens show of actions: runs, their steps, what is due, what is open, the audit. Frozen at `at_ms`."""

from __future__ import annotations

from console.model.actions import Plan, RunOutcome, StepOutcome
from console.model.value import value
from console.model.views import Header


@value
class RunRow:
    """One run of an action. `token` names it everywhere; `id` is for people: `radar actions 7`."""

    id: int
    token: str
    action: str
    title: str
    target: str
    risk: str
    reason: str
    operator: str
    """`op1 (loginuid)`."""
    authority: str
    began_ms: int
    ended_ms: int | None
    outcome: RunOutcome
    words: str
    undo: str = ""


@value
class StepRow:
    """One step of a run: as planned, and how it stands. `outcome` None: not begun."""

    key: str
    words: str
    call: str
    required: bool
    outcome: StepOutcome | None
    said: str
    """What came of it, or what is being waited for."""
    began_ms: int | None
    ended_ms: int | None
    expected_s: float


@value
class HoldingRow:
    """One entry of the ledger made by an action, in force at the moment shown."""

    id: int
    kind: str
    subject: str
    text: str
    owner: str
    began_ms: int
    expires_ms: int | None
    undo: str


@value
class DueRow:
    """An action that will be carried out at a time, by the collector's service."""

    id: int
    action: str
    title: str
    due_ms: int
    made_ms: int
    operator: str
    reason: str
    state: str
    """`waiting`, `taken`, `refused`, `cancelled`, `missed`."""
    words: str = ""
    """Why it was not done."""


@value
class NoteRow:
    """A note of the incident."""

    id: int
    at_ms: int
    by: str
    text: str


@value
class DeliveryRow:
    """One message to one channel."""

    id: int
    event: str
    channel: str
    title: str
    state: str
    """`waiting`, `sending`, `sent`, `failed`, `unknown`, `dropped`."""
    attempts: int
    changed_ms: int
    words: str


@value
class AuditRow:
    """One entry of the audit, with its place in the chain."""

    id: int
    at_ms: int
    actor: str
    kind: str
    subject: str
    words: str
    hash: str


@value
class ActionsView:
    """The journal as a page."""

    header: Header
    runs: tuple[RunRow, ...]
    """Open ones first, then newest first."""
    holdings: tuple[HoldingRow, ...]
    due: tuple[DueRow, ...]
    deliveries: tuple[DeliveryRow, ...] = ()
    armed_until_ms: int | None = None


@value
class RunView:
    """One run with its steps."""

    header: Header
    run: RunRow | None
    plan: Plan | None
    steps: tuple[StepRow, ...] = ()
