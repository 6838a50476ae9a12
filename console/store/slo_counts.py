"""What counted for a service level target, and what of it was good: by hours where there are hours, by minutes at the
edges of a window, by rounds where nothing is packed yet - as `window.py` does, and never more than was closed by then.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from console.model.metrics import Rollup
from console.model.slo import BUDGET_S, Count, summed
from console.store import blocks, packing
from console.store.maintained import Holes, Maintained
from console.store.moment import Moment
from console.store.names import HOUR_MS, MINUTE_MS
from console.store.rollups import ROLLUP_COLUMNS, rollup_from
from console.store.slo_hours import HoursByMinutes, hours_below
from console.store.timeline import Segment
from console.store.unanswered import interval_ms, unanswered
from console.store.window import Series, ceiling, windows_end_ms

Rollups = Mapping[str, Rollup]
"""By role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Which series play which role, and how a stretch of them is counted."""

    key: str
    """Equal recipes count alike: what was counted of closed hours is kept by it."""
    roles: Mapping[str, tuple[str, ...]]
    count: Callable[[Rollups], Count] = field(compare=False)
    by_minutes: Callable[[Rollups], bool] = field(default=lambda _: False, compare=False)
    """Whether an hour's rollup does not tell how many of its minutes were good; then they are read, while kept."""
    hours_by_minutes: HoursByMinutes | None = field(default=None, compare=False)
    """The same count of whole hours by one statement; hours that it leaves out are read minute by minute."""
    polled: str | None = field(default=None, compare=False)
    """The target whose polls count, those too that were left out while it gave no answer."""


class Closed:
    """What was counted of hours that are long closed. They never change, so they are read once (by one thread)."""

    SPARE_MS = 2 * HOUR_MS
    """Hours younger than this are read anew: a round that came late may have changed them."""
    SUMS = 64
    EDGES = 256

    def __init__(self) -> None:
        self._hours: dict[str, tuple[int, int, dict[int, Count]]] = {}
        self._sums: OrderedDict[tuple[str, int, int], Count] = OrderedDict()
        self._edges: OrderedDict[tuple[str, str, int, int], Mapping[int, Count]] = OrderedDict()

    def hours(self, key: str, low: int, high: int, read: Callable[[int, int], Mapping[int, Count]]) -> dict[int, Count]:
        """The counts of hours that begin from `low` to before `high`; `read` gives those not known yet."""
        known_low, known_high, known = self._hours.get(key, (low, low, {}))
        if high < known_low or low > known_high:
            known_low, known_high, known = low, low, {}
        if low < known_low:
            known.update(read(low, known_low))
        if high > known_high:
            known.update(read(known_high, high))
        self._hours[key] = min(low, known_low), max(high, known_high), known
        return {start: count for start, count in known.items() if low <= start < high}

    def edge(
        self, key: str, table: str, first: int, last: int, read: Callable[[], Mapping[int, Count]]
    ) -> Mapping[int, Count]:
        """The minutes before a window's first whole hour: the same for all reads of one minute."""
        found = self._edges.get((key, table, first, last))
        if found is None:
            found = self._edges[key, table, first, last] = read()
            if len(self._edges) > self.EDGES:
                self._edges.popitem(last=False)
        return found

    def sum(self, key: str, low: int, high: int, counts: Mapping[int, Count]) -> Count:
        """All of them as one, figures too: merging 720 histograms takes 5 ms, and they change once an hour."""
        found = self._sums.get((key, low, high))
        if found is None:
            found = self._sums[key, low, high] = summed(counts.values())
            if len(self._sums) > self.SUMS:
                self._sums.popitem(last=False)
        return found


@dataclass(frozen=True, slots=True)
class Stretch:
    """The counts of one bucket, `start` to `end` as positions."""

    start: int
    end: int
    count: Count


class Counts:
    """One recipe at a moment."""

    def __init__(self, moment: Moment, recipe: Recipe, closed: Closed, without: Sequence[Maintained] = ()) -> None:
        """`without`: the minutes of these do not count, and are not missed either."""
        self._moment, self._recipe, self._closed, self._holes = moment, recipe, closed, Holes(without)
        found = [
            (Series(moment, key), role, key.rpartition("|")[2]) for role, keys in recipe.roles.items() for key in keys
        ]
        self._series = [(series, role, metric) for series, role, metric in found if series.number is not None]
        self._roles = {series.number: role for series, role, _ in self._series}
        self._known: dict[tuple[str, int, int], Mapping[int, Count]] = {}

    @property
    def recipe(self) -> Recipe:
        """How it counts."""
        return self._recipe

    @property
    def exist(self) -> bool:
        """Whether any of the series was ever stored."""
        return bool(self._series)

    def window(self, window_s: int, *, figures: bool = True) -> Count:
        """All of the window that ends at the moment."""
        parts: list[Count] = []
        for segment in self._segments(window_s):
            whole, low, high = self._old_hours(segment)
            if whole:
                parts.append(self._closed.sum(self._recipe.key, low, high, whole) if figures else _bare(whole))
            parts += [stretch.count for stretch in self._rest(segment)]
        parts.append(Count(minutes=self._holes.minutes(windows_end_ms(self._moment), window_s)))
        return self._with_missed(summed(parts, figures=figures), window_s)

    def _with_missed(self, count: Count, window_s: int) -> Count:
        """With the polls that were left out while the target gave no answer."""
        hung = self._hung_in(window_s)
        if not hung:
            return count
        hung_ms = sum(high - low for low, high in hung)
        missed = max(0.0, hung_ms / self._interval_ms - count.unanswered)
        return replace(
            count,
            counted=count.counted + missed,
            unanswered=count.unanswered + missed,
            minutes=max(count.minutes, hung_ms // MINUTE_MS),
        )

    def _hung_in(self, window_s: int) -> list[tuple[int, int]]:
        """The stretches of the window in which the target gave no answer."""
        from_ms = self._moment.at_ms - window_s * 1000
        return [(max(low, from_ms), high) for low, high in self._hung if high > from_ms]

    @cached_property
    def _hung(self) -> list[tuple[int, int]]:
        target = self._recipe.polled
        return unanswered(self._moment, target, self._moment.at_ms - BUDGET_S * 1000) if target is not None else []

    @cached_property
    def _interval_ms(self) -> int:
        return interval_ms(self._moment, self._recipe.polled or "")

    def _missed(self, window_s: int, counted: Count) -> Iterable[Stretch]:
        """What was left out, by the stretches in which it was."""
        hung = self._hung_in(window_s)
        hung_ms = sum(high - low for low, high in hung)
        missed = self._with_missed(counted, window_s).counted - counted.counted
        for low, high in hung if missed > 0 else []:
            part = missed * (high - low) / hung_ms
            position = self._moment.timeline.position
            yield Stretch(position(low), position(high), Count(counted=part, unanswered=part))

    def stretches(self, window_s: int) -> list[Stretch]:
        """Hours and minutes of the window, oldest first."""
        found: list[Stretch] = []
        for segment in self._segments(window_s):
            whole, _, _ = self._old_hours(segment)
            found += [Stretch(start, start + HOUR_MS, count) for start, count in whole.items()]
            found += self._rest(segment)
        counted = summed((stretch.count for stretch in found), figures=False)
        found += self._missed(window_s, counted)
        return sorted(found, key=lambda stretch: stretch.start)

    def _segments(self, window_s: int) -> list[Segment]:
        if not self._series:
            return []
        end_ms = windows_end_ms(self._moment)
        return self._moment.timeline.segments(end_ms - window_s * 1000, end_ms)

    def _bounds(self, segment: Segment) -> tuple[int, int, int]:
        """Where the segment's whole hours begin, where those that never change end, and where all end."""
        low, high = ceiling(segment.low, HOUR_MS), blocks.floor(segment.high, HOUR_MS)
        return low, max(low, min(high, high - Closed.SPARE_MS)), max(low, high)

    def _old_hours(self, segment: Segment) -> tuple[dict[int, Count], int, int]:
        low, old, _ = self._bounds(segment)
        old = min([old, *(start for start in self._pending if start >= low)])
        if low >= old:
            return {}, low, low
        return self._closed.hours(self._recipe.key, low, old, self._hours), low, old

    def _rest(self, segment: Segment) -> list[Stretch]:
        """The newest hours, the minutes at both edges, and what is not packed."""
        low, _, high = self._bounds(segment)
        if blocks.floor(segment.high, HOUR_MS) < low:  # the segment lies within an hour
            return self._minutes(segment.low, segment.high) + self._rounds(segment)
        old = self._old_hours(segment)[2]
        young = {start: count for start, count in self._hours(old, high).items() if start not in self._pending}
        found = [Stretch(start, start + HOUR_MS, count) for start, count in young.items()]
        found += self._minutes(segment.low, low) + self._minutes(high, segment.high)
        for start in self._pending:
            if old <= start < high:
                found += self._minutes(start, start + HOUR_MS)
        return found + self._rounds(segment)

    @cached_property
    def _pending(self) -> tuple[int, ...]:
        """Hours that count by their minutes: they are not rolled up, or some of their minutes do not count."""
        rows = self._moment.connection.execute("SELECT start FROM pending_hour")
        return tuple({*(start for (start,) in rows), *self._holes.hours(self._moment)})

    def _hours(self, low: int, high: int) -> Mapping[int, Count]:
        return self._read("rollup_hour", low, high - HOUR_MS)

    def _minutes(self, low: int, high: int) -> list[Stretch]:
        """Whole minutes from `low` that had ended by `high`."""
        found = self._read("rollup_minute", ceiling(low, MINUTE_MS), high - MINUTE_MS)
        return [Stretch(start, start + MINUTE_MS, count) for start, count in found.items() if self._holes.count(start)]

    def _read(self, table: str, first: int, last: int) -> Mapping[int, Count]:
        """The counts of all buckets that begin from `first` to `last`; windows that end together share their edge."""
        if first > last:
            return {}
        if last + HOUR_MS + Closed.SPARE_MS <= self._moment.position:
            return self._closed.edge(
                self._recipe.key, table, first, last, lambda: self._read_anew(table, first, last)
            )  # fmt: skip
        found = self._known.get((table, first, last))
        if found is None:
            found = self._known[table, first, last] = self._read_anew(table, first, last)
        return found

    def _read_anew(self, table: str, first: int, last: int) -> dict[int, Count]:
        minutes = ", minutes" if table == "rollup_hour" else ", 1"
        gathered: dict[int, dict[str, list[Rollup]]] = defaultdict(lambda: defaultdict(list))
        for number, role in self._roles.items():
            rows = self._moment.connection.execute(
                f"SELECT start, {ROLLUP_COLUMNS}{minutes} FROM {table} WHERE series_id = ? AND start BETWEEN ? AND ?",
                (number, first, last),
            )
            for start, *row, many in rows:
                gathered[start][role].append(rollup_from(tuple(row), many))
        if table == "rollup_minute":
            return {start: self._counted(roles) for start, roles in gathered.items()}
        return self._counted_hours({start: _by_role(roles) for start, roles in gathered.items()})

    def _counted_hours(self, hours: Mapping[int, Rollups]) -> dict[int, Count]:
        told = self._told_by_minutes([start for start, rollups in hours.items() if self._recipe.by_minutes(rollups)])
        return {start: told.get(start) or self._recipe.count(rollups) for start, rollups in hours.items()}

    def _told_by_minutes(self, starts: Sequence[int]) -> dict[int, Count]:
        """Of hours that do not tell it themselves, those of which there are minutes."""
        found: dict[int, Count] = {}
        numbers = {role: number for number, role in self._roles.items() if number is not None}
        if self._recipe.hours_by_minutes is not None:
            for low, high in _runs(starts):
                found.update(self._recipe.hours_by_minutes(self._moment.connection, numbers, low, high))
        for start in starts:
            if start not in found and (minutes := self._minutes(start, start + HOUR_MS)):
                found[start] = summed(stretch.count for stretch in minutes)
        return found

    def _rounds(self, segment: Segment) -> list[Stretch]:
        """What is not packed yet, by the minutes that begin in the segment."""
        low = ceiling(segment.low, MINUTE_MS)
        found = (stretch for stretch in self._unpacked if low <= stretch.start <= segment.high)
        return [stretch for stretch in found if self._holes.count(stretch.start)]

    @cached_property
    def _unpacked(self) -> list[Stretch]:
        gathered: dict[int, dict[str, list[Rollup]]] = defaultdict(lambda: defaultdict(list))
        for series, role, metric in self._series:
            for start, rollup in packing.minutes(metric, series.unpacked(0, self._moment.position)):
                gathered[start][role].append(rollup)
        return [Stretch(start, start + MINUTE_MS, self._counted(roles)) for start, roles in sorted(gathered.items())]

    def _counted(self, roles: Mapping[str, Sequence[Rollup]]) -> Count:
        return self._recipe.count(_by_role(roles))


def _by_role(roles: Mapping[str, Sequence[Rollup]]) -> Rollups:
    return {role: _one(rollups) for role, rollups in roles.items()}


def _runs(starts: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Hours that follow each other, each run from its first to the end of its last."""
    ordered = sorted(starts)
    known = set(starts)
    begins = [start for start in ordered if start - HOUR_MS not in known]
    ends = [start + HOUR_MS for start in ordered if start + HOUR_MS not in known]
    return zip(begins, ends, strict=True)


def _one(rollups: Sequence[Rollup]) -> Rollup:
    """Several series in one role as one; they were observed in the same minutes."""
    if len(rollups) == 1:
        return rollups[0]
    merged = Rollup.merged(rollups)
    assert merged is not None  # there is at least one
    return Rollup(
        n=merged.n, sum=merged.sum, min=merged.min, max=merged.max, hist=merged.hist,
        minutes=max(rollup.minutes for rollup in rollups),
    )  # fmt: skip


def _bare(counts: Mapping[int, Count]) -> Count:
    return summed(counts.values(), figures=False)


# --- the recipes of the targets ---------------------------------------------------------------------------------------


def within(key: str, latencies: Iterable[str], polls: Iterable[str], bound: float, polled: str | None = None) -> Recipe:
    """Those within a bound. `polls`: series of 1 answered, 0 not; what gave no answer was not within it either, nor
    was what `polled` was not asked while it hung."""

    def count(rollups: Rollups) -> Count:
        latency, asked = rollups.get("latency"), rollups.get("polls")
        hist = latency.hist if latency else None
        good = hist.n * (hist.share_within(bound) or 0.0) if hist is not None else 0.0
        counted = max(hist.n if hist is not None else 0.0, asked.n if asked else 0.0)
        minutes = max((rollup.minutes for rollup in rollups.values()), default=0)
        lost = counted - hist.n if hist is not None else counted
        return Count(counted=counted, good=good, minutes=minutes, hist=hist, unanswered=lost)

    roles = {"latency": tuple(latencies), "polls": tuple(polls)}
    return Recipe(key=f"{key}/{roles}/{bound}", roles=roles, count=count, polled=polled)


def succeeded(key: str, requests: str, errors: str) -> Recipe:
    """Requests that did not fail, of two series of growths."""

    def count(rollups: Rollups) -> Count:
        asked, failed = rollups.get("requests"), rollups.get("errors")
        if asked is None:
            return Count()
        bad = min(failed.sum, asked.sum) if failed else 0.0
        return Count(counted=asked.sum, good=asked.sum - bad, minutes=asked.minutes, total=bad, weight=asked.sum)

    return Recipe(key=key, roles={"requests": (requests,), "errors": (errors,)}, count=count)


def ones(key: str, series: Iterable[str], *, value_is_bad: bool) -> Recipe:
    """Rounds or polls that are 1 when good and 0 when not. The figure is the share of good ones, or of bad."""

    def count(rollups: Rollups) -> Count:
        found = rollups.get("good")
        if found is None:
            return Count()
        total = found.n - found.sum if value_is_bad else found.sum
        return Count(counted=found.n, good=found.sum, minutes=found.minutes, total=total, weight=found.n)

    roles = {"good": tuple(series)}
    return Recipe(key=f"{key}/{roles}", roles=roles, count=count)


def minutes_below(key: str, used: str, limit: str, share: float, limit_value: float | None) -> Recipe:
    """Minutes in which the mean of `used` was at most that share of its limit, as measured or as configured. An hour
    whose minutes are no longer kept counts by its own mean."""

    def most(rollups: Rollups) -> float:
        measured = rollups.get("limit")
        return limit_value or (measured.mean if measured else 0.0)

    def count(rollups: Rollups) -> Count:
        found, limit = rollups.get("used"), most(rollups)
        if found is None or limit <= 0:
            return Count()
        many, part = found.minutes, found.mean / limit
        return Count(
            counted=many, good=many if part <= share else 0, minutes=many, total=part * many, weight=many
        )  # fmt: skip

    def by_minutes(rollups: Rollups) -> bool:
        found, limit = rollups.get("used"), most(rollups)
        return found is not None and limit > 0 and found.max > share * limit

    return Recipe(
        key=f"{key}/{share}/{limit_value}",
        roles={"used": (used,), "limit": (limit,)},
        count=count,
        by_minutes=by_minutes,
        hours_by_minutes=hours_below(share, limit_value),
    )
