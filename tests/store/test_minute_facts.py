"""What is said of a month's minutes by few statements is what each minute tells."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.model.charts import SeriesSpec, Statistic
from console.model.metrics import Rollup
from console.store.closed_cells import ClosedCells
from console.store.history import HistoryWriter
from console.store.minute_facts import MinuteFacts
from console.store.names import DAY_MS, HOUR_MS, MINUTE_MS
from console.store.timeline import Segment
from tests.store.samples import START_MS

FIRST_MS = START_MS - START_MS % DAY_MS + 9 * HOUR_MS
MANY = 3 * 24 * 60
LAST_MS = FIRST_MS + MANY * MINUTE_MS
SEGMENT = Segment(FIRST_MS + 90 * MINUTE_MS, LAST_MS - 7 * MINUTE_MS - 1)
P = {Statistic.P50: "p50", Statistic.P95: "p95", Statistic.P99: "p99"}
LINES = [
    *(SeriesSpec(label="", keys=("a|latency_ms",), statistic=one, scale=0.5) for one in P),
    SeriesSpec(label="", keys=("a|latency_ms",), statistic=Statistic.P95, scale=-2.0),
    SeriesSpec(label="", keys=("a|latency_ms",), statistic=Statistic.P50, complement=True, scale=3.0),
    *(
        SeriesSpec(label="", keys=("a|errors",), statistic=one, scale=100.0, complement=turned)
        for one in (Statistic.MEAN, Statistic.MIN, Statistic.MAX)
        for turned in (False, True)
    ),
    SeriesSpec(label="", keys=("a|requests",), statistic=Statistic.RATE, scale=60.0),
    SeriesSpec(label="", keys=("a|errors",), per=("a|requests",), statistic=Statistic.RATIO, scale=100.0),
    SeriesSpec(label="", keys=("a|requests",), per=("a|errors",), statistic=Statistic.RATIO, complement=True),
]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    chance = random.Random(7)
    times = range(FIRST_MS, LAST_MS, MINUTE_MS)
    with HistoryWriter(tmp_path / "observed.db") as writer:
        for series in ("a|latency_ms", "a|errors", "a|requests"):
            made = ((at, _rollup(chance, series.endswith("_ms"))) for at in times if chance.random() < 0.9)
            writer.minutes(series, ((at, rollup) for at, rollup in made if rollup is not None))
    found = sqlite3.connect(tmp_path / "observed.db")
    yield found
    found.close()


def _rollup(chance: random.Random, distribution: bool) -> Rollup | None:
    if distribution:
        return Rollup.of([chance.lognormvariate(4, 0.5) for _ in range(12)], distribution=True)
    return Rollup.of([chance.choice((0.0, 0.0, 0.0, 0.01, 0.5, 1.0))] * 12, distribution=False)


def one_by_one(connection: sqlite3.Connection, numbers: dict[str, int], line: SeriesSpec) -> list[float]:
    """A line's value in each minute."""
    query = "SELECT start, n, sum, min, max, p50, p95, p99 FROM rollup_minute WHERE series_id = ? ORDER BY start"
    rows, per = (
        {row[0]: row for row in connection.execute(query, (numbers[key],))}
        for key in (line.keys[0], (line.per or line.keys)[0])
    )
    found = []
    for start, (_, n, total, least, most, p50, p95, p99) in rows.items():
        if not SEGMENT.low <= start <= SEGMENT.high + 1 - MINUTE_MS:
            continue
        if line.statistic is Statistic.RATIO and (start not in per or not per[start][2]):
            continue
        value = {
            Statistic.MEAN: total / n, Statistic.RATE: total / 60, Statistic.MIN: least, Statistic.MAX: most,
            Statistic.P50: p50, Statistic.P95: p95, Statistic.P99: p99,
        }[line.statistic] if line.statistic is not Statistic.RATIO else total / per[start][2]  # fmt: skip
        found.append((1 - value if line.complement else value) * line.scale)
    return found


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.statistic}-{line.scale}-{line.complement}")
def test_the_peak_and_the_minutes_beyond_are_those_of_each_minute(
    connection: sqlite3.Connection, line: SeriesSpec
) -> None:
    rows = connection.execute("SELECT t.key || '|' || s.metric, s.id FROM series s JOIN target t ON t.id = s.target_id")
    numbers = dict(rows.fetchall())
    closed = ClosedCells()
    expected = one_by_one(connection, numbers, line)
    assert len(expected) > 300
    for _ in range(2):  # once more with what was kept of closed days
        facts = MinuteFacts(connection, closed, numbers, LINES, [SEGMENT])
        assert facts.knows(line)
        if line.statistic not in (Statistic.MEAN, Statistic.MAX):  # whose peaks are those of their own samples
            for target in (None, 0.0, 50.0, -1.0):
                assert facts.peak(line, target) == pytest.approx(max(expected), rel=1e-12)
        for target in (*random.Random(1).sample(expected, 20), min(expected), max(expected), 0.0, -1.0, 1e9):
            assert facts.beyond(line, target, below=False) == sum(value > target for value in expected)
            assert facts.beyond(line, target, below=True) == sum(value < target for value in expected)


def test_where_no_minute_is_kept_nothing_is_told(connection: sqlite3.Connection) -> None:
    facts = MinuteFacts(connection, ClosedCells(), {"a|gone_ms": 99}, LINES, [SEGMENT])
    gone = SeriesSpec(label="", keys=("a|gone_ms",), statistic=Statistic.P95)
    assert MinuteFacts(connection, ClosedCells(), {"a|gone_ms": 99}, [gone], [SEGMENT]).peak(gone) is None
    mean = SeriesSpec(label="", keys=("a|gone_ms",), statistic=Statistic.MEAN)
    assert facts.beyond(mean, 1.0, below=False) is None
    assert not facts.knows(SeriesSpec(label="", keys=("a|gone_ms", "a|latency_ms"), statistic=Statistic.P95))
    assert not facts.knows(SeriesSpec(label="", keys=("a|gone_ms", "a|latency_ms"), statistic=Statistic.RATE))
