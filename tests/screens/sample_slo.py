"""The SLO board of the sample night: uptime burns, p95 is overdrawn, memory is unknown."""

from __future__ import annotations

from dataclasses import replace

from console.model import slo
from console.model.configuration import Thresholds
from console.model.metric_views import BurnRate, Consumer, Objective, ObjectiveCell, SloView
from console.model.observation import Origin
from console.model.service_levels import SLO_WINDOWS_S
from console.model.slo import PAIRS, Count
from console.model.states import State
from tests.screens.sample import GOOD, NOW, UNKNOWN, D, H, M, header

TARGETS = {target.key: target for target in slo.targets(Thresholds())}
OUTAGE = Consumer(
    began_ms=NOW - 8 * M,
    ended_ms=None,
    subject="application",
    text="check database fails since 03:04 (probe)",
    budget_share=0.19,
    component="application",
    cause='likely 40 s after deployment 8f3c1d2 "pricing v2" (op1, 03:03)',
)
EARLIER = Consumer(
    began_ms=NOW - 9 * D,
    ended_ms=NOW - 9 * D + 12 * M,
    subject="application",
    text="does not answer: connection refused",
    budget_share=0.28,
    component="application",
)
REST = Consumer(
    began_ms=NOW - 30 * D,
    ended_ms=NOW,
    subject="",
    text="a little at all times, while the target was met",
    budget_share=0.61,
    component="users",
)
SLOW = tuple(
    Consumer(
        began_ms=NOW - day * D - 2 * H,
        ended_ms=NOW - day * D - H,
        subject="users",
        text=f"p95 {300 + 40 * day} ms (target 200 ms)",
        budget_share=0.09 - 0.01 * day,
        component="users",
    )
    for day in range(1, 7)
)


def cells(
    values: tuple[float | None, ...],
    good: tuple[float | None, ...],
    counted: tuple[float, ...],
    seen: tuple[float, ...] = (1, 1, 1, 0.991),
) -> tuple[ObjectiveCell, ...]:
    return tuple(
        ObjectiveCell(window_s=window_s, value=value, good_share=share, observed_share=part, counted=n)
        for window_s, value, share, part, n in zip(SLO_WINDOWS_S, values, good, seen, counted, strict=True)
    )


def burn(*rates: tuple[float | None, float | None]) -> tuple[BurnRate, ...]:
    found = rates or ((None, None),) * len(PAIRS)
    return tuple(
        BurnRate(
            long_s=pair.long_s,
            short_s=pair.short_s,
            limit=pair.limit,
            long=long,
            short=short,
            firing=long is not None and short is not None and min(long, short) > pair.limit,
        )
        for pair, (long, short) in zip(PAIRS, found, strict=True)
    )


def objective(key: str, state: State = GOOD, **changes: object) -> Objective:
    """A target that is well, and what differs of it."""
    target = TARGETS[key]  # type: ignore[index]
    ms = target.unit == "ms"
    value = {"p95": 96.0, "query": 2.7, "errors": 0.0007, "uptime": 0.99995, "memory": 0.42}[key]
    share = 1 - value if key == "errors" else value if key == "uptime" else 0.991 if ms else 1.0
    base = Objective(
        key=key,
        name=target.name,
        target=target.target,
        unit=target.unit,
        objective=target.objective,
        counted=target.counted,
        origin=target.origin,
        cells=cells((value,) * 4, (share,) * 4, (1_555, 21_628, 697_292, 20_364_524)),
        budget_left=slo.budget_left(Count(counted=1000, good=1000 * share, minutes=43_200), target.objective),
        burn=burn((0.2, 0.1), (0.3, 0.2), (0.4, 0.3)),
        consumers=(),
        state=state,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def unknown(key: str, **changes: object) -> Objective:
    """A target of which nothing is known."""
    nothing: dict[str, object] = {
        "cells": cells((None,) * 4, (None,) * 4, (0,) * 4, (0,) * 4),
        "budget_left": None,
        "burn": burn(),
        "absent": 'the application offers no metrics: metrics = "/api/metrics" reads them once it does',
    }
    return objective(key, UNKNOWN, **{**nothing, **changes})


def full() -> SloView:
    """All is well, and something was used up."""
    return SloView(
        header=header(GOOD, alerts_firing=0, sources_late=0),
        objectives=(
            objective("p95", consumers=(replace(REST, budget_share=0.14), replace(SLOW[0], budget_share=0.04))),
            objective("errors"),
            objective("uptime", consumers=(replace(EARLIER, budget_share=0.05),)),
            objective("memory"),
            objective("query"),
        ),
    )


def burning() -> SloView:
    """The sample night."""
    uptime = objective(
        "uptime",
        State.UNHEALTHY,
        cells=cells((0.0, 0.8667, 0.9944, 0.9995), (0.0, 0.8667, 0.9944, 0.9995), (60, 720, 17_280, 514_000)),
        budget_left=0.53,
        burn=burn((133.3, 1000.0), (22.2, 266.7), (1.9, 22.2)),
        consumers=(EARLIER, OUTAGE),
    )
    p95 = objective(
        "p95",
        State.DEGRADED,
        cells=cells((1_840.0, 310.0, 212.0, 208.0), (0.71, 0.93, 0.947, 0.949), (1_555, 21_628, 697_292, 20_364_524)),
        budget_left=-0.02,
        burn=burn((1.4, 5.8), (1.1, 2.2), (0.9, 1.1)),
        consumers=(REST, *SLOW),
    )
    return SloView(
        header=header(), objectives=(p95, objective("errors"), uptime, unknown("memory"), objective("query"))
    )


def little() -> SloView:
    """No metrics of the users: probes stand in; a database that is not configured; a day on record."""
    seen = (1.0, 1.0, 1.0, 0.034)
    probe: dict[str, object] = {"origin": Origin.PROBE, "counted": "probes"}
    young = cells((1.0, 1.0, 1.0, None), (1.0, 1.0, 1.0, None), (60, 720, 17_280, 17_280), seen)
    return SloView(
        header=header(GOOD, alerts_firing=0, sources_late=0),
        objectives=(
            unknown(
                "p95", **probe, cells=cells((118, 121, 119, None), (0.99, 0.99, 0.99, None), (60, 720, 17_280, 0), seen)
            ),
            unknown(
                "errors", **probe, cells=cells((0, 0.002, 0.001, None), (1.0, 0.998, 0.999, None), (60, 720, 17_280, 0))
            ),
            objective("uptime", cells=young, budget_left=None, burn=burn((0, 0), (0, 0), (None, 0))),
            unknown("memory"),
            replace(
                unknown("query", absent='no database is configured: database = "postgresql://…" has it asked'),
                state=State.NOT_CONFIGURED,
            ),
        ),
    )


def empty() -> SloView:
    """No store yet."""
    absent = "nothing is recorded yet: start radar collect"
    return SloView(header=header(UNKNOWN), objectives=tuple(unknown(key, absent=absent) for key in TARGETS))


def stale() -> SloView:
    """Nobody judges any more."""
    view = full()
    return SloView(
        header=replace(view.header, state=State.STALE),
        objectives=tuple(replace(each, state=State.STALE) for each in view.objectives),
    )
