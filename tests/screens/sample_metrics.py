"""The charts of the sample night: hand-built values with a fixed clock."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from console.model.charts import PageName
from console.model.grid import grid, provisional
from console.model.metric_views import ChartView, Heat, LineView, Mark, MetricsQuestion, MetricsView
from console.model.observation import Origin
from tests.screens.sample import BAD, NOW, D, M, header
from tests.screens.sample_deployments import BAD as DEPLOYED

Asked = tuple[MetricsQuestion, int]
"""What is asked, and at which moment."""
Curve = Callable[[int], float | None]
"""A value at a moment in ms; None: no sample."""
FAULT_MS = NOW - 9 * M
GAP = (NOW - 41 * M, NOW - 36 * M)

MARKS = (
    Mark(
        at_ms=NOW - 92 * M, kind="rollback", subject="vercel", text='rollback by op2 "login 500s"', reference="vercel"
    ),
    Mark(at_ms=NOW - 14 * M, kind="migration", subject="database", text="migration 012 (CI #412)"),
    Mark(
        at_ms=FAULT_MS,
        kind="deployment",
        subject="vercel",
        text="8f3c1d2 live (op1)",
        reference=f"deployment:{DEPLOYED.id}",
    ),
    Mark(
        at_ms=NOW - 7 * M,
        kind="alert",
        subject="application",
        text="alert application: check database fails",
        state=BAD,
        reference="41",
    ),
)


def wave(low: float, high: float, period_ms: int, noise: float = 0.0) -> Curve:
    """Up and down, with a noise that is the same each time."""

    def at(ms: int) -> float:
        middle = (low + high) / 2 + (high - low) / 2 * math.sin(2 * math.pi * ms / period_ms)
        return max(0.0, middle + noise * math.sin(ms / 7_777.0) * math.sin(ms / 3_333.0))

    return at


def broken(calm: Curve, bad: float) -> Curve:
    """Calm until the deployment, then bad within two minutes; no samples in the gap."""

    def at(ms: int) -> float | None:
        value = calm(ms)
        if value is None or GAP[0] <= ms < GAP[1]:
            return None
        return value if ms < FAULT_MS else value + (bad - value) * min(1.0, (ms - FAULT_MS) / (2 * M))

    return at


def line(label: str, curve: Curve, question: MetricsQuestion, at_ms: int, least: float = math.inf) -> LineView:
    """The curve on the question's grid, up to the moment; from `least` on a lower bound."""
    own = grid(question.window_s, question.points, at_ms, question.until_ms)
    moments = [own.begin(index) for index in range(own.points)]
    values = tuple(None if ms > at_ms else curve(ms) for ms in moments)
    known = [value for value in values if value is not None]
    bounds = frozenset(index for index, value in enumerate(values) if value is not None and value >= least)
    newest = [value for value in values[-2:] if value is not None]
    return LineView(
        label=label,
        values=values,
        lower_bounds=bounds,
        now=newest[-1] if newest else None,
        peak=max(known, default=None),
        lowest=min(known, default=None),
    )


def chart(
    asked: Asked,
    key: str,
    title: str,
    unit: str,
    origin: Origin,
    curves: dict[str, Curve],
    least: float = math.inf,
    **more: object,
) -> ChartView:
    """One chart of these curves; compared with what they were so much earlier, where that is asked."""
    question, at_ms = asked
    lines = tuple(line(label, curve, question, at_ms, least) for label, curve in curves.items())
    before = question.compare_ms
    compared = tuple(
        line(label, lambda ms, curve=curve: curve(ms - before), question, at_ms)  # type: ignore[misc]  # mypy knows no defaults of lambdas
        for label, curve in curves.items()
    )
    view = ChartView(key=key, title=title, unit=unit, origin=origin, lines=lines, compared=compared if before else ())
    view = replace(view, **more)  # type: ignore[arg-type]
    if view.target is None or not lines:
        return view
    own = grid(question.window_s, question.points, at_ms, question.until_ms)
    main = next((one for one in lines if one.label == view.target_of), lines[0])
    known = [one for one in main.values if one is not None]
    beyond = [one for one in known if (one < view.target if view.target_is_floor else one > view.target)]
    return replace(view, over_s=len(beyond) * own.step_ms / 1000)


def absent(key: str, title: str, unit: str, words: str) -> ChartView:
    """A chart of what is not configured."""
    return ChartView(key=key, title=title, unit=unit, origin=Origin.NONE, lines=(), absent=words)


BOUNDS = (0.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0, 2560.0, math.inf)


def heat(question: MetricsQuestion, at_ms: int) -> Heat:
    """Most answers at about 80 ms; after the deployment a second hump."""
    own = grid(question.window_s, question.points, at_ms, question.until_ms)

    def counts(ms: int) -> tuple[float, ...] | None:
        if ms > at_ms or GAP[0] <= ms < GAP[1]:
            return None
        bad = 0.6 if ms >= FAULT_MS else 0.0
        calm = (0, 2, 9, 40, 36, 9, 3, 1, 0, 0)
        slow = (0, 0, 0, 0, 2, 6, 12, 40, 30, 4)
        return tuple(round(one * (1 - bad) + other * bad, 1) for one, other in zip(calm, slow, strict=True))

    return Heat(bounds=BOUNDS, counts=tuple(counts(own.begin(index)) for index in range(own.points)), foreign=True)


NO_METRICS = 'no metrics from the application: metrics = "/api/metrics" in the settings reads them'


def application(question: MetricsQuestion, at_ms: int) -> tuple[ChartView, ...]:
    """The page Application."""
    response = {
        "p50": broken(wave(60, 74, 27 * M, 6), 420),
        "p95": broken(wave(110, 138, 27 * M, 14), 1840),
        "p99": broken(wave(150, 190, 19 * M, 22), 2010),
    }
    errors = {"failed probes": broken(lambda ms: 0.0, 38)}
    asked = (question, at_ms)
    slow = {"p95": response["p95"]}
    routes = {
        "/": broken(wave(30, 60, 31 * M, 4), 90),
        "/api/v1/audits": broken(wave(110, 150, 23 * M, 10), 2310),
        "/api/v1/clients": wave(60, 95, 17 * M, 6),
    }
    return (
        chart(asked, "response", "RESPONSE", "ms", Origin.PROBE, response, target=200.0, target_of="p95", least=2000),
        chart(asked, "errors", "FAILED PROBES", "%", Origin.PROBE, errors, target=1.0),
        absent("memory", "MEMORY", "%", NO_METRICS),
        chart(asked, "distribution", "RESPONSE DISTRIBUTION", "ms", Origin.PROBE, slow, heat=heat(question, at_ms)),
        chart(asked, "routes", "RESPONSE BY ROUTE p95", "ms", Origin.PROBE, routes, target=200.0),
        absent("requests", "REQUESTS", "/s", NO_METRICS),
        absent("cache", "CACHE HITS", "%", NO_METRICS),
        chart(
            asked,
            "availability",
            "AVAILABILITY",
            "%",
            Origin.PROBE,
            {"up": broken(lambda ms: 100.0, 0.0)},
            target=99.9,
            target_is_floor=True,
        ),
    )


def database(question: MetricsQuestion, at_ms: int) -> tuple[ChartView, ...]:
    """The page Database: one source late, one forbidden."""
    asked = (question, at_ms)
    connections: dict[str, Curve] = {
        "all": broken(wave(12, 19, 13 * M, 2), 54),
        "limit": lambda ms: 60.0,
        "active": broken(wave(2, 6, 7 * M, 1), 31),
    }
    wal = {"written": wave(40, 900, 47 * M, 60)}
    late: dict[str, Curve] = {"commits": lambda ms: None if ms > NOW - 6 * M else 84 + 20 * math.sin(ms / 1e5)}
    charts = (
        chart(asked, "connections", "CONNECTIONS", "", Origin.SQL, connections),
        chart(asked, "canary", "CANARY QUERY", "ms", Origin.SQL, {"p95": wave(8, 16, 9 * M, 3)}, target=100.0),
        chart(asked, "transactions", "TRANSACTIONS", "/s", Origin.SQL, late, trouble="late: last value 6 m ago"),
        chart(asked, "wal", "WAL", "KiB/s", Origin.SQL, wal),
        chart(
            asked,
            "waits",
            "LONGEST WAIT FOR A LOCK",
            "s",
            Origin.SQL,
            {"longest": broken(lambda ms: 0.0, 41.0)},
            target=60.0,
        ),
        replace(
            absent("deadlocks", "DEADLOCKS", "/min", ""),
            origin=Origin.SQL,
            absent=None,
            trouble="forbidden since 02:52: grant pg_monitor to the role",
        ),
        absent("replica", "REPLICA LAG", "MiB", "no replica: where the database has one, its lag shows here by itself"),
    )
    return charts


def infrastructure(question: MetricsQuestion, at_ms: int) -> tuple[ChartView, ...]:
    """The page Infrastructure."""
    asked = (question, at_ms)
    found = (
        ("processor", "PROCESSOR OF THIS HOST", "%", "busy", wave(4, 22, 11 * M, 6)),
        ("memory", "MEMORY OF THIS HOST", "%", "used", wave(41, 44, 120 * M, 0.4)),
        ("disk", "DISK OF THIS HOST", "%", "used", wave(63, 63.4, 600 * M)),
        ("load", "LOAD OF THIS HOST", "", "1 minute", wave(0.1, 0.9, 8 * M, 0.2)),
    )
    return tuple(
        chart(asked, key, title, unit, Origin.HOST, {label: curve}) for key, title, unit, label, curve in found
    )


def business(question: MetricsQuestion, at_ms: int) -> tuple[ChartView, ...]:
    """The page Business: two counts."""
    asked = (question, at_ms)
    return (
        chart(asked, "business.signups", "SIGNUPS", "/min", Origin.USERS, {"signups": wave(0, 3, 33 * M, 1)}),
        chart(asked, "custom.orders", "ORDERS", "", Origin.SQL, {"orders": wave(11_800, 12_400, D, 30)}),
    )


def custom(question: MetricsQuestion, at_ms: int) -> tuple[ChartView, ...]:
    """The page Custom: nothing is set."""
    words = 'nothing is set: custom = [{ name = "queued", sql = "select count(*) from jobs" }] in the settings'
    return (absent("custom", "CUSTOM", "", words),)


_PAGES: dict[PageName, Callable[[MetricsQuestion, int], tuple[ChartView, ...]]] = {
    "application": application,
    "database": database,
    "infrastructure": infrastructure,
    "business": business,
    "custom": custom,
}


def metrics(question: MetricsQuestion, at_ms: int | None = None) -> MetricsView:
    """The page asked for, as it was known at that moment."""
    now = NOW if at_ms is None else at_ms
    charts = _PAGES[question.page](question, now)
    if question.only is not None:
        charts = tuple(one for one in charts if one.key == question.only)
    own = grid(question.window_s, question.points, now, question.until_ms)
    inside = tuple(mark for mark in MARKS if own.start_ms <= mark.at_ms < min(own.end_ms, now + 1))
    return MetricsView(
        header=header(at_ms=now),
        question=question,
        start_ms=own.start_ms,
        step_ms=own.step_ms,
        points=own.points,
        provisional=provisional(own, now),
        charts=charts,
        marks=inside,
    )
