"""What a deployment did before and after: by minutes, by whole hours where no minutes are on record, or not known."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.model.deployments import Effect
from console.model.metrics import Rollup
from console.model.observation import Origin
from console.store import closed_cells
from console.store.history import HistoryWriter
from console.store.names import DAY_MS, HOUR_MS, MINUTE_MS
from console.store.read import StoreReader
from tests.store.charts import BEGIN_MS
from tests.store.test_deployments import ENVIRONMENT, LIVE_MS, item, live, named, vercel


def minutes(
    first_min: int, count: int, value: float, n: float, *, distribution: bool = False
) -> list[tuple[int, Rollup]]:
    """So many minutes from `first_min` minutes after BEGIN_MS; of `n` samples each, whose sum is `n * value`."""
    made = Rollup.of([value] * int(n), distribution=distribution)
    assert made is not None
    return [(BEGIN_MS + (first_min + at) * MINUTE_MS, made) for at in range(count)]


def history(
    tmp_path: Path, series: Mapping[str, list[tuple[int, Rollup]]], now_ms: int, live_ms: int = LIVE_MS
) -> StoreReader:
    with HistoryWriter(tmp_path / "observed.db") as writer:
        for name, rollups in series.items():
            writer.minutes(name, rollups)
        writer.event(live("new", live_ms))
        writer.observation(vercel(item("new"), production="new"), live_ms, now_ms, 60)
    return StoreReader(tmp_path / "observed.db", tmp_path / "records.db", ENVIRONMENT, None, lambda: now_ms)


def effects(reads: StoreReader) -> dict[str, tuple[Any, Any, Origin]]:
    (row,) = reads.deployments(None).deployments
    return {one.figure: (one.before, one.after, one.origin) for one in row.effects}


USERS = {
    "metrics|latency_ms": [*minutes(-20, 20, 100, 50, distribution=True), *minutes(0, 20, 900, 50, distribution=True)],
    "metrics|requests": [*minutes(-20, 20, 50, 1), *minutes(0, 20, 50, 1)],
    "metrics|errors": [*minutes(-20, 20, 0, 1), *minutes(0, 20, 10, 1)],
}
PROBES = {
    "route:/|latency_ms": [*minutes(-20, 20, 40, 12, distribution=True), *minutes(0, 20, 60, 12, distribution=True)],
    "route:/|ok": [*minutes(-20, 20, 1, 12), *minutes(0, 20, 0, 12)],
    "route:/pricing|ok": [*minutes(-20, 20, 1, 12), *minutes(0, 20, 1, 12)],
}


def test_the_users_figures_come_first(tmp_path: Path) -> None:
    found = effects(history(tmp_path, USERS | PROBES, LIVE_MS + HOUR_MS))
    assert found["p95"] == (pytest.approx(100, rel=0.02), pytest.approx(900, rel=0.02), Origin.USERS)
    assert found["errors"] == (0.0, pytest.approx(0.2), Origin.USERS)


def test_the_probes_stand_for_them_and_say_so(tmp_path: Path) -> None:
    found = effects(history(tmp_path, PROBES, LIVE_MS + HOUR_MS))
    assert found["p95"] == (pytest.approx(40, rel=0.02), pytest.approx(60, rel=0.02), Origin.PROBE)
    assert found["errors"] == (0.0, pytest.approx(0.5), Origin.PROBE)


def test_too_little_is_not_known(tmp_path: Path) -> None:
    found = effects(history(tmp_path, USERS, LIVE_MS + 100_000))
    assert found["p95"] == (pytest.approx(100, rel=0.02), None, Origin.USERS)
    few = {"metrics|latency_ms": minutes(-20, 20, 100, 1, distribution=True)}
    assert effects(history(tmp_path / "few", few, LIVE_MS + HOUR_MS))["p95"] == (None, None, Origin.NONE)


def test_the_minute_of_the_change_and_what_came_after_the_next_change_count_for_neither_side(tmp_path: Path) -> None:
    odd = dict(USERS)
    odd["metrics|latency_ms"] = [
        *minutes(-20, 20, 100, 50, distribution=True),
        *minutes(0, 1, 9000, 50, distribution=True),
        *minutes(1, 4, 200, 50, distribution=True),
        *minutes(5, 20, 7000, 50, distribution=True),
    ]
    reads = history(tmp_path, odd, LIVE_MS + HOUR_MS)
    with HistoryWriter(tmp_path / "observed.db") as writer:
        writer.event(live("next", BEGIN_MS + 5 * MINUTE_MS))
        writer.observation(
            vercel(item("new"), item("next", 5), production="next"), BEGIN_MS + 5 * MINUTE_MS, LIVE_MS + HOUR_MS, 60
        )
    (effect,) = (one for one in named(reads.deployments(None))["new"].effects if one.figure == "p95")
    assert effect.after == pytest.approx(200, rel=0.02)


def test_of_what_went_live_too_long_ago_minutes_do_not_tell(tmp_path: Path) -> None:
    found = effects(history(tmp_path, USERS, LIVE_MS + 31 * DAY_MS))
    assert found == {name: (None, None, Origin.NONE) for name in ("p95", "errors")}


def test_the_effect_of_a_closed_window_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = history(tmp_path, USERS, LIVE_MS + HOUR_MS)
    first = effects(reads)
    monkeypatch.setattr("console.store.effects.Effects._read_minutes", lambda *_: pytest.fail("read again"))
    assert effects(reads) == first
    assert closed_cells.SPARE_MS < HOUR_MS


def test_a_page_of_many_is_read_fast(tmp_path: Path) -> None:
    """No measurement: an order of magnitude, so that nobody makes each row cost a scan of the store."""
    with HistoryWriter(tmp_path / "observed.db") as writer:
        for name, rollups in (USERS | PROBES).items():
            writer.minutes(name, rollups)
        for at in range(40):
            writer.event(live(f"n{at}", LIVE_MS - at * HOUR_MS))
        items = [item(f"n{at}", -at) for at in range(40)]
        writer.observation(vercel(*items, production="n0"), LIVE_MS, LIVE_MS + HOUR_MS, 60)
    reads = StoreReader(tmp_path / "observed.db", tmp_path / "r.db", ENVIRONMENT, None, lambda: LIVE_MS + HOUR_MS)
    began = time.process_time()
    assert sum(bool(row.effects) for row in reads.deployments(None).deployments) == 24
    assert time.process_time() - began < 1.0


# By the hour, where no minutes are on record


def hour(number: int, value: float, n: int, *, distribution: bool = False, minutes: int = 60) -> tuple[int, Rollup]:
    made = Rollup.of([value] * n, distribution=distribution)
    assert made is not None
    return BEGIN_MS // HOUR_MS * HOUR_MS + number * HOUR_MS, replace(made, minutes=minutes)


def hours(
    tmp_path: Path, after: float = 300, *, now_ms: int = LIVE_MS + 3 * DAY_MS, observed_min: int = 60
) -> StoreReader:
    """A store of hours alone: 100 ms before, 9,000 in the hour of the change, then `after`."""
    with HistoryWriter(tmp_path / "observed.db") as writer:
        latencies = [(-1, 100.0, 60), (0, 9000.0, 60), (1, after, observed_min), (2, 7000.0, 60)]
        writer.hours(
            "metrics|latency_ms",
            [hour(at, value, 500, distribution=True, minutes=many) for at, value, many in latencies],
        )
        writer.hours("metrics|requests", [hour(at, 50, 60) for at in range(-1, 3)])
        writer.hours("metrics|errors", [hour(at, errors, 60) for at, errors in ((-1, 0), (0, 40), (1, 5), (2, 50))])
        writer.event(live("new", LIVE_MS))
        writer.observation(vercel(item("new"), production="new"), LIVE_MS, now_ms, 60)
    return StoreReader(tmp_path / "observed.db", tmp_path / "records.db", ENVIRONMENT, None, lambda: now_ms)


def effect_of(reads: StoreReader, figure: str = "p95", name: str = "new") -> Effect:
    return next(one for one in named(reads.deployments(None))[name].effects if one.figure == figure)


def test_where_there_are_no_minutes_the_whole_hours_before_and_after_tell(tmp_path: Path) -> None:
    reads = hours(tmp_path)
    p95, errors = effect_of(reads), effect_of(reads, "errors")
    assert p95.before == pytest.approx(100, rel=0.02) and p95.after == pytest.approx(300, rel=0.02)
    assert errors.before == 0 and errors.after == pytest.approx(0.1) and errors.origin is Origin.USERS
    assert p95.by_hours and p95.window_s == 3600 and p95.words == ""
    assert effect_of(reads) == p95  # kept from the first read


def test_minutes_come_before_hours(tmp_path: Path) -> None:
    reads = hours(tmp_path)
    with HistoryWriter(tmp_path / "observed.db") as writer:
        for name, rollups in USERS.items():
            writer.minutes(name, rollups)
    found = effect_of(reads)
    assert found.after == pytest.approx(900, rel=0.02) and not found.by_hours and found.window_s == 900


def test_hours_tell_after_the_minutes_are_gone_too(tmp_path: Path) -> None:
    assert effect_of(hours(tmp_path, now_ms=LIVE_MS + 40 * DAY_MS)).after == pytest.approx(300, rel=0.02)


def test_an_hour_in_which_another_one_took_over_is_not_counted(tmp_path: Path) -> None:
    reads, next_ms = hours(tmp_path), LIVE_MS + 80 * MINUTE_MS
    with HistoryWriter(tmp_path / "observed.db") as writer:
        writer.event(live("next", next_ms))
        writer.observation(vercel(item("new"), item("next", 80), production="next"), next_ms, LIVE_MS + 3 * DAY_MS, 60)
    found = effect_of(reads)
    assert found.before == pytest.approx(100, rel=0.02) and found.after is None
    assert found.words == "after: only hours are kept of that time, and it served for less than the whole hour after"


def test_an_hour_that_was_hardly_observed_and_one_that_is_not_over_are_no_figures(tmp_path: Path) -> None:
    few = effect_of(hours(tmp_path / "few", observed_min=20))
    assert few.after is None and few.words.endswith("too little of this one was measured")
    early = effect_of(hours(tmp_path / "early", now_ms=LIVE_MS + 90 * MINUTE_MS))
    assert (
        early.after is None and early.words == "after: no minutes are on record, and the whole hour after is not over"
    )


def test_with_neither_minutes_nor_hours_nothing_is_known_and_the_reason_stands_there(tmp_path: Path) -> None:
    found = effect_of(history(tmp_path, {}, LIVE_MS + 5 * DAY_MS))
    assert (found.before, found.after, found.origin) == (None, None, Origin.NONE)
    assert found.words == "only hours are kept of that time, and too little of this one was measured"
