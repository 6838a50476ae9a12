"""What a maintenance does to the targets: no burn rate counts it, and the board says whether the budget does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.collector.upkeep import _event as upkeep_event
from console.model.situation import Maintenance
from console.store.history import HistoryWriter
from console.store.names import DAY_MS, MINUTE_MS
from tests.store.samples import observed
from tests.store.test_slo import FULL, NOW_MS, Live, author, of, read


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "observed.db"


@pytest.fixture
def live(path: Path) -> Iterator[Live]:
    made = Live(path)
    yield made
    made.store.close()


def maintain(live: Live, on: bool, since_ms: int) -> None:
    """The event of a maintenance's beginning or end."""
    at_ms = live.clock.pass_ms(5000)
    told = Maintenance(since_ms=since_ms, by="op1", planned=False)
    event = upkeep_event(told, since_ms if on else at_ms, on=on)
    live.store.write_round(live.lease, at_ms, [observed("note", events=(event,))], None, {"note": 5.0})


@pytest.mark.parametrize("before", [61, 200])
def test_no_budget_burns_by_a_maintenance_but_by_what_fails_after_it(live: Live, before: int) -> None:
    limits = FULL.thresholds
    live.pass_time(before)
    since_ms = live.clock.wall
    maintain(live, True, since_ms)
    live.pass_time(70 / 60, up=0.0, error_share=1.0)
    during = live.store.burn_rates(limits)
    maintain(live, False, since_ms)
    live.pass_time(2)
    after = live.store.burn_rates(limits)
    for rates in (during, after):
        for key in ("uptime", "errors"):
            assert [(rate.long, rate.short, rate.firing) for rate in rates[key][:1]] == [(0.0, 0.0, False)], key
    live.pass_time(3, up=0.0)
    assert live.store.burn_rates(limits)["uptime"][0].firing, "the counter-test: an incident after it"


@pytest.mark.parametrize("announced", [False, True])
def test_the_board_says_whether_a_maintenance_counts(path: Path, announced: bool) -> None:
    author(path, half_ms=0 if announced else NOW_MS - 3 * DAY_MS)
    began_ms, ended_ms = NOW_MS - 3 * DAY_MS, NOW_MS - 3 * DAY_MS + 30 * MINUTE_MS
    told = Maintenance(since_ms=began_ms, by="op1", planned=announced)
    with HistoryWriter(path) as writer:
        for at_ms, on in ((began_ms, True), (ended_ms, False)):
            writer.event(upkeep_event(told, at_ms, on=on))
    used = {one.text: one.budget_share for one in of(read(path), "uptime").consumers}
    if announced:
        assert used["maintenance by op1, announced: left out"] == 0.0
    else:
        share = used["maintenance by op1, not announced: it counts, and no burn rate does it"]
        assert share == pytest.approx(0.5 / 720 / 0.001, rel=0.01)
    assert len(used) == 2, "the incident of ten days ago is still there"
