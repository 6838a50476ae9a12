"""What the screens are given: Protocols only. `console.app` hands over the real parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from console.model.observation import Json
from console.model.service_levels import SLO_WINDOWS_S
from console.model.views import AlertsView, ComponentDetail, HealthView

if TYPE_CHECKING:  # ten dataclasses more are 7 ms of every start
    from console.model.action_views import ActionsView, RunView
    from console.model.actions import ActionRequest, Plan
    from console.model.deployments import DeploymentsView
    from console.model.inquiries import LogEnd
    from console.model.metric_views import MetricsQuestion, MetricsView, SloView


class StoreReads(Protocol):
    """Reads of the store at a moment. Each is one short transaction; safe on any one thread at a time.

    `at_ms=None` is now. All raise `StoreUnreadable` with words for people when the file cannot be read.
    """

    def version(self) -> int:
        """A number that changes when anything was written (PRAGMA data_version of both files)."""

    def health(self, at_ms: int | None, *, strip_slices: int = 15, events: int = 8) -> HealthView:
        """The Health screen at that moment; the strip covers 30 minutes in `strip_slices` slices."""

    def component(self, key: str, at_ms: int | None) -> ComponentDetail:
        """One component with every target of it."""

    def alerts(self, at_ms: int | None) -> AlertsView:
        """Alerts firing at that moment, history before it, rules, silences."""

    def metrics(self, at_ms: int | None, question: MetricsQuestion) -> MetricsView:
        """A page of charts: what was known at that moment."""

    def slo(self, at_ms: int | None, *, windows_s: Sequence[int] = SLO_WINDOWS_S) -> SloView:
        """The service level targets with their budgets at that moment, their figures over these windows."""

    def deployments(self, at_ms: int | None) -> DeploymentsView:
        """Deployments and CI runs as they were known at that moment."""

    def actions(self, at_ms: int | None) -> ActionsView:
        """Runs of actions, what is due, what is open, what was told."""

    def run(self, token: str, at_ms: int | None) -> RunView:
        """One run with its steps as they stood at that moment."""

    def change_after(self, at_ms: int, *, forward: bool) -> int | None:
        """The nearest moment after (or before) `at_ms` at which a judgement changed, for stepping in time."""

    def close(self) -> None:
        """Release the files."""


class StoreUnreadable(Exception):
    """The store cannot be read now; the text says why and what to do."""


EntryKind = Literal["acknowledge", "silence", "end-silence", "poll", "note", "disarm", "dismiss"]
"""What people put on record that is no action."""


class AlertActions(Protocol):
    """What an operator may do to alerts from a screen."""

    def acknowledge(self, alert_id: int, note: str) -> str:
        """Record that the caller has seen the alert; gives the note as it is on record, without secrets. Raises
        `Refused` with the reason."""

    def silence(self, matcher: str, minutes: int, reason: str) -> str:
        """Hold notifications of alerts whose rule or `AlertRow.name` equals `matcher`; expiry is mandatory. Gives the
        reason as it is on record, without secrets."""

    def end_silence(self, silence_id: int) -> None:
        """End a silence now."""

    def disarm(self) -> None:
        """From now on the caller must give a reason again."""

    def dismiss(self, message_id: int) -> None:
        """A message that failed, or of which nobody knows whether it was told, is seen to: it leaves the ledger."""


class PollRequests(Protocol):
    """`r`: ask the collector to poll now."""

    def poll_now(self) -> None:
        """Write the request; the collector serves it within a second."""


class Refused(Exception):
    """The act is not allowed or not possible; the text says why."""


class Notes(Protocol):
    """Notes of an incident, with their time."""

    def add(self, text: str) -> str:
        """Put a note on record; gives it as it stands there, without secrets. Blocks while it is written. Raises
        `Refused` with the reason."""


class Inquiries(Protocol):
    """What a person asks of a hosted system beside the rounds: read only, capped, never kept."""

    def build_log(self, deployment_id: str) -> LogEnd:
        """The end of a deployment's build log. Blocks while it is read. Raises `Refused` with the reason."""

    def job_log(self, job_id: int) -> LogEnd:
        """The end of a CI job's log. Blocks while it is read. Raises `Refused` with the reason."""

    def cancel(self) -> None:
        """Give up what is being read, which is then refused. From any thread."""


class PlanTicket(Protocol):
    """A plan that was made and not yet confirmed; its process waits. Each method blocks: not for the event loop."""

    @property
    def plan(self) -> Plan:
        """What would be done."""

    @property
    def reason(self) -> str:
        """The reason under which this person is armed already; empty: one must be given."""

    def change(self, parameters: Mapping[str, Json]) -> Plan:
        """The plan with other options. Raises `Refused`."""

    def confirm(self, *, reason: str, typed: str) -> str:
        """Carry it out; gives the token of the run, whose first journal row stands. Raises `Refused`."""

    def leave(self) -> None:
        """Nothing is done. Harmless when called twice, or after `confirm`."""


class ActionDesk(Protocol):
    """Where guarded actions are asked for. The authority is checked where they run, not here."""

    @property
    def role_words(self) -> str:
        """`OPERATOR`, `VIEWER`, …: for the header. What it says decides nothing."""

    @property
    def authority_words(self) -> str:
        """`guard rails` or `enforced`."""

    def prepare(self) -> None:
        """Somebody may well act soon: have what a plan needs wait ready. Blocks some milliseconds; never raises."""

    def plan(self, request: ActionRequest) -> PlanTicket:
        """Look at the live facts and make the plan. Blocks while systems are asked. Raises `Refused`."""

    def resume(self, token: str) -> PlanTicket:
        """The rest of an interrupted or unknown run, after its remote state was read. Raises `Refused`."""

    def close_run(self, token: str, reason: str) -> str:
        """End an open run by hand; what became of it, in words. Blocks. Raises `Refused`."""
