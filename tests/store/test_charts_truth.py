"""What a chart's point is of the samples in its stretch: quantiles, rates, gaps, and nothing of what came later."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.model.histograms import nearest_rank
from console.store.names import HOUR_MS, MINUTE_MS
from tests.store.charts import BEGIN_MS, CANARY, Charts, chart, line, values_at
from tests.store.samples import failed

GAPS_S = st.one_of(st.floats(1, 20), st.floats(1, 20), st.floats(1, 20), st.floats(300, 9000))
VALUES = st.floats(-3, 5).map(lambda power: 10**power)
POLLS = st.lists(st.tuples(GAPS_S, VALUES), min_size=2, max_size=60)
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    polls=POLLS,
    packed_after=st.integers(0, 60),
    window_s=st.sampled_from([300, 3600, 21_600, 86_400, 604_800]),
    points=st.integers(5, 200),
    known=st.floats(0, 1),
)
def test_a_quantile_is_the_nearest_rank_of_the_raw_values(
    polls: list[tuple[float, float]], packed_after: int, window_s: int, points: int, known: float
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        charts = Charts(Path(directory))
        raw: list[tuple[int, float]] = []
        for number, (gap_s, value) in enumerate(polls):
            raw.append((charts.poll(after_s=gap_s, latency_ms=value), value))
            if number == packed_after:
                charts.pack()
        at_ms = int(raw[0][0] + known * (raw[-1][0] - raw[0][0]))
        view = charts.view(window_s=window_s, points=points, at_ms=at_ms)
        for label, q in QUANTILES.items():
            shown = line(view, "canary", label).values
            for index, point in enumerate(shown):
                begin_ms = view.start_ms + index * view.step_ms
                exact = nearest_rank((v for t, v in raw if begin_ms <= t < begin_ms + view.step_ms and t <= at_ms), q)
                if exact is not None:
                    assert point == pytest.approx(exact, rel=0.0101)
                elif index:  # between polls the value of the one before lasts
                    assert point in (None, shown[index - 1])


@pytest.mark.parametrize("packed", [False, True])
def test_a_rate_is_by_the_seconds_that_were_observed(tmp_path: Path, packed: bool) -> None:
    charts = Charts(tmp_path)
    charts.polls(12 * 10, "metrics", requests=50.0)
    charts.polls(6, "metrics", requests=50.0)
    charts.polls(6, "metrics", every_s=90.0, requests=50.0)  # each after a long gap: what came in between is unknown
    if packed:
        charts.clock.pass_ms(HOUR_MS)
        charts.pack()
    found = line(charts.view("application", 3600, 60), "requests", "requests")
    assert [value for value in found.values if value] == [pytest.approx(10, rel=0.1)] * sum(map(bool, found.values))


def test_half_a_minute_of_polls_is_not_half_the_rate(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    charts.clock.pass_ms(30_000)
    charts.polls(12 * 9, "metrics", requests=50.0)
    charts.clock.pass_ms(HOUR_MS)
    charts.pack()
    view = charts.view("application", 7200, 120)
    values = values_at(view, line(view, "requests", "requests"))
    assert view.step_ms == MINUTE_MS
    assert values[0] == pytest.approx(10, rel=0.1)  # 250 requests in the minute; by all of it, it would be 4.2
    assert values[60] == pytest.approx(10, rel=0.1)


def test_a_missed_scrape_makes_no_spike_and_a_missing_one_a_gap(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    charts.polls(24, "metrics", requests=50.0)
    charts.poll("metrics", after_s=15.0, requests=150.0)
    charts.polls(12, "metrics", requests=50.0)
    view = charts.view("application", 300, 60)
    values = values_at(view, line(view, "requests", "requests"))
    assert max(values.values()) == pytest.approx(10)
    assert {second for second in range(5, 190, 5) if second not in values} == {125, 130}


def test_a_series_polled_less_often_than_a_stretch_is_long_has_no_gaps(tmp_path: Path) -> None:
    charts = Charts(tmp_path, interval_s=15.0)
    charts.polls(12, "metrics", every_s=15.0, cache_hit_share=0.5)
    charts.poll("metrics", after_s=45.0, cache_hit_share=0.7)
    charts.polls(3, "metrics", every_s=15.0, cache_hit_share=0.7)
    view = charts.view("application", 300, 60)
    values = values_at(view, line(view, "cache", "hits"))
    missing = [second for second in range(15, 270, 5) if second not in values]
    assert missing == [195, 200, 205, 210, 215, 220]  # two polls did not come; the last value held for its own interval
    assert (values[190], values[225]) == (50.0, 70.0)


def test_no_poll_is_a_gap_and_never_zero(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    charts.polls(12, latency_ms=2.0)
    charts.round(*[failed(CANARY)] * 1)
    charts.polls(12, every_s=10.0, latency_ms=2.0)
    found = line(charts.view(), "canary", "p95")
    assert set(found.values) == {None, 2.0}
    assert found.peak == 2.0


def test_the_stretch_of_the_moment_is_provisional_and_others_are_closed(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    charts.polls(100, latency_ms=2.0)
    charts.clock.pass_ms(3000)
    view = charts.view(window_s=300, points=30)
    begin_ms = view.start_ms + view.provisional * view.step_ms
    assert begin_ms <= charts.clock.wall < begin_ms + view.step_ms
    assert (view.provisional, view.points) == (29, 30)
    past = charts.view(window_s=60, points=12, until_ms=BEGIN_MS + 2 * MINUTE_MS)
    assert past.provisional == past.points == 12
    assert past.start_ms + past.points * past.step_ms == BEGIN_MS + 2 * MINUTE_MS


@pytest.mark.parametrize("window_s", [300, 3600, 86_400, 604_800])
@pytest.mark.parametrize("packed", [False, True])
def test_a_moment_of_the_past_sees_nothing_later(tmp_path: Path, window_s: int, packed: bool) -> None:
    charts = Charts(tmp_path)
    charts.polls(400, every_s=7.0, latency_ms=2.0)
    at_ms = charts.clock.wall
    charts.polls(400, every_s=7.0, latency_ms=9.0)
    if packed:
        charts.clock.pass_ms(2 * HOUR_MS)
        charts.pack()
    then = charts.view(window_s=window_s, points=120, at_ms=at_ms)
    assert set(line(then, "canary", "p95").values) - {None} == {2.0}
    later = charts.view(window_s=window_s, points=120, at_ms=at_ms + HOUR_MS // 2)
    assert 9.0 in line(later, "canary", "p95").values


@pytest.mark.parametrize("packed", [False, True])
def test_a_clock_set_back_shows_what_was_recorded_last(tmp_path: Path, packed: bool) -> None:
    charts = Charts(tmp_path)
    charts.polls(12 * 90, latency_ms=2.0)
    charts.clock.wall -= HOUR_MS + 10_000
    charts.polls(12 * 30, latency_ms=9.0)
    if packed:
        charts.clock.pass_ms(MINUTE_MS)
        charts.pack()
    for points in (90, 180):
        view = charts.view(window_s=5400, points=points)
        values = values_at(view, line(view, "canary", "p50"))
        assert {value for second, value in values.items() if second < 1700} == {2.0}
        assert {value for second, value in values.items() if second > 1800} == {9.0}
    before = charts.view(window_s=1500, points=100, at_ms=BEGIN_MS + 25 * MINUTE_MS)
    assert set(line(before, "canary", "p50").values) == {None, 2.0} or set(line(before, "canary", "p50").values) == {
        2.0
    }


def test_a_chart_says_why_nothing_new_comes_and_since_when(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    charts.polls(12, latency_ms=2.0)
    assert chart(charts.view(), "canary").trouble is None
    charts.round(failed(CANARY))
    charts.round(failed(CANARY))
    found = chart(charts.view(), "canary")
    assert found.trouble == "no answer in time, since 09:01:05 UTC"
    assert (found.lines[0].now, found.lines[0].peak) == (None, 2.0)
    charts.clock.pass_ms(60_000)
    assert chart(charts.view(), "canary").trouble == "not polled since 09:01:10 UTC"


def test_a_figure_of_a_source_that_hangs_breaks_off_after_one_interval(tmp_path: Path) -> None:
    charts = Charts(tmp_path, interval_s=60.0)
    charts.polls(4, "postgres.catalogue", every_s=60.0, wal_bytes_per_s=1024.0)
    last_ms = charts.clock.wall
    charts.round(failed("postgres.catalogue"), after_s=80.0)
    charts.clock.pass_ms(8_000)
    view = charts.view()
    values = values_at(view, line(view, "wal", "written"))
    assert max(values) * 1000 + BEGIN_MS <= last_ms + 66_000
    assert {*range(60, 240, 5)} <= set(values)
