"""A database that hangs is asked seldom: what was not asked then was missed all the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from console.model.configuration import Thresholds
from console.model.metric_views import Objective
from console.model.observation import ErrorKind, Observation, Outcome
from console.model.states import State
from console.store.moment import Moment
from console.store.read_slo import recipes
from console.store.slo_counts import Closed, Counts
from tests.store.charts import CANARY, Charts
from tests.store.samples import component, failed, judged, observed

HELD = observed(CANARY, State.UNKNOWN, outcome=Outcome.HELD, error_kind=ErrorKind.CIRCUIT, words="hangs", samples={})


def hang(charts: Charts, *, online: bool = True) -> None:
    """Ten good minutes, 100 s without an answer in which it is asked four times, and one good minute."""
    good = observed(CANARY, samples={"latency_ms": 4.0, "ok": 1.0})
    for _ in range(120):
        _round(charts, good, 5.0, online=True)
    for after_s in (5.0, 5.0, 10.0, 20.0):
        _round(charts, failed(CANARY), after_s, online=online)
    _round(charts, HELD, 0.001, online=online, interval_s=60.0)
    _round(charts, HELD, 60.0, online=online, interval_s=60.0)
    for _ in range(12):
        _round(charts, good, 5.0, online=True)


def _round(charts: Charts, found: Observation, after_s: float, *, online: bool, interval_s: float = 5.0) -> None:
    now_ms = charts.clock.pass_ms(round(after_s * 1000))
    if found.outcome is Outcome.FAILED:
        interval_s = max(interval_s, after_s)
    witness = observed("egress", samples={}) if online else failed("egress")
    judgement = judged(now_ms, (component(targets=("health",)),))
    charts.store.write_round(
        charts.lease, now_ms, [found, witness], judgement, {CANARY: interval_s, "egress": 60.0}
    )  # fmt: skip


def query(charts: Charts) -> Objective:
    return next(each for each in charts.reader.slo(None).objectives if each.key == "query")


def test_the_time_of_a_hang_counts_as_polls_that_missed(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    hang(charts)
    found = query(charts)
    five, hour = found.cells[0], found.cells[1]
    assert five.good_share is not None and five.good_share == pytest.approx(1 - 100 / 300, abs=0.1)
    assert five.value is None, "what was not answered decides the figure"
    assert hour.counted == pytest.approx(132 + 20, abs=3)
    assert found.state is not State.HEALTHY


def test_a_few_polls_without_an_answer_do_not_hide_the_figure(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    for number in range(60):
        _round(charts, failed(CANARY) if number == 30 else observed(CANARY, samples={"latency_ms": 4.0, "ok": 1.0}),
               5.0, online=True)  # fmt: skip
    assert query(charts).cells[0].value == pytest.approx(4.0, rel=0.011)


def test_while_this_host_is_offline_nothing_is_missed_that_was_not_asked(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    hang(charts, online=False)
    assert query(charts).cells[1].counted == pytest.approx(132 + 4, abs=3)


def test_the_stretches_hold_what_the_window_counts(tmp_path: Path) -> None:
    """What used a budget up is what is missing of it."""
    charts = Charts(tmp_path)
    hang(charts)
    charts.clock.pass_ms(3_600_000)
    charts.pack()
    assert query(charts).cells[2].counted == pytest.approx(132 + 20, abs=3)
    with closing(sqlite3.connect(charts.path)) as connection:
        recipe = recipes(Thresholds())["query"]
        counts = Counts(Moment(connection, charts.clock.wall, charts.clock.wall), recipe, Closed())
        stretches = counts.stretches(86_400)
        assert sum(each.count.bad for each in stretches) == pytest.approx(counts.window(86_400).bad)
        assert counts.window(86_400).bad == pytest.approx(20, abs=3)
