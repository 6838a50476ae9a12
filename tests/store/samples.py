"""Values that the store's tests write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from console.model.configuration import Environment
from console.model.judgement import AlertChange, ComponentJudgement, Judgement, RuleReading
from console.model.observation import ErrorKind, Event, Json, Observation, Origin, Outcome, Sample
from console.model.states import State
from console.model.views import Reason, TargetRow, Verdict
from console.store.lease import Holder

ENVIRONMENT = Environment(name="production", url="https://app.example.com", label="test")
START_MS = 1_760_000_000_000  # a whole number of ten-minute blocks would hide faults of alignment


@dataclass
class ManualClock:
    """Both clocks, moved by hand."""

    wall: int = START_MS
    boot: int = 1_000_000
    boot_id: str = "boot-1"
    steps: list[int] = field(default_factory=list)

    def wall_ms(self) -> int:
        return self.wall

    def boot_ms(self) -> int:
        return self.boot

    def pass_ms(self, ms: int) -> int:
        """Let real time pass; gives the wall clock."""
        self.wall += ms
        self.boot += ms
        return self.wall


def holder(name: str = "op1@bastion", fingerprint: str = "f1", pid: int = 1, **identities: str) -> Holder:
    return Holder(name=name, pid=pid, boot_id="boot-1", fingerprint=fingerprint, identities=identities)


def observed(
    target: str = "health",
    state: State = State.HEALTHY,
    *,
    outcome: Outcome = Outcome.ANSWERED,
    error_kind: ErrorKind | None = None,
    words: str = "all checks pass",
    facts: Mapping[str, Json] | None = None,
    samples: Mapping[str, Sample] | None = None,
    volatile: Mapping[str, Json] | None = None,
    events: tuple[Event, ...] = (),
) -> Observation:
    return Observation(
        target=target,
        outcome=outcome,
        state=state,
        words=words,
        origin=Origin.PROBE,
        error_kind=error_kind,
        facts=facts if facts is not None else {"http_status": 200},
        samples=samples if samples is not None else {"latency_ms": 81.5, "ok": 1.0},
        volatile=volatile or {},
        events=events,
    )


def failed(target: str = "health", kind: ErrorKind = ErrorKind.TIMEOUT) -> Observation:
    return observed(
        target,
        State.UNHEALTHY,
        outcome=Outcome.FAILED,
        error_kind=kind,
        words="no answer in time",
        facts={},
        samples={"ok": 0.0},
    )


def component(
    key: str = "application",
    state: State = State.HEALTHY,
    *,
    figure: str = "p95 81 ms",
    targets: tuple[str, ...] = ("health", "ping"),
    explanation: tuple[str, ...] = ("judged from its checks",),
    interval_s: float | None = 5.0,
    error: str | None = None,
) -> ComponentJudgement:
    return ComponentJudgement(
        key=key,
        name=key,
        state=state,
        figure=figure,
        origin=Origin.PROBE,
        explanation=explanation,
        targets=targets,
        interval_s=interval_s,
        error=error,
    )


def verdict(state: State = State.HEALTHY, *reasons: str, text: str = "") -> Verdict:
    return Verdict(
        state=state,
        reasons=tuple(
            Reason(
                key=key,
                state=state,
                component="application",
                text=text or f"{key} is {state}",
                since_ms=START_MS,
                origin=Origin.PROBE,
                cause="deployment 8f3c1d2",
            )
            for key in reasons
        ),
        whose="us" if reasons else "",
        whose_words="vendors: none reporting",
        next_steps=("a roll back",) if reasons else (),
        suggested=("rollback", {"to": "dpl_1"}) if reasons else None,
    )


def judged(
    at_ms: int,
    components: tuple[ComponentJudgement, ...] = (component(),),
    whole: Verdict | None = None,
    *,
    alerts: tuple[AlertChange, ...] = (),
    rules: tuple[RuleReading, ...] = (),
    targets: tuple[TargetRow, ...] = (),
    up: float | None = None,
    identity: str | None = "abcdref",
) -> Judgement:
    return Judgement(
        at_ms=at_ms,
        verdict=whole if whole is not None else verdict(),
        components=components,
        targets=targets,
        alerts=alerts,
        rules=rules,
        identity=identity,
        samples={} if up is None else {"application": {"up": up}},
    )


def alert(
    rule: str = "error rate", subject: str = "routes", began_ms: int = START_MS, ended_ms: int | None = None
) -> AlertChange:
    return AlertChange(
        rule=rule,
        subject=subject,
        severity="high",
        text="38 % of answers are errors",
        origin=Origin.PROBE,
        pending_ms=60_000,
        began_ms=began_ms,
        ended_ms=ended_ms,
        value=0.38,
        limit=0.05,
        unit="share",
    )
