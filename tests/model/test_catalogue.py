"""Which charts a page has, from where their figures come, and what an empty one says."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.demo.business import FIGURES
from console.model.catalogue import charts_of
from console.model.charts import PAGES, WINDOWS_S, ChartSpec, PageName, Statistic
from console.model.configuration import CustomMetric, Environment, Secret
from console.model.grid import STEPS_MS, grid, provisional
from console.model.heat import ROWS, heat_of
from console.model.histograms import LogHistogram
from console.model.observation import Origin

BARE = Environment(name="production", url="https://app.example.com", routes=tuple(f"/{n}" for n in range(9)))
WHOLE = Environment(
    name="production",
    url="https://app.example.com",
    routes=tuple(f"/{n}" for n in range(9)),
    metrics="/api/metrics",
    database=Secret("postgres://app.example.com/app"),
)
USERS = {
    f"metrics|{metric}" for metric in ("latency_ms", "requests", "errors", "memory_bytes", "memory_limit_bytes")
} | {"metrics|cache_hit_share"}
PROBES = {f"route:/{number}|{metric}" for number in range(9) for metric in ("latency_ms", "ok")} | {"application|up"}


def charts(environment: Environment, page: PageName, available: set[str]) -> dict[str, ChartSpec]:
    return {one.key: one for one in charts_of(environment, page, available)}


def test_what_users_meet_is_of_their_own_metrics() -> None:
    found = charts(WHOLE, "application", USERS | PROBES)
    assert {one.origin for key, one in found.items() if key not in ("routes", "availability")} == {Origin.USERS}
    assert [line.keys for line in found["response"].series] == [("metrics|latency_ms",)] * 3
    assert (found["errors"].title, found["errors"].series[0].statistic) == ("ERRORS", Statistic.RATIO)


def test_without_metrics_probes_say_that_they_are_and_rates_are_absent() -> None:
    found = charts(BARE, "application", USERS | PROBES)
    assert {key: one.origin for key, one in found.items()} == {
        "response": Origin.PROBE, "distribution": Origin.PROBE, "requests": Origin.USERS, "errors": Origin.PROBE,
        "memory": Origin.USERS, "cache": Origin.USERS, "routes": Origin.PROBE, "availability": Origin.PROBE,
    }  # fmt: skip
    assert found["errors"].title == "FAILED PROBES"
    probed = {key for one in found.values() if one.origin is Origin.PROBE for line in one.series for key in line.keys}
    assert not probed & USERS


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("environment", [BARE, WHOLE])
def test_a_chart_has_lines_or_says_what_would_fill_it(environment: Environment, page: PageName) -> None:
    for one in charts_of(environment, page, USERS | PROBES):
        assert bool(one.series) != bool(one.absent)
    for one in charts_of(environment, page, ()):
        assert one.absent and not one.series


def test_only_series_that_exist_are_asked_for() -> None:
    found = charts(WHOLE, "application", {"metrics|memory_bytes", "route:/3|latency_ms"})
    assert found["memory"].series == ()  # nothing to hold it against
    assert [line.label for line in found["routes"].series] == ["/3"]


def test_at_most_six_routes_are_drawn() -> None:
    assert len(charts(WHOLE, "application", PROBES)["routes"].series) == 6


@pytest.mark.parametrize("page", PAGES)
def test_keys_of_charts_differ_and_targets_name_a_line(page: PageName) -> None:
    custom = tuple(CustomMetric(name=f"n{number}", sql="select 1") for number in range(3))
    environment = Environment(name="x", url="https://x", metrics="/m", routes=("/",), custom=custom)
    found = charts_of(environment, page, USERS | {"route:/|latency_ms", "postgres.canary|latency_ms"})
    assert len({one.key for one in found}) == len(found)
    for one in found:
        assert not one.target_of or not one.series or one.target_of in [line.label for line in one.series]


def test_a_replica_that_is_none_is_not_a_fault() -> None:
    assert charts(WHOLE, "database", set())["replica"].absent.startswith("no replica")
    assert charts(BARE, "database", set())["replica"].absent.startswith("no database is configured")


def test_business_is_growth_unless_said_to_be_a_value() -> None:
    available = {"metrics|business.audits", "metrics|business.seats"}
    found = {one.key: one for one in charts_of(WHOLE, "business", available, {"metrics|business.seats"})}
    assert (found["business.audits"].unit, found["business.audits"].series[0].statistic) == ("/min", Statistic.RATE)
    assert (found["business.seats"].unit, found["business.seats"].series[0].statistic) == ("", Statistic.MEAN)


@given(
    window_s=st.sampled_from(WINDOWS_S),
    points=st.integers(1, 400),
    at_ms=st.integers(10**12, 2 * 10**12),
    back_ms=st.none() | st.integers(-(10**7), 10**10),
    least_ms=st.sampled_from([0, *STEPS_MS]),
)
def test_a_grid_has_room_ends_where_asked_and_stands_still(
    window_s: int, points: int, at_ms: int, back_ms: int | None, least_ms: int
) -> None:
    until_ms = None if back_ms is None else at_ms - back_ms
    found = grid(window_s, points, at_ms, until_ms, least_ms)
    assert 1 <= found.points <= points
    assert found.step_ms in STEPS_MS and found.step_ms >= least_ms and found.start_ms % found.step_ms == 0
    asked_ms = at_ms if until_ms is None else min(at_ms, until_ms)
    assert found.end_ms - found.step_ms <= asked_ms <= found.end_ms
    assert provisional(found, at_ms) == (found.points if at_ms >= found.end_ms else found.points - 1)


@given(st.lists(st.lists(st.one_of(st.just(0.0), st.floats(1e-5, 1e7)), max_size=20), min_size=1, max_size=6))
def test_a_heat_map_has_few_rows_and_counts_each_value_where_it_is(columns: list[list[float]]) -> None:
    found = heat_of([LogHistogram.of(values) if values else None for values in columns])
    if not any(columns):
        assert found is None
        return
    assert found is not None and 1 <= len(found.bounds) - 1 <= ROWS
    assert list(found.bounds) == sorted(found.bounds)
    for values, counts in zip(columns, found.counts, strict=True):
        assert (counts is None) == (not values)
        assert sum(counts or ()) == len(values)
        for (low, high), count in zip(pairwise(found.bounds), counts or (), strict=False):
            surely = sum(low * 1.000001 < value < high * 0.999999 for value in values)
            assert count >= surely


@pytest.mark.parametrize(
    ("goal", "target", "is_floor"),
    [
        ((45.0, None, None), 45.0, False),
        ((None, 45.0, None), 45.0, False),
        ((None, None, 45.0), 45.0, True),
        ((None, None, 0.0), 0.0, True),
        ((None, None, None), None, False),
    ],
)
def test_a_figure_of_ones_own_is_to_be_reached_or_not_to_be_exceeded(
    goal: tuple[float | None, float | None, float | None], target: float | None, is_floor: bool
) -> None:
    line, most, least = goal
    figure = CustomMetric(name="paid", page="business", series="a|b", target=line, at_most=most, at_least=least)
    (found,) = charts_of(Environment(name="e", url="https://e", custom=(figure,)), "business", ())
    assert (found.target, found.target_is_floor) == (target, is_floor)


def test_the_demo_is_above_its_goal_of_paying_clients() -> None:
    (paid,) = (figure for figure in FIGURES if figure.name == "paid_share")
    assert paid.past is not None and paid.at_least is not None
    assert paid.past(600.0, 1.0) >= paid.at_least, "what is reached is no breach"
