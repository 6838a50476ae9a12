"""A page of charts: other people's histograms, comparison, what happened, what is no longer kept, what is missing."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from console.model.configuration import CustomMetric, Environment
from console.model.metrics import Rollup
from console.model.observation import Buckets, Event, Origin
from console.model.prometheus import Scrapes, parse
from console.model.states import State
from console.store.history import HistoryWriter
from console.store.names import DAY_MS, HOUR_MS, MINUTE_MS
from console.store.read import StoreReader
from tests.store.charts import BEGIN_MS, CANARY, SETTINGS, Charts, chart, line, values_at
from tests.store.samples import alert, component, failed, judged, observed

BOUNDS = (100.0, 500.0, math.inf)


def buckets(*counts: float) -> Buckets:
    return Buckets(BOUNDS, counts)


@pytest.mark.parametrize("packed", [False, True])
def test_a_foreign_histogram_keeps_its_bounds_and_tells_a_lower_bound_as_one(tmp_path: Path, packed: bool) -> None:
    charts = Charts(tmp_path)
    charts.polls(12, "metrics", latency_ms=buckets(90, 10, 0))
    charts.polls(12, "metrics", latency_ms=buckets(50, 0, 50))
    if packed:
        charts.clock.pass_ms(HOUR_MS)
        charts.pack()
    view = charts.view("application", 7200 if packed else 300, 120 if packed else 5)
    response = chart(view, "response")
    p50, p95 = response.lines[0], response.lines[1]
    first = (BEGIN_MS - view.start_ms) // view.step_ms
    assert p95.lower_bounds == {first + 1, first + 2}  # the twelfth poll is in the second minute
    assert [p95.values[first + number] for number in (0, 1)] == [pytest.approx(300, rel=0.1), 500.0]
    assert p50.lower_bounds == frozenset()
    heat = chart(view, "distribution").heat
    assert heat is not None and heat.foreign
    assert heat.bounds == (0.0, 100.0, 500.0, math.inf)
    assert heat.counts[first] == (90 * 11, 10 * 11, 0)


def test_our_own_distribution_has_at_most_twelve_rows_and_loses_nothing(tmp_path: Path) -> None:
    charts = Charts(tmp_path, replace(SETTINGS, metrics=None))
    values = [0.0, 0.4, 3.0, 3.1, 88.0, 90.0, 4000.0]
    for value in values:
        charts.poll("route:/", latency_ms=value)
    view = charts.view("application", 300, 1)
    heat = chart(view, "distribution").heat
    assert heat is not None and not heat.foreign
    assert len(heat.bounds) - 1 <= 12
    (counts,) = heat.counts
    assert counts is not None and sum(counts) == len(values)
    for low, high, count in zip(heat.bounds, heat.bounds[1:], counts, strict=False):
        assert count == sum(low < value <= high or value == low == 0 for value in values)
    assert chart(view, "distribution").origin is Origin.PROBE


def test_a_counter_that_began_anew_makes_no_spike(tmp_path: Path) -> None:
    charts, scrapes = Charts(tmp_path), Scrapes(15)
    for number, total in enumerate([1_000_000, 1_000_050, 1_000_100, 30, 80, 130]):
        grown = scrapes.since_last(parse(f"r_total {total}\n"), number * 5.0)
        if grown is None:
            charts.poll("metrics")
        else:
            charts.poll("metrics", requests=grown.counter("r_total") or 0.0)
    found = line(charts.view("application"), "requests", "requests")
    assert [value for value in found.values if value is not None] == [10.0, 10.0, 6.0, 10.0, 10.0]


def test_the_lines_of_the_day_before_lie_on_the_same_grid(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    charts.polls(12 * 20, latency_ms=2.0)
    charts.clock.pass_ms(DAY_MS - 20 * MINUTE_MS)
    charts.polls(12 * 20, latency_ms=8.0)
    charts.pack()
    view = charts.view(window_s=900, points=15, compare_ms=DAY_MS)
    canary = chart(view, "canary")
    assert [one.label for one in canary.compared] == ["p50", "p95", "p99"]
    assert {*canary.lines[1].values} == {8.0}
    assert {*canary.compared[1].values} == {2.0}
    assert chart(charts.view(window_s=900, points=15), "canary").compared == ()


def test_what_happened_is_marked_while_it_was_known(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    charts.polls(12, latency_ms=2.0)
    words, named = "8f3c1d2 live (op1)", {"id": "dpl_1"}
    deployed = Event(at_ms=charts.clock.wall, kind="deployment", subject="vercel", text=words, data=named)
    charts.event(deployed)
    charts.event(replace(deployed, data={}, key="unnamed", at_ms=deployed.at_ms + 1))
    charts.event(
        Event(
            at_ms=charts.clock.wall, kind="database", subject="postgres", text="server restarted",
            key="database/restarted/1", state=State.DEGRADED,
        )
    )  # fmt: skip
    charts.polls(4, latency_ms=2.0)
    began_ms = charts.clock.wall
    judgement = judged(began_ms, (component(),), alerts=(alert(began_ms=began_ms),))
    charts.store.write_round(charts.lease, began_ms, [], judgement, {})
    charts.polls(4, latency_ms=2.0)
    ended_ms = charts.clock.wall
    over = judged(ended_ms, (component(),), alerts=(alert(began_ms=began_ms, ended_ms=ended_ms),))
    charts.store.write_round(charts.lease, ended_ms, [], over, {})
    marks = charts.view().marks
    assert [(mark.kind, mark.reference) for mark in marks] == [
        ("deployment", "deployment:dpl_1"), ("deployment", "vercel"), ("restart", "database"), ("alert", "1"),
    ]  # fmt: skip
    assert (marks[3].at_ms, marks[3].until_ms, marks[3].state) == (began_ms, ended_ms, State.UNHEALTHY)
    assert [mark.until_ms for mark in charts.view(at_ms=began_ms + 1000).marks if mark.kind == "alert"] == [None]
    assert charts.view(at_ms=deployed.at_ms - 1000).marks == ()
    charts.clock.pass_ms(HOUR_MS)
    assert charts.view().marks == ()


def test_a_maintenance_is_a_mark_with_its_end_as_soon_as_that_is_known(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    began_ms = charts.clock.wall
    charts.event(Event(at_ms=began_ms, kind="maintenance", subject="routes", text="began", key="maintenance/7/began"))
    (mark,) = charts.view().marks
    assert (mark.kind, mark.text, mark.until_ms) == ("maintenance", "began", None)
    charts.clock.pass_ms(MINUTE_MS)
    ended_ms = charts.clock.wall
    charts.event(Event(at_ms=ended_ms, kind="maintenance", subject="routes", text="ended", key="maintenance/7/ended"))
    assert [(each.text, each.until_ms) for each in charts.view().marks] == [("began", ended_ms), ("ended", None)]
    assert [each.until_ms for each in charts.view(at_ms=ended_ms - 1000).marks] == [None]


def test_a_component_that_became_unhealthy_is_marked_and_one_that_is_degraded_is_not(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    found: dict[State, int] = {}
    for state in (State.HEALTHY, State.DEGRADED, State.UNHEALTHY, State.HEALTHY):
        charts.polls(4, latency_ms=2.0)
        found[state] = charts.clock.wall
        judgement = judged(charts.clock.wall, (component(state=state),))
        charts.store.write_round(charts.lease, charts.clock.wall, [], judgement, {})
    marks = charts.view().marks
    key = component().key
    (mark,) = marks
    assert (mark.kind, mark.reference) == ("fault", key)
    assert 0 <= mark.at_ms - found[State.UNHEALTHY] < 100  # rows of one moment follow each other by a millisecond
    assert charts.view(at_ms=found[State.UNHEALTHY] - 1000).marks == ()


def test_where_raw_samples_are_gone_the_step_is_a_minute_and_where_minutes_are_an_hour(tmp_path: Path) -> None:
    path, now_ms = tmp_path / "observed.db", BEGIN_MS + 60 * DAY_MS
    rollup = Rollup.of([1.0, 2.0, 3.0], distribution=True)
    assert rollup is not None
    with HistoryWriter(path) as writer:
        writer.hours("postgres.canary|latency_ms", ((at, rollup) for at in range(BEGIN_MS, now_ms, HOUR_MS)))
        minutes = range(now_ms - 30 * DAY_MS, now_ms, MINUTE_MS)
        writer.minutes("postgres.canary|latency_ms", ((at, rollup) for at in minutes))
        for at_ms in range(now_ms - 2 * HOUR_MS, now_ms, 5000):
            writer.samples("postgres.canary", at_ms, {"latency_ms": 2.0})
    charts = Charts(tmp_path)
    charts.clock.wall = now_ms
    steps = {
        days: charts.view(window_s=900, points=90, until_ms=now_ms - int(days * DAY_MS)).step_ms
        for days in (0.02, 3, 45)
    }
    assert steps == {0.02: 10_000, 3: MINUTE_MS, 45: HOUR_MS}
    view = charts.view(window_s=86_400, points=96, until_ms=now_ms - 45 * DAY_MS)
    assert {*line(view, "canary", "p99").values} == {rollup.p99}
    assert (view.step_ms, view.points) == (HOUR_MS, 24)


def test_where_samples_are_kept_of_a_part_only_minutes_are_shown_of_all(tmp_path: Path) -> None:
    """As in an authored past, whose samples are those of its nights."""
    charts = Charts(tmp_path)
    charts.polls(12 * 20, latency_ms=2.0)
    charts.clock.pass_ms(HOUR_MS)
    charts.pack()
    until_ms = BEGIN_MS + HOUR_MS
    assert (
        charts.view(window_s=3600, points=120, until_ms=until_ms).step_ms == 30_000
    )  # nothing was polled later: samples are all there is
    rollup = Rollup.of([3.0], distribution=True)
    assert rollup is not None
    charts.store.release(charts.lease)
    charts.store.close()
    with HistoryWriter(charts.path) as writer:
        writer.minutes("postgres.canary|latency_ms", ((BEGIN_MS + at * MINUTE_MS, rollup) for at in range(30, 60)))
    view = charts.view(window_s=3600, points=120, until_ms=until_ms)
    assert view.step_ms == MINUTE_MS
    assert set(line(view, "canary", "p50").values) == {2.0, 3.0, None}


def test_over_is_the_time_beyond_the_target_on_its_own_line(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    charts.polls(12, latency_ms=2.0)
    charts.polls(6, latency_ms=180.0)
    charts.polls(12, latency_ms=2.0)
    canary = chart(charts.view(), "canary")
    assert (canary.target, canary.target_of, canary.over_s) == (100.0, "p95", 30.0)
    assert chart(charts.view(), "transactions").over_s is None
    assert chart(charts.view(at_ms=BEGIN_MS + 58_000), "canary").over_s == 0.0


def test_one_chart_alone_is_the_same_as_among_the_others(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    charts.polls(12, latency_ms=2.0)
    question = replace(charts.view().question, only="canary")
    alone = charts.reader.metrics(None, question)
    assert [one.key for one in alone.charts] == ["canary"]
    assert alone.charts[0] == chart(charts.view(), "canary")


def test_without_a_store_every_chart_says_what_would_fill_it(tmp_path: Path) -> None:
    reader = StoreReader(tmp_path / "none.db", tmp_path / "records.db", SETTINGS, None, lambda: BEGIN_MS)
    view = reader.metrics(None, Charts(tmp_path / "other").view().question)
    assert len(view.charts) == 8
    assert all(one.absent and not one.lines for one in view.charts)
    assert view.marks == ()


def test_a_window_without_samples_says_so(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    charts.polls(12, latency_ms=2.0)
    assert chart(charts.view(), "canary").absent is None
    charts.clock.pass_ms(HOUR_MS)
    found = chart(charts.view(), "canary")
    assert found.absent == "nothing was recorded in this window"
    assert found.trouble is not None


def test_a_figure_of_ones_own_is_drawn_from_its_series(tmp_path: Path) -> None:
    own = (
        CustomMetric(name="queued", sql="select 1", unit="jobs", target=10.0),
        CustomMetric(name="sales", query="sum(sales)", page="business", statistic="max"),
    )
    charts = Charts(tmp_path, Environment(name="test", url="https://app.example.com", custom=own))
    charts.polls(12, "sql:queued", value=4.0)
    queued = chart(charts.view("custom"), "custom.queued")
    assert (queued.lines[0].now, queued.unit, queued.origin) == (4.0, "jobs", Origin.SQL)
    sales = chart(charts.view("business"), "custom.sales")
    assert (sales.lines, sales.origin) == ((), Origin.PROMETHEUS)
    assert sales.absent == "no value yet: query of the custom metric sales has given none"


def test_growths_of_business_are_shown_a_minute(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    charts.polls(24, "metrics", **{"business.audits": 2.0})
    found = chart(charts.view("business"), "business.audits")
    assert found.unit == "/min"
    assert found.lines[0].now == pytest.approx(24)
    view = charts.view("business")
    assert [*values_at(view, found.lines[0]).values()] == [pytest.approx(24)] * 24


def test_business_figures_that_are_values_are_shown_as_such(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    samples = {"business.seats": 40.0, "business.audits": 2.0}
    for _ in range(12):
        charts.round(observed("metrics", facts={"business_values": ["business.seats"]}, samples=samples))
    assert chart(charts.view("business"), "business.seats").lines[0].now == 40.0
    charts.round(failed("metrics"))
    seats = chart(charts.view("business"), "business.seats")
    assert (seats.unit, seats.lines[0].peak) == ("", 40.0)
    assert chart(charts.view("business"), "business.audits").unit == "/min"


def test_a_page_tells_from_when_on_anything_is_kept(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    assert charts.view().records_from_ms is None
    first_ms = charts.poll(latency_ms=2.0)
    charts.polls(12 * 20, latency_ms=2.0)
    assert charts.view().records_from_ms == first_ms
    charts.clock.pass_ms(2 * HOUR_MS)
    charts.pack()
    assert charts.view().records_from_ms == BEGIN_MS
    assert charts.view(at_ms=BEGIN_MS - 1).records_from_ms is None


def test_a_figure_of_ones_own_that_never_gave_a_value_says_why(tmp_path: Path) -> None:
    own = (CustomMetric(name="queued", sql="select 1"), CustomMetric(name="other", sql="select 2"))
    charts = Charts(tmp_path, Environment(name="test", url="https://app.example.com", custom=own))
    told = replace(failed("sql:queued"), words="gives several rows; aggregate them", samples={})
    charts.round(told)
    view = charts.view("custom")
    assert chart(view, "custom.queued").trouble == "gives several rows; aggregate them, since 09:00:05 UTC"
    assert chart(view, "custom.queued").absent is not None
    assert chart(view, "custom.other").trouble is None


@pytest.mark.parametrize(
    ("state", "words", "samples"),
    [
        (State.DEGRADED, "gives one series; the answer is partial: a part of the cluster did not answer", {"value": 4}),
        (State.DEGRADED, "gives one series; warning: chunk lost", {"value": 4}),
        (State.UNKNOWN, "gives NaN, which is no value", {}),
    ],
)
def test_what_an_answer_says_against_itself_is_told_at_its_chart(
    tmp_path: Path, state: State, words: str, samples: dict[str, float]
) -> None:
    own = (CustomMetric(name="mails", query="up"),)
    charts = Charts(tmp_path, Environment(name="test", url="https://app.example.com", custom=own))
    charts.poll("prometheus:mails", value=4.0)
    assert chart(charts.view("custom"), "custom.mails").trouble is None
    charts.round(observed("prometheus:mails", state, words=words, samples=samples))
    found = chart(charts.view("custom"), "custom.mails")
    assert found.trouble == f"{words}, since 09:00:10 UTC"
    assert found.lines[0].now == 4.0, "the value stays a value"


def test_the_state_of_a_target_that_is_judged_is_no_trouble_of_its_charts(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    charts.round(observed(CANARY, State.DEGRADED, words="slow", samples={"latency_ms": 300.0}))
    assert chart(charts.view(), "canary").trouble is None


@pytest.mark.parametrize("packed", [False, True])
def test_a_number_beyond_all_that_was_stored_before_it_was_refused_costs_no_page(tmp_path: Path, packed: bool) -> None:
    own = (CustomMetric(name="huge", series="sql:huge|value"), CustomMetric(name="fine", series="sql:fine|value"))
    charts = Charts(tmp_path, Environment(name="test", url="https://app.example.com", custom=own))
    for _ in range(12 * 25):
        charts.round(*(observed(f"sql:{name}", samples={"value": 4.0}) for name in ("huge", "fine")))
    with sqlite3.connect(charts.path) as connection:
        connection.execute(
            "UPDATE recent SET data = replace(data, ',4.0', ',1.7e308') "
            "WHERE target_id = (SELECT id FROM target WHERE key = 'sql:huge')"
        )
    if packed:
        charts.pack()
    for window_s in (300, 3600, 86_400):
        view = charts.view("custom", window_s, 60)
        assert line(view, "custom.fine", "fine").now == 4.0
        assert {*line(view, "custom.huge", "huge").values} == {None}
