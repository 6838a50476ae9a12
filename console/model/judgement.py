"""What the collector concludes from a round: values that are stored when made and never recomputed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from console.model.configuration import Severity
from console.model.observation import Origin, Sample
from console.model.states import State
from console.model.value import value
from console.model.views import TargetRow, Verdict


@value
class ComponentJudgement:
    """The state of one component, and why."""

    key: str
    name: str
    state: State
    figure: str
    origin: Origin
    explanation: tuple[str, ...]
    """Sentences without changing numbers (those go to `figure`), so that equal judgements extend a span."""
    targets: tuple[str, ...]
    """Keys of the polled targets that it was judged from."""
    interval_s: float | None = None
    error: str | None = None


@value
class AlertChange:
    """An alert that begins (`ended_ms` None) or ends in this round."""

    rule: str
    subject: str
    severity: Severity
    text: str
    origin: Origin
    pending_ms: int
    began_ms: int
    ended_ms: int | None = None
    value: float | None = None
    limit: float | None = None
    unit: str = ""


@value
class RuleReading:
    """How one rule stands in this round."""

    name: str
    severity: Severity
    condition: str
    state: str
    value: float | None
    unit: str


@value
class Judgement:
    """Everything concluded in one round. `samples` are the collector's own series, `{target: {metric: sample}}`."""

    at_ms: int
    verdict: Verdict
    components: tuple[ComponentJudgement, ...]
    targets: tuple[TargetRow, ...]
    alerts: tuple[AlertChange, ...] = ()
    rules: tuple[RuleReading, ...] = ()
    identity: str | None = None
    identity_mismatch: str | None = None
    samples: Mapping[str, Mapping[str, Sample]] = field(default_factory=dict)
