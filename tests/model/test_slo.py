"""Targets, budgets and burn rates: the formulas on known numbers, and the alerts as tables with their counter-cases."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model import slo
from console.model.alert_rules import measure_all
from console.model.alerts import Key, Says, Standing, readings, step
from console.model.configuration import Thresholds
from console.model.histograms import ForeignHistogram, LogHistogram
from console.model.metric_views import BurnRate
from console.model.observation import Buckets, ErrorKind
from console.model.service_levels import SLO_WINDOWS_S
from console.model.slo import BUDGET_S, PAIRS, Count
from console.model.states import State
from tests.model.scene import Scene

FAST, SLOW, SLOWEST = PAIRS


def count(good: float, counted: float, minutes: int) -> Count:
    return Count(counted=counted, good=good, minutes=minutes, total=counted - good, weight=counted)


# --- shares of histograms ---------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=200), st.floats(0.1, 1e5))
def test_the_share_within_a_bound_is_exact_but_for_values_within_a_hundredth_of_it(
    values: list[float], bound: float
) -> None:
    share = LogHistogram.of(values).share_within(bound)
    surely = sum(value <= bound * 0.98 for value in values) / len(values)
    perhaps = sum(value <= bound * 1.0205 for value in values) / len(values)
    assert share is not None and surely - 1e-9 <= share <= perhaps + 1e-9


@given(st.lists(st.floats(1, 1000), min_size=20, max_size=200), st.floats(10, 900))
def test_a_p95_within_the_bound_and_95_of_100_within_it_are_the_same(values: list[float], bound: float) -> None:
    histogram = LogHistogram.of(values)
    p95, share = histogram.quantile(0.95), histogram.share_within(bound)
    assert p95 is not None and share is not None
    rank = math.floor(0.95 * (len(values) - 1)) + 1
    assert (p95 <= bound) == (share >= rank / len(values) - 1e-9)


@pytest.mark.parametrize(
    ("bound", "share"),
    [(100.0, 0.5), (200.0, 0.8), (150.0, 0.65), (50.0, 0.25), (1000.0, 0.9), (999_999.0, 0.9)],
    ids=["a bound", "the next", "between: interpolated", "in the first", "the last finite", "beyond every bound"],
)
def test_a_foreign_histogram_is_interpolated_between_its_bounds(bound: float, share: float) -> None:
    foreign = ForeignHistogram.of([Buckets((100.0, 200.0, 1000.0, math.inf), (50.0, 30.0, 10.0, 10.0))])
    assert foreign.share_within(bound) == pytest.approx(share)


def test_nothing_counted_has_no_share() -> None:
    assert LogHistogram().share_within(1.0) is None
    assert ForeignHistogram().share_within(1.0) is None
    assert Count().good_share is None and Count().value is None


# --- targets ----------------------------------------------------------------------------------------------------------


def test_the_five_targets_of_b1_with_their_objectives() -> None:
    found = {target.key: (target.target, round(target.objective, 6)) for target in slo.targets(Thresholds())}
    assert found == {
        "p95": (200.0, 0.95),
        "errors": (0.01, 0.99),
        "uptime": (0.999, 0.999),
        "memory": (0.8, 0.99),
        "query": (100.0, 0.95),
    }


# --- cells and budgets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "known"),
    [
        (count(999, 1000, 60), True),
        (count(999, 1000, 30), True),
        (count(999, 1000, 29), False),
        (count(19, 19, 60), False),
        (count(20, 20, 60), True),
        (Count(), False),
    ],
    ids=["whole", "half observed", "less than half", "a handful", "enough", "nothing"],
)
def test_a_window_says_something_when_half_of_it_was_observed_and_no_handful_counted(found: Count, known: bool) -> None:
    cell = slo.cell(found, 3600)
    assert (cell.good_share is not None, cell.value is not None) == (known, known)
    assert cell.observed_share == pytest.approx(found.minutes / 60)
    assert cell.counted == found.counted


@pytest.mark.parametrize(("good", "left"), [(1.0, 1.0), (0.9995, 0.5), (0.999, 0.0), (0.998, -1.0), (0.5, -499.0)])
def test_the_budget_left(good: float, left: float) -> None:
    month = BUDGET_S // 60
    assert slo.budget_left(count(good * 500_000, 500_000, month), 0.999) == pytest.approx(left)


def test_a_budget_is_unknown_where_less_than_half_of_thirty_days_was_observed_or_nothing_may_fail() -> None:
    half = BUDGET_S // 120
    assert slo.budget_left(count(90, 100, half), 0.999) is not None
    assert slo.budget_left(count(90, 100, half - 1), 0.999) is None
    assert slo.budget_left(count(90, 100, half), 1.0) is None
    assert slo.burn_rate(count(90, 100, 60), 1.0, 3600) is None


def test_the_figure_of_a_window_is_its_p95_and_a_lower_bound_in_an_open_bucket() -> None:
    latencies = Count(counted=100, good=90, minutes=60, hist=LogHistogram.of([100.0] * 90 + [900.0] * 10))
    assert slo.cell(latencies, 3600).value == pytest.approx(900, rel=0.01)
    open_ended = ForeignHistogram.of([Buckets((100.0, math.inf), (50.0, 50.0))])
    cell = slo.cell(replace(latencies, hist=open_ended), 3600)
    assert (cell.value, cell.at_least) == (100.0, True)
    assert not slo.cell(latencies, 3600).at_least


def test_counts_are_summed_with_and_without_their_figures() -> None:
    one = Count(counted=10, good=9, minutes=1, total=1, weight=10, hist=LogHistogram.of([5.0] * 10))
    both = slo.summed([one, one])
    assert (both.counted, both.good, both.minutes, both.total, both.weight) == (20, 18, 2, 2, 20)
    assert both.hist is not None and both.hist.n == 20
    assert slo.summed([one, one], figures=False).hist is None
    assert slo.summed([]) == Count()


# --- burn rates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("long", "short", "fires"),
    [
        (0.0144, 0.0144, False),
        (0.0145, 0.0145, True),
        (0.0145, 0.0, False),
        (0.0, 0.9, False),
        (0.9, 0.0143, False),
    ],
    ids=["at the limit", "both over", "it is over", "it is too short", "it nearly is over"],
)
def test_a_rule_fires_while_both_windows_are_over_its_limit(long: float, short: float, fires: bool) -> None:
    rate = slo.burn(
        FAST, count(100_000 * (1 - long), 100_000, 60), count(10_000 * (1 - short), 10_000, 5), objective=0.999
    )
    assert rate.firing is fires
    assert rate.long == pytest.approx(long * 1000) and rate.short == pytest.approx(short * 1000)


@pytest.mark.parametrize(
    ("long", "short"),
    [
        (count(0, 200, 29), count(0, 60, 5)),
        (count(0, 99, 60), count(0, 60, 5)),
        (count(0, 200, 60), count(0, 19, 5)),
        (count(0, 200, 60), count(0, 60, 2)),
        (Count(), Count()),
    ],
    ids=["a fresh start", "few requests in the hour", "few in five minutes", "a short window not seen", "nothing"],
)
def test_a_rule_never_fires_on_little_even_if_all_of_it_is_bad(long: Count, short: Count) -> None:
    rate = slo.burn(FAST, long, short, objective=0.99)
    assert not rate.firing and slo.lesser(rate) is None
    enough = slo.burn(FAST, count(0, 200, 30), count(0, 60, 3), objective=0.99)
    assert enough.firing


def rate(pair: slo.Pair, long: float | None, short: float | None) -> BurnRate:
    firing = long is not None and short is not None and min(long, short) > pair.limit
    return BurnRate(long_s=pair.long_s, short_s=pair.short_s, limit=pair.limit, long=long, short=short, firing=firing)


def test_the_nearest_rule_is_the_one_with_the_least_way_to_its_limit() -> None:
    rates = [rate(FAST, 7.2, 14.0), rate(SLOW, 5.9, 5.8), rate(SLOWEST, 0.2, 9.0)]
    assert slo.nearest(rates) == rates[1]
    assert slo.nearest([rate(FAST, None, 20.0)]) is None


@pytest.mark.parametrize(
    ("left", "rates", "shares", "state"),
    [
        (0.4, [], [1.0, 1.0], State.HEALTHY),
        (0.4, [rate(FAST, 20, 20)], [1.0], State.UNHEALTHY),
        (0.4, [rate(FAST, 1, 1), rate(SLOW, 7, 7)], [1.0], State.UNHEALTHY),
        (0.4, [rate(FAST, 1, 1), rate(SLOW, 1, 1), rate(SLOWEST, 2, 2)], [1.0], State.DEGRADED),
        (0.0, [], [1.0], State.DEGRADED),
        (-3.0, [], [1.0], State.UNHEALTHY),
        (-1e-12, [], [1.0], State.DEGRADED),
        (None, [], [None, None], State.UNKNOWN),
        (None, [], [1.0, 0.9, None], State.DEGRADED),
        (None, [], [0.9, 1.0, None], State.HEALTHY),
    ],
    ids=[
        "left",
        "fast",
        "slow",
        "lowest rule",
        "spent",
        "overdrawn",
        "spent but for rounding",
        "unknown",
        "young and missed",
        "young and met",
    ],
)
def test_the_state_of_a_target(
    left: float | None, rates: list[BurnRate], shares: list[float | None], state: State
) -> None:
    blank = slo.cell(Count(), SLO_WINDOWS_S[0])
    cells = [replace(blank, good_share=share) for share in shares]
    assert slo.state_of(cells, left, rates, 0.999) is state


# --- the alerts -------------------------------------------------------------------------------------------------------


def burning(scene: Scene, pair: slo.Pair, long: float | None, short: float | None, key: str = "uptime") -> Scene:
    scene.more["burn"] = {key: tuple(rate(each, long, short) for each in PAIRS if each is pair)}
    return scene


def says(scene: Scene, rule: str, subject: str = "uptime") -> Says:
    found = {each.name: measures for each, measures in measure_all(scene.situation(), ())}
    return next(measure.says for measure in found[rule] if measure.subject == subject)


@pytest.mark.parametrize(
    ("recent", "state"),
    [
        ((count(100, 100, 5), count(0, 1000, 60)), State.HEALTHY),
        ((count(80, 100, 5), count(1000, 1000, 60)), State.DEGRADED),
        ((count(0, 10, 5), count(80, 100, 60)), State.DEGRADED),
        ((count(0, 10, 5), count(100, 100, 60)), State.HEALTHY),
        ((Count(), Count()), State.HEALTHY),
    ],
    ids=["met now", "missed now", "too few in 5 min, missed in 1 h", "too few in 5 min, met in 1 h", "nothing now"],
)
def test_a_target_that_is_missed_now_is_not_healthy_however_much_budget_is_left(
    recent: tuple[Count, Count], state: State
) -> None:
    cells = tuple(slo.cell(each, seconds) for each, seconds in zip(recent, slo.RECENT_S, strict=True))
    assert slo.state_of((), 0.9, (), 0.95, cells) is state


@pytest.mark.parametrize("pair", PAIRS, ids=[pair.rule for pair in PAIRS])
@pytest.mark.parametrize("key", slo.ALERTED)
def test_burn_alerts(pair: slo.Pair, key: str) -> None:
    scene, limit = Scene().all_well(), pair.limit
    for long, short, expected in (
        (limit * 1.01, limit * 1.01, Says.BREACHED),
        (limit * 50, limit * 0.9, Says.BETWEEN),
        (limit * 0.9, limit * 50, Says.BETWEEN),
        (limit * 50, limit * 0.8, Says.CLEARED),
        (0.0, 0.0, Says.CLEARED),
        (None, limit * 50, Says.UNKNOWN),
        (limit * 50, None, Says.UNKNOWN),
    ):
        assert says(burning(scene, pair, long, short, key), pair.rule, key) is expected, (long, short)
    scene.more["burn"] = {}
    assert says(scene, pair.rule, key) is Says.UNKNOWN


def test_the_rule_of_another_pair_and_the_other_target_stay_as_they_are() -> None:
    scene = burning(Scene().all_well(), FAST, 99.0, 99.0)
    assert says(scene, "burn-fast") is Says.BREACHED
    assert says(scene, "burn-slow") is Says.UNKNOWN
    assert says(scene, "burn-fast", "errors") is Says.UNKNOWN


def test_nothing_is_concluded_of_uptime_while_the_bastion_is_offline() -> None:
    scene = burning(Scene().all_well(), FAST, 99.0, 99.0)
    for target in ("health", "ping", "egress"):
        scene.fail(target, ErrorKind.CONNECT, witness=False)
        scene.fail(target, ErrorKind.CONNECT, witness=False)
    assert says(scene, "burn-fast") is Says.HELD


def test_it_fires_at_once_ends_after_a_minute_under_the_limit_and_the_list_says_how_near_it_is() -> None:
    scene = Scene().all_well()
    standings: dict[Key, Standing] = {}
    seen = []
    for rates in [(10.0, 12.0)] * 2 + [(15.0, 30.0)] * 2 + [(13.0, 13.0)] * 15 + [(9.0, 0.1)] * 14:
        measured = measure_all(burning(scene, FAST, *rates).situation(), ())
        standings, changes = step(standings, measured, scene.now)
        reading = next(each for each in readings(standings, measured) if each.name == "burn-fast")
        seen += [(change.rule, change.severity, change.ended_ms is None) for change in changes]
        assert reading.value == min(rates) and reading.unit == "x" and "14.4" in reading.condition
        scene.later(5)
    assert seen == [("burn-fast", "critical", True), ("burn-fast", "critical", False)]


@given(values=st.lists(st.floats(0, 1e9), min_size=1, max_size=50), bound=st.floats(-1, 1e10))
def test_the_share_within_a_bound_is_that_of_each_bucket_looked_at(values: list[float], bound: float) -> None:
    counts = LogHistogram.of(values).counts
    found = {index: LogHistogram.adopting({index: 1}).quantile(0) for index in counts}
    within = sum(count for index, count in counts.items() if (value := found[index]) is not None and value <= bound)
    assert LogHistogram(counts).share_within(bound) == within / len(values)
