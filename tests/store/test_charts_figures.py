"""What is said beside a line: its value now, its peak or lowest, how long it was beyond its target - at any step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.model.metrics import Rollup
from console.model.observation import Sample
from console.store.history import HistoryWriter
from console.store.names import DAY_MS, HOUR_MS, MINUTE_MS
from tests.store.charts import BEGIN_MS, CANARY, SETTINGS, Charts, chart, line
from tests.store.samples import failed, judged, observed

WINDOWS = [(300, 60), (900, 60), (3600, 120), (86_400, 60), (604_800, 150), (2_592_000, 150)]
BUSY: dict[str, dict[str, Sample]] = {
    CANARY: {"latency_ms": 400.0},
    "metrics": {"requests": 100.0, "errors": 25.0},
    "host": {"cpu_share": 0.9},
}
QUIET: dict[str, dict[str, Sample]] = {
    CANARY: {"latency_ms": 2.0},
    "metrics": {"requests": 100.0, "errors": 0.0},
    "host": {"cpu_share": 0.1},
}


def night(charts: Charts) -> None:
    """Four quiet hours, a spike of the processor, and five bad minutes that go on: each minute begins with a poll."""
    charts.clock.wall -= 5000

    def rounds(many: int, samples: dict[str, dict[str, Sample]], up: float) -> None:
        for _ in range(many):
            found = [observed(target, samples=each) for target, each in samples.items()]
            now_ms = charts.clock.pass_ms(5000)
            charts.store.write_round(
                charts.lease, now_ms, found, judged(now_ms, up=up), {each.target: 5.0 for each in found}
            )

    rounds(12 * 60 * 4, QUIET, 1.0)
    rounds(12 * 5, BUSY, 0.0)
    charts.pack()


def test_a_chart_with_a_floor_tells_the_lowest_and_no_peak(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    for up in (1.0, 1.0, 0.0, 1.0):
        now_ms = charts.clock.pass_ms(5000)
        charts.store.write_round(charts.lease, now_ms, [], judged(now_ms, up=up), {})
    found = line(charts.view("application"), "availability", "up")
    assert (found.lowest, found.peak) == (0.0, None)
    charts.polls(3, latency_ms=2.0)
    canary = line(charts.view(), "canary", "p95")
    assert (canary.lowest, canary.peak) == (None, 2.0)


@pytest.mark.parametrize(("window_s", "points"), WINDOWS)
def test_the_same_incident_has_the_same_figures_in_every_window(tmp_path: Path, window_s: int, points: int) -> None:
    charts = Charts(tmp_path)
    night(charts)
    canary = chart(charts.view(window_s=window_s, points=points), "canary")
    assert [one.now for one in canary.lines] == [pytest.approx(400, rel=0.011)] * 3
    assert [one.peak for one in canary.lines] == [pytest.approx(400, rel=0.011)] * 3
    assert canary.over_s == pytest.approx(300, abs=5)
    view = charts.view("application", window_s, points)
    errors, availability = chart(view, "errors"), chart(view, "availability")
    assert errors.lines[0].now == pytest.approx(25, abs=1)
    assert errors.over_s == availability.over_s == pytest.approx(300, abs=5)
    assert availability.lines[0].now == pytest.approx(0, abs=2)
    assert availability.lines[0].lowest == 0.0
    processor = line(charts.view("infrastructure", window_s, points), "processor", "busy")
    assert processor.now == pytest.approx(90, abs=2)
    assert processor.peak == 90.0


@pytest.mark.parametrize(("window_s", "points"), WINDOWS)
def test_two_minutes_after_a_recovery_now_is_well_in_every_window(tmp_path: Path, window_s: int, points: int) -> None:
    charts = Charts(tmp_path)
    night(charts)
    for _ in range(2 * 12):
        found = [observed(target, samples=each) for target, each in QUIET.items()]
        now_ms = charts.clock.pass_ms(5000)
        charts.store.write_round(charts.lease, now_ms, found, judged(now_ms, up=1.0), {e.target: 5.0 for e in found})
    view = charts.view("application", window_s, points)
    assert line(view, "availability", "up").now == 100.0
    assert chart(view, "errors").lines[0].now == 0.0
    assert chart(view, "requests").lines[0].now == pytest.approx(20.0)
    canary = chart(charts.view(window_s=window_s, points=points), "canary")
    assert [one.now for one in canary.lines] == [pytest.approx(2.0, rel=0.011)] * 3


@pytest.mark.parametrize(("window_s", "points"), WINDOWS[2:])
def test_every_line_of_long_stretches_has_the_peak_of_its_minutes(tmp_path: Path, window_s: int, points: int) -> None:
    busy: dict[str, float] = {"requests": 500.0, "errors": 50.0, "memory_bytes": 90.0, "memory_limit_bytes": 100.0}
    calm: dict[str, float] = {"requests": 100.0, "errors": 1.0, "memory_bytes": 20.0, "memory_limit_bytes": 100.0}
    charts = Charts(tmp_path)
    charts.clock.wall -= 5000
    for many, samples in ((12 * 60 * 4, calm), (12 * 2, busy), (12 * 50, calm)):
        charts.polls(many, "metrics", **samples)
    for _ in range(2):  # before it is packed and after
        view = charts.view("application", window_s, points)
        peaks = {(one.key, each.label): each.peak for one in view.charts for each in one.lines}
        assert peaks["requests", "requests"] == pytest.approx(100.0)
        assert peaks["requests", "errors"] == pytest.approx(10.0)
        assert peaks["errors", "failed requests"] == pytest.approx(10.0)
        assert peaks["memory", "of its limit"] == pytest.approx(90.0)
        charts.pack()


def test_where_minutes_are_not_kept_of_all_the_hours_tell_the_peak_and_how_long(tmp_path: Path) -> None:
    """As in an authored past: hours of 30 days, minutes of the last two."""
    now_ms = BEGIN_MS + 30 * DAY_MS
    calm, slow, minute = (Rollup.of([value] * 60, distribution=True) for value in (20.0, 610.0, 300.0))
    assert calm is not None and slow is not None and minute is not None
    hours = range(now_ms - 30 * DAY_MS, now_ms, HOUR_MS)
    ill = {hours[100], hours[101]}
    with HistoryWriter(tmp_path / "observed.db") as writer:
        writer.hours(f"{CANARY}|latency_ms", ((at, slow if at in ill else calm) for at in hours))
        minutes = range(now_ms - 2 * DAY_MS, now_ms, MINUTE_MS)
        writer.minutes(f"{CANARY}|latency_ms", ((at, minute if at == minutes[2000] else calm) for at in minutes))
        gauge = Rollup(n=60, sum=7200.0, min=1.0, max=9.0)
        writer.hours("metrics|requests", ((at, gauge) for at in hours))
    charts = Charts(tmp_path)
    charts.clock.wall = now_ms
    canary = chart(charts.view(window_s=2_592_000, points=120), "canary")
    assert [one.peak for one in canary.lines] == [pytest.approx(610.0, rel=0.011)] * 3
    assert canary.over_s == 2 * 3600 + 60
    assert line(charts.view("application", 2_592_000, 120), "requests", "requests").peak == 2.0
    day = chart(charts.view(window_s=86_400, points=96), "canary")
    assert day.lines[1].peak == pytest.approx(300.0, rel=0.011) and day.over_s == 60.0


@pytest.mark.parametrize("packed", [False, True])
def test_of_a_moment_of_the_past_now_is_then(tmp_path: Path, packed: bool) -> None:
    charts = Charts(tmp_path)
    night(charts)
    charts.polls(12 * 20, latency_ms=2.0)
    if packed:
        charts.clock.pass_ms(2 * HOUR_MS)
        charts.pack()
    then_ms = BEGIN_MS + 4 * HOUR_MS + 5 * MINUTE_MS - 1
    for view in (
        charts.view(window_s=86_400, points=60, at_ms=then_ms),
        charts.view(window_s=86_400, points=60, at_ms=then_ms + 2 * MINUTE_MS, until_ms=then_ms),
    ):
        assert line(view, "canary", "p95").now == pytest.approx(400, rel=0.011)
    before = line(charts.view(window_s=86_400, points=60, at_ms=then_ms - 5 * MINUTE_MS), "canary", "p95")
    assert (before.now, before.peak) == (2.0, 2.0)
    assert chart(charts.view(window_s=86_400, points=60), "canary").over_s == 300.0


def test_several_series_as_one_have_no_peak_of_long_stretches(tmp_path: Path) -> None:
    charts = Charts(tmp_path, replace(SETTINGS, metrics=None))
    for route in ("route:/", "route:/pricing"):
        charts.polls(12 * 10, route, latency_ms=300.0)
    short, long = (chart(charts.view("application", seconds, 60), "response") for seconds in (1800, 86_400))
    assert short.lines[1].peak == pytest.approx(300, rel=0.011)
    assert long.lines[1].peak is None
    assert (short.over_s is not None, long.over_s) == (True, None)
    routes = chart(charts.view("application", 86_400, 60), "routes")
    assert [one.peak for one in routes.lines] == [pytest.approx(300, rel=0.011)] * 2


@pytest.mark.parametrize(("window_s", "points"), WINDOWS)
def test_nothing_is_now_where_its_source_gives_nothing(tmp_path: Path, window_s: int, points: int) -> None:
    charts = Charts(tmp_path)
    charts.polls(12 * 10, latency_ms=2.0)
    assert line(charts.view(window_s=window_s, points=points), "canary", "p95").now == 2.0
    charts.round(failed(CANARY))
    found = chart(charts.view(window_s=window_s, points=points), "canary")
    assert found.trouble and found.lines[1].now is None
    charts.polls(1, latency_ms=2.0)
    charts.clock.pass_ms(11_000)
    assert line(charts.view(window_s=window_s, points=points), "canary", "p95").now is None
    charts.clock.pass_ms(DAY_MS // 2)
    assert line(charts.view(window_s=window_s, points=points), "canary", "p95").now is None


def test_of_a_series_of_which_only_minutes_are_kept_the_last_whole_one_is_now(tmp_path: Path) -> None:
    now_ms = BEGIN_MS + HOUR_MS + 20_000
    with HistoryWriter(tmp_path / "observed.db") as writer:
        up = Rollup(n=12, sum=12.0, min=1.0, max=1.0)
        writer.minutes("application|up", ((at, up) for at in range(BEGIN_MS, now_ms - MINUTE_MS, MINUTE_MS)))
        writer.samples(CANARY, now_ms - 1000, {"latency_ms": 2.0})
    charts = Charts(tmp_path)
    charts.clock.wall = now_ms
    for window_s, points in WINDOWS:
        assert line(charts.view("application", window_s, points), "availability", "up").now == 100.0


def test_a_figure_that_its_source_no_longer_gives_is_not_now(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    charts.polls(12, "metrics", cache_hit_share=0.5)
    charts.polls(12 * 6, "metrics")
    for window_s in (900, 86_400):
        assert line(charts.view("application", window_s, 60), "cache", "hits").now is None


def test_a_source_that_is_polled_seldom_has_a_now_in_long_windows(tmp_path: Path) -> None:
    charts = Charts(tmp_path, interval_s=900.0)
    charts.polls(4, "metrics", every_s=900.0, cache_hit_share=0.5)
    charts.clock.pass_ms(600_000)
    assert line(charts.view("application", 86_400, 60), "cache", "hits").now == 50.0


def test_closed_days_are_counted_once(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    night(charts)
    for _ in range(3):
        charts.clock.pass_ms(DAY_MS)
        charts.polls(12 * 6, latency_ms=300.0)
        charts.pack()
    first = chart(charts.view(window_s=604_800, points=150), "canary")
    again = chart(charts.view(window_s=604_800, points=150), "canary")
    assert first == again and first.over_s == pytest.approx(300 + 3 * 360, abs=3 * 65)
