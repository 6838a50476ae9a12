"""The authored past: deterministic, complete, readable at any moment, and at peace with a collector that goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from console.demo import business, history, incidents
from console.demo.configuration import ROUTES
from console.demo.world import DAY_MS, HOUR_MS, MINUTE_MS, SEED, World, author
from console.model.configuration import Environment
from console.model.metric_views import MetricsQuestion
from console.model.states import State
from console.model.views import HealthView
from console.store.read import StoreReader

NOW_MS = 1_795_000_000_000
CERTIFICATE = "certificate:127.0.0.1:20001"
Read = Callable[[int], HealthView]


@pytest.fixture(scope="module")
def world() -> World:
    """A world of a fixed moment."""
    return author(NOW_MS)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, world: World) -> Path:
    """Its store."""
    path = tmp_path_factory.mktemp("history") / "observed.db"
    history.write(path, world, CERTIFICATE)
    return path


@pytest.fixture
def reader(store: Path) -> StoreReader:
    """Reads it as the console does, with the clock standing at the end of the history."""
    environment = Environment(name="demo", url="http://127.0.0.1:1")
    return StoreReader(store, store.parent / "records.db", environment, None, lambda: NOW_MS)


def test_the_same_seed_gives_the_same_world(world: World) -> None:
    assert author(NOW_MS, SEED) == world
    assert author(NOW_MS, SEED + 1) != world


def test_it_ends_at_the_start_well_and_lately_says_what_was(reader: StoreReader, world: World) -> None:
    view = reader.health(None)
    assert view.verdict is not None and view.verdict.state is State.HEALTHY
    assert len(view.components) == 8
    assert {row.state for row in view.components} == {State.HEALTHY}
    assert view.lately[0].text.startswith(f'{world.deployments[-1].short} "')
    assert {row.kind for row in view.lately} >= {"deployment", "state"}


def test_uptime_of_30_days_is_observed_and_short_of_perfect(reader: StoreReader) -> None:
    month = reader.health(None).uptime[-1]
    assert month.window_s == 30 * 86_400
    assert month.up_share is not None and 0.999 < month.up_share < 1.0
    assert 0.98 < month.observed_share < 1.0, "the bastion was rebuilt for five hours"


def test_every_night_can_be_seen_at_its_time(reader: StoreReader, world: World) -> None:
    for night in incidents.of(world):
        view = reader.health((night.began_ms + night.ended_ms) // 2)
        assert view.verdict is not None
        assert view.verdict.state is night.worst
        assert [reason.text for reason in view.verdict.reasons] == [symptom.text for symptom in night.symptoms]
        assert view.verdict.whose == night.whose
        states = {row.key: row.state for row in view.components}
        assert all(states[symptom.component] is symptom.state for symptom in night.symptoms)
        before = reader.health(night.began_ms - 60_000).verdict
        assert before is not None and before.state is State.HEALTHY


def test_alerts_of_the_nights_are_in_the_history(reader: StoreReader, world: World) -> None:
    view = reader.alerts(None)
    assert view.firing == ()
    expected = {(alarm.rule, alarm.subject) for night in incidents.of(world) for alarm in night.alarms}
    assert {(row.rule, row.subject) for row in view.history} == expected
    night = incidents.of(world)[2]
    firing = reader.alerts(night.began_ms + 5 * 60_000).firing
    assert {row.rule for row in firing} == {alarm.rule for alarm in night.alarms}


def test_in_the_gap_nothing_is_claimed(reader: StoreReader, world: World) -> None:
    view = reader.health((world.gap[0] + world.gap[1]) // 2)
    assert {row.state for row in view.components} == {State.STALE}
    assert all(state is State.UNKNOWN for row in view.components for state in row.strip)


def test_rollups_cover_hours_of_30_days_and_minutes_of_two(store: Path, world: World) -> None:
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    gap_hours = (world.gap[1] - world.gap[0]) // HOUR_MS
    hours = connection.execute("SELECT count(DISTINCT start) FROM rollup_hour").fetchone()[0]
    assert 30 * 24 - gap_hours - 2 <= hours <= 30 * 24 + 1
    query = (
        "SELECT s.metric, count(*), min(m.start) FROM rollup_minute m JOIN series s ON s.id = m.series_id"
        " JOIN target t ON t.id = s.target_id WHERE t.key = 'health' GROUP BY 1"
    )
    for metric, count, first in connection.execute(query):
        assert 48 * 60 <= count <= 49 * 60, metric
        assert world.now_ms - first <= 2 * DAY_MS + HOUR_MS
    connection.close()


def test_nothing_lies_after_the_present(store: Path, world: World) -> None:
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    assert connection.execute("SELECT max(at_ms) FROM event").fetchone()[0] <= world.now_ms
    assert connection.execute("SELECT max(start) + 60000 FROM rollup_minute").fetchone()[0] <= world.now_ms
    assert connection.execute("SELECT max(start) + 3600000 FROM rollup_hour").fetchone()[0] <= world.now_ms
    connection.close()


def test_every_figure_of_the_owners_own_has_a_past_and_is_asked_by_the_same_name(store: Path) -> None:
    """What the configuration asks for from now on goes on where the history ends."""
    series = {f"{figure.polled}|value" for figure in business.FIGURES if figure.polled}
    assert series == {name for name, _ in business.pasts()}
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    query = (
        "SELECT t.key || '|' || s.metric, count(*) FROM rollup_hour h JOIN series s ON s.id = h.series_id"
        " JOIN target t ON t.id = s.target_id GROUP BY 1"
    )
    known = {name for name, count in connection.execute(query) if count > 29 * 24}
    connection.close()
    assert series <= known
    assert len({name for name in series if name.startswith("sql:")}) >= 4
    assert {figure.source for figure in business.FIGURES} == {"sql", "query", "series"}


def test_no_round_of_long_ago_is_left_to_be_packed(store: Path, world: World) -> None:
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    first, count = connection.execute("SELECT min(at), count(*) FROM recent").fetchone()
    connection.close()
    assert count > 0 and first > world.now_ms - 10 * MINUTE_MS


@pytest.mark.parametrize("window_s", [300, 900, 3_600, 21_600, 86_400])
@pytest.mark.parametrize(("compare_ms", "finest_ms"), [(DAY_MS, MINUTE_MS), (7 * DAY_MS, HOUR_MS)])
def test_the_charts_are_full_at_the_start_and_so_is_what_they_are_compared_with(
    store: Path, window_s: int, compare_ms: int, finest_ms: int
) -> None:
    environment = Environment(name="demo", url="http://127.0.0.1:1", routes=ROUTES, metrics="/api/metrics")
    reads = StoreReader(store, store.parent / "records.db", environment, None, lambda: NOW_MS)
    question = MetricsQuestion(page="application", window_s=window_s, points=120, compare_ms=compare_ms)
    view = reads.metrics(None, question)
    reads.close()
    for chart in view.charts:
        for line, before in zip(chart.lines, chart.compared, strict=True):
            known, then = (sum(value is not None for value in one.values) for one in (line, before))
            assert known >= 0.9 * view.points - 1, (chart.key, known, view.points)
            assert then >= 0.9 * view.points - 1, (chart.key, then, view.points)
        least_ms = MINUTE_MS if chart.key == "availability" else finest_ms  # whose minutes are those of all days
        assert chart.compared_step_ms == max(least_ms, view.step_ms) and chart.compared_absent is None
