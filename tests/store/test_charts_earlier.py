"""Compared with a day or a week before: each chart at the finest step that is kept of then, and told as such."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.model.metrics import Rollup
from console.store.history import HistoryWriter
from console.store.names import DAY_MS, HOUR_MS, MINUTE_MS
from tests.store.charts import BEGIN_MS, CANARY, Charts, chart

WEEK_MS = 7 * DAY_MS
SERIES = f"{CANARY}|latency_ms"


def rollup(value: float, minutes: int = 1) -> Rollup:
    found = Rollup.of([value] * 12 * minutes, distribution=True)
    assert found is not None
    return found


def week_later(directory: Path) -> Charts:
    """Polls of each five seconds, a week after the store's first hour."""
    charts = Charts(directory)
    charts.clock.pass_ms(WEEK_MS)
    charts.polls(12 * 60, latency_ms=8.0)
    charts.pack()
    return charts


@pytest.mark.parametrize(
    ("window_s", "points", "step_ms"), [(300, 60, 5_000), (900, 90, 10_000), (3_600, 120, 30_000), (3_600, 60, 60_000)]
)
def test_where_only_minutes_are_kept_of_then_each_is_held_as_long_as_it_lasts(
    tmp_path: Path, window_s: int, points: int, step_ms: int
) -> None:
    with HistoryWriter(tmp_path / "observed.db") as writer:
        writer.minutes(SERIES, ((BEGIN_MS + at * MINUTE_MS, rollup(float(1 + at))) for at in range(60)))
    view = week_later(tmp_path).view(window_s=window_s, points=points, compare_ms=WEEK_MS)
    canary = chart(view, "canary")
    assert view.step_ms == step_ms and canary.compared_step_ms == MINUTE_MS and canary.compared_absent is None
    (found,) = (each for each in canary.compared if each.label == "p50")
    begins = [view.start_ms - WEEK_MS + index * view.step_ms for index in range(view.points)]
    expected = [1.0 + (at - BEGIN_MS) // MINUTE_MS for at in begins]
    known = [(value, wanted) for value, wanted in zip(found.values, expected, strict=True) if wanted <= 60]
    assert len(known) >= view.points - 1
    assert [value for value, _ in known] == pytest.approx([wanted for _, wanted in known], rel=0.011)
    assert {*canary.lines[0].values} - {None} == {8.0}, "what is shown keeps its own step"


def test_where_only_hours_are_kept_of_then_they_are_held(tmp_path: Path) -> None:
    with HistoryWriter(tmp_path / "observed.db") as writer:
        writer.hours(SERIES, ((BEGIN_MS + at * HOUR_MS, rollup(2.0, 60)) for at in range(-30, 3)))
    view = week_later(tmp_path).view(window_s=300, points=60, compare_ms=WEEK_MS)
    canary = chart(view, "canary")
    assert (view.step_ms, canary.compared_step_ms) == (5_000, HOUR_MS)
    assert len(canary.compared[0].values) == 60 and None not in canary.compared[0].values


def test_each_chart_is_compared_at_the_step_that_is_kept_of_its_own_series(tmp_path: Path) -> None:
    with HistoryWriter(tmp_path / "observed.db") as writer:
        writer.minutes(SERIES, ((BEGIN_MS + at * MINUTE_MS, rollup(2.0)) for at in range(60)))
        for at_ms in range(BEGIN_MS, BEGIN_MS + HOUR_MS, 5000):
            writer.samples("postgres.activity", at_ms, {"connections": 7.0, "active": 1.0})
    charts = Charts(tmp_path)
    charts.clock.pass_ms(WEEK_MS)
    for _ in range(12 * 60):
        charts.poll("postgres.activity", connections=9.0)
        charts.poll(latency_ms=2.0, after_s=0.001)
    view = charts.view(window_s=300, points=60, compare_ms=WEEK_MS)
    steps = {one.key: one.compared_step_ms for one in view.charts}
    assert steps["canary"] == MINUTE_MS and steps["connections"] == 5_000


def test_nothing_on_record_of_then_is_told(tmp_path: Path) -> None:
    view = week_later(tmp_path).view(window_s=300, points=60, compare_ms=WEEK_MS)
    canary = chart(view, "canary")
    assert {*canary.compared[0].values} == {None}
    assert canary.compared_absent is not None
    assert canary.compared_absent.startswith("nothing is on record of then: records begin ")
    assert chart(week_later(tmp_path / "other").view(window_s=300, points=60), "canary").compared_absent is None


def test_single_rounds_of_long_ago_hide_no_minutes(tmp_path: Path) -> None:
    """As a demo's authored past leaves them until they are packed: its first page was empty for minutes."""
    now_ms = BEGIN_MS + 30 * DAY_MS
    with HistoryWriter(tmp_path / "observed.db") as writer:
        for days in (2, 9, 23):
            writer.samples(CANARY, now_ms - days * DAY_MS, {"latency_ms": 2.0})
        writer.samples(CANARY, now_ms - 58 * MINUTE_MS, {"latency_ms": 2.0})
        writer.minutes(SERIES, ((at, rollup(2.0)) for at in range(now_ms - DAY_MS, now_ms, MINUTE_MS)))
    charts = Charts(tmp_path)
    charts.clock.wall = now_ms
    charts.polls(6, latency_ms=2.0)
    view = charts.view(window_s=3600, points=120)
    values = chart(view, "canary").lines[0].values
    assert view.step_ms == MINUTE_MS
    assert sum(value is not None for value in values) >= 59
    short = charts.view(window_s=300, points=60)
    assert short.step_ms == MINUTE_MS and None not in chart(short, "canary").lines[0].values
    charts.polls(12 * 6, latency_ms=2.0)
    assert charts.view(window_s=300, points=60).step_ms == 5_000, "once there are polls of all of it"
