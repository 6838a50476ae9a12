"""A scripted store for the pages: hand-built values with a fixed clock, and what was done to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from console.model.action_views import ActionsView, RunView
from console.model.configuration import Contact, Display, Environment, Settings
from console.model.deployments import DeploymentsView
from console.model.metric_views import MetricsQuestion, MetricsView, SloView
from console.model.ports import Refused, StoreUnreadable
from console.model.secrets import HIDDEN
from console.model.views import (
    AlertsView,
    ComponentDetail,
    HealthView,
)
from tests.screens.sample import NOW, M, component, header, health
from tests.screens.sample_actions import actions_view, run_view
from tests.screens.sample_alerts import alerts
from tests.screens.sample_deployments import deployments
from tests.screens.sample_metrics import metrics


@dataclass
class ScriptedReads:
    """Answers as told; counts what it was asked."""

    make_health: Callable[[int, int], HealthView] = health
    make_alerts: Callable[[], AlertsView] = alerts
    make_metrics: Callable[[MetricsQuestion, int | None], MetricsView] = metrics
    make_slo: Callable[[], SloView] = lambda: SloView(header=header(), objectives=())
    make_deployments: Callable[[], DeploymentsView] = deployments
    make_actions: Callable[[], ActionsView] = actions_view
    make_run: Callable[[str], RunView] = run_view
    questions: list[MetricsQuestion] = field(default_factory=list)
    """What the Metrics screen asked."""
    trouble: str | None = None
    hang: threading.Event | None = None
    """While set to an Event that is not set, every read waits for it."""
    number: int = 1
    asked: list[tuple[str, int | None]] = field(default_factory=list)
    changes: tuple[int, ...] = (NOW - 92 * M, NOW - 9 * M, NOW - 8 * M)
    closed: bool = False

    def _enter(self, what: str, at_ms: int | None) -> None:
        self.asked.append((what, at_ms))
        if self.hang is not None:
            self.hang.wait()
        if self.trouble is not None:
            raise StoreUnreadable(self.trouble)

    def version(self) -> int:
        return self.number

    def health(self, at_ms: int | None, *, strip_slices: int = 15, events: int = 8) -> HealthView:
        self._enter("health", at_ms)
        view = self.make_health(strip_slices, events)
        return view if at_ms is None else replace(view, header=replace(view.header, at_ms=at_ms))

    def component(self, key: str, at_ms: int | None) -> ComponentDetail:
        self._enter(f"component {key}", at_ms)
        rows = {row.key: row for row in self.make_health(30, 8).components}
        return component(key, rows[key])

    def alerts(self, at_ms: int | None) -> AlertsView:
        self._enter("alerts", at_ms)
        return self.make_alerts()

    def metrics(self, at_ms: int | None, question: MetricsQuestion) -> MetricsView:
        self.questions.append(question)
        self._enter(f"metrics {question.page}", at_ms)
        return self.make_metrics(question, at_ms)

    def slo(self, at_ms: int | None, *, windows_s: Sequence[int] = ()) -> SloView:
        self._enter("slo", at_ms)
        return self.make_slo()

    def actions(self, at_ms: int | None) -> ActionsView:
        self._enter("actions", at_ms)
        return self.make_actions()

    def run(self, token: str, at_ms: int | None) -> RunView:
        self._enter(f"run {token}", at_ms)
        return self.make_run(token)

    def deployments(self, at_ms: int | None) -> DeploymentsView:
        self._enter("deployments", at_ms)
        view = self.make_deployments()
        return view if at_ms is None else replace(view, header=replace(view.header, at_ms=at_ms))

    def change_after(self, at_ms: int, *, forward: bool) -> int | None:
        self._enter(f"change {'after' if forward else 'before'}", at_ms)
        found = [at for at in self.changes if (at > at_ms if forward else at < at_ms)]
        return (min(found) if forward else max(found)) if found else None

    def close(self) -> None:
        self.closed = True


@dataclass
class ScriptedActions:
    """Alert actions and poll requests that are remembered."""

    done: list[tuple[object, ...]] = field(default_factory=list)
    refusal: str | None = None
    secret: str = "only for tests"

    def _do(self, *what: object) -> None:
        if self.refusal is not None:
            raise Refused(self.refusal)
        self.done.append(what)

    def acknowledge(self, alert_id: int, note: str) -> str:
        self._do("acknowledge", alert_id, note)
        return note.replace(self.secret, HIDDEN)

    def silence(self, matcher: str, minutes: int, reason: str) -> str:
        self._do("silence", matcher, minutes, reason)
        return reason.replace(self.secret, HIDDEN)

    def end_silence(self, silence_id: int) -> None:
        self._do("end silence", silence_id)

    def disarm(self) -> None:
        self._do("disarm")

    def dismiss(self, message_id: int) -> None:
        self._do("dismiss", message_id)

    def poll_now(self) -> None:
        self._do("poll")


def settings(directory: Path, display: Display | None = None) -> Settings:
    """A production environment with contacts."""
    contacts = {
        "database": (Contact(name="DBA on call", phone="+49 30 1234567", email="dba@example.com"),),
        "any": (Contact(name="Operations", link="https://wiki.example.com/on-call"),),
    }
    environment = Environment(
        name="production",
        url="https://app.example.com",
        contacts=contacts,
        links={"Vercel dashboard": "https://vercel.com/tabletalk/radar"},
    )
    return Settings(
        file=directory / "radar.toml",
        environment=environment,
        environments=("production",),
        state_directory=directory,
        display=display or Display(),
    )
