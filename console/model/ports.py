"""What the screens are given: Protocols only. `console.app` hands over the real parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from console.model.service_levels import SLO_WINDOWS_S
from console.model.views import AlertsView, ComponentDetail, HealthView

if TYPE_CHECKING:  # ten dataclasses more are 7 ms of every start
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

    def change_after(self, at_ms: int, *, forward: bool) -> int | None:
        """The nearest moment after (or before) `at_ms` at which a judgement changed, for stepping in time."""

    def close(self) -> None:
        """Release the files."""


class StoreUnreadable(Exception):
    """The store cannot be read now; the text says why and what to do."""


class AlertActions(Protocol):
    """What an operator may do to alerts from a screen."""

    def acknowledge(self, alert_id: int, note: str) -> None:
        """Record that the caller has seen the alert. Raises `Refused` with the reason."""

    def silence(self, matcher: str, minutes: int, reason: str) -> None:
        """Hold notifications of alerts whose rule or `AlertRow.name` equals `matcher`; expiry is mandatory."""

    def end_silence(self, silence_id: int) -> None:
        """End a silence now."""


class PollRequests(Protocol):
    """`r`: ask the collector to poll now."""

    def poll_now(self) -> None:
        """Write the request; the collector serves it within a second."""


class Refused(Exception):
    """The act is not allowed or not possible; the text says why."""
