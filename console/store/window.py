"""Windows over a series: hours where there are hours, minutes at their edges, rounds where nothing is packed yet.

A bucket counts only when it was closed by the moment of the read, so that a read at `t` never sees what came after `t`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from console.model.observation import Buckets, Sample
from console.store import blocks, codec
from console.store.moment import Moment
from console.store.names import BLOCK_MS, HOUR_MS, MINUTE_MS
from console.store.timeline import Segment, era_of, position_of, wall_of


@dataclass(frozen=True, slots=True)
class Tally:
    """Samples of a gauge in a window: how many, their sum, and in how many minutes there were any."""

    n: float = 0.0
    sum: float = 0.0
    minutes: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.n + other.n, self.sum + other.sum, self.minutes + other.minutes)


class Series:
    """One series at a moment."""

    def __init__(self, moment: Moment, key: str) -> None:
        """`key`: `TARGET|METRIC`."""
        self._moment = moment
        target, _, self.metric = key.rpartition("|")
        self._target = moment.keys.get(target, 0)
        row = moment.connection.execute(
            "SELECT id FROM series WHERE target_id = ? AND metric = ?", (self._target, self.metric)
        ).fetchone()
        self.number: int | None = row[0] if row else None

    def tally(self, window_s: int) -> Tally:
        """All samples of the window that ends at the moment (see `windows_end_ms`)."""
        if self.number is None:
            return Tally()
        total, end_ms = Tally(), windows_end_ms(self._moment)
        for segment in self._moment.timeline.segments(end_ms - window_s * 1000, end_ms):
            total += self._segment(segment)
        return total

    def _segment(self, segment: Segment) -> Tally:
        first_hour = ceiling(segment.low, HOUR_MS)
        last_hour = blocks.floor(segment.high, HOUR_MS)
        if first_hour >= last_hour:
            return self._minutes(segment.low, segment.high) + self._recent(segment.low, segment.high)
        total = self._hours(first_hour, last_hour) + self._minutes(segment.low, first_hour)
        total += self._minutes(last_hour, segment.high)
        for hour in self._pending(first_hour, last_hour):
            total += self._minutes(hour, hour + HOUR_MS)
        return total + self._recent(segment.low, segment.high)

    def _hours(self, low: int, high: int) -> Tally:
        row = self._moment.connection.execute(
            "SELECT coalesce(sum(n), 0), coalesce(sum(sum), 0), coalesce(sum(minutes), 0) FROM rollup_hour "
            "WHERE series_id = ? AND start >= ? AND start < ? AND start NOT IN (SELECT start FROM pending_hour)",
            (self.number, low, high),
        ).fetchone()
        return Tally(*row)

    def _pending(self, low: int, high: int) -> list[int]:
        rows = self._moment.connection.execute(
            "SELECT start FROM pending_hour WHERE start >= ? AND start < ?", (low, high)
        )
        return [row[0] for row in rows]

    def _minutes(self, low: int, high: int) -> Tally:
        row = self._moment.connection.execute(
            "SELECT coalesce(sum(n), 0), coalesce(sum(sum), 0), count(*) FROM rollup_minute "
            "WHERE series_id = ? AND start >= ? AND start <= ?",
            (self.number, ceiling(low, MINUTE_MS), high - MINUTE_MS),
        ).fetchone()
        return Tally(*row)

    def _recent(self, low: int, high: int) -> Tally:
        samples = [(at, sample) for at, sample in self.unpacked(low, high) if not isinstance(sample, Buckets)]
        minutes = {at - wall_of(at) % MINUTE_MS for at, _ in samples}
        return Tally(len(samples), sum(sample for _, sample in samples), len(minutes))

    def samples(self, from_ms: int) -> list[tuple[int, Sample]]:
        """(ms, sample) from `from_ms` to the moment, oldest first, as far as raw samples are kept."""
        if self.number is None:
            return []
        found: list[tuple[int, Sample]] = []
        for segment in self._moment.timeline.segments(from_ms, self._moment.at_ms):
            timed = [*self._packed(segment.low, segment.high), *self.unpacked(segment.low, segment.high)]
            found = [(wall_of(at), sample) for at, sample in timed] + found
        return found

    def _packed(self, low: int, high: int) -> Iterable[tuple[int, Sample]]:
        rows = self._moment.connection.execute(
            "SELECT start, data FROM block WHERE series_id = ? AND start > ? AND start <= ? ORDER BY start",
            (self.number, low - BLOCK_MS, high),
        )
        return [each for start, data in rows for each in blocks.decode(start, data) if low <= each[0] <= high]

    def unpacked(self, low: int, high: int) -> list[tuple[int, Sample]]:
        """(position, sample) of rounds between two positions, both included, that are not in a block yet."""
        return [each for each in self._rounds if low <= each[0] <= high]

    @cached_property
    def _rounds(self) -> list[tuple[int, Sample]]:
        """What is not packed yet, read once for all windows: some ten minutes."""
        moment = self._moment
        rows = _rows_of(moment, "recent_judged", self._target)
        if moment.connection.execute("SELECT 1 FROM open_span WHERE target_id = ?", (self._target,)).fetchone():
            rows = sorted([*rows, *_rows_of(moment, "recent", self._target)])
        decoded = zip(rows, codec.rows_from([data for _, data in rows]), strict=True)
        return [
            (at, sample) for (at, _), (_, samples) in decoded for number, sample in samples if number == self.number
        ]


def windows_end_ms(moment: Moment) -> int:
    """Until when windows reach: to the moment; where its minute is known as a whole only, to that minute's begin, so
    that a window holds as many minutes as it is long."""
    first = moment.connection.execute(
        "SELECT min(at) FROM (SELECT min(at) AS at FROM recent UNION ALL SELECT min(at) FROM recent_judged)"
    ).fetchone()[0]
    minute = blocks.floor(moment.position, MINUTE_MS)
    is_packed = first is None or minute < blocks.floor(first, BLOCK_MS)
    return moment.at_ms - moment.at_ms % MINUTE_MS if is_packed else moment.at_ms


def _rows_of(moment: Moment, table: str, target: int) -> list[tuple[int, str]]:
    return moment.connection.execute(
        f"SELECT at, data FROM {table} WHERE at <= ? AND target_id = ? ORDER BY at", (moment.position, target)
    ).fetchall()


def last_value(moment: Moment, key: str, within_ms: int = BLOCK_MS) -> float | None:
    """The last plain sample of a series in the time before the moment; where only rollups are left, the mean of the
    last whole minute of it. None: there is none, or it is foreign."""
    series = Series(moment, key)
    from_ms = moment.at_ms - within_ms
    plain = [sample for _, sample in series.samples(from_ms) if not isinstance(sample, Buckets)]
    if plain:
        return plain[-1]
    row = moment.connection.execute(
        "SELECT sum / n FROM rollup_minute WHERE series_id = ? AND start BETWEEN ? AND ? AND n > 0 "
        "ORDER BY start DESC LIMIT 1",
        (series.number, moment.timeline.position(from_ms), moment.position - MINUTE_MS),
    ).fetchone()
    return float(row[0]) if row else None


def ceiling(position: int, size_ms: int) -> int:
    """The start of the first bucket of `size_ms` that begins at a position or later, within its era."""
    down = blocks.floor(position, size_ms)
    return down if down == position else position_of(era_of(down), wall_of(down) + size_ms)
