"""Histograms that merge: our own with 1 % relative error, and those that came with bounds of somebody else."""

from __future__ import annotations

import math
import operator
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import accumulate
from typing import Any, Self

from console.model.bounds import total
from console.model.lanes import LANES, Lanes, lanes_from, lanes_of
from console.model.observation import Buckets

RELATIVE_ERROR = 0.01
_GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA = math.log(_GAMMA)
_ZERO = -32_768  # the bucket of everything up to _SMALLEST, below every other
_SMALLEST = 1e-6
QUANTILES = (0.50, 0.95, 0.99)


def rank_of(q: float, n: int) -> int:
    """The nearest rank of a quantile, ⌊q(n-1)⌋, counted from 0."""
    return math.floor(q * (n - 1))


def nearest_rank(values: Iterable[float], q: float) -> float | None:
    """The quantile `q` (0 to 1) of exact values; None when there are none."""
    ordered = sorted(values)
    return ordered[rank_of(q, len(ordered))] if ordered else None


class LogHistogram:
    """Counts in buckets that grow by 2 %: any quantile is within 1 % of the nearest rank of the values.

    For values from 0 on; what is below 0.000 001 (also negative) counts as 0. Merging is exact, so it may be done in
    any order. An hour of latencies takes some dozens of buckets.
    """

    __slots__ = ("_lanes", "_mapping")

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self._mapping: dict[int, int] | None = dict(counts or {})
        self._lanes: Lanes | None = None
        """The same counts; one of both is always there."""

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """The histogram of values."""
        histogram = cls()
        for value in values:
            histogram.add(value)
        return histogram

    @classmethod
    def adopting(cls, counts: dict[int, int]) -> Self:
        """A histogram of these very counts, which nobody else changes from now on."""
        histogram = cls.__new__(cls)
        histogram._mapping, histogram._lanes = counts, None
        return histogram

    @classmethod
    def of_lanes(cls, lanes: Lanes) -> Self:
        """A histogram whose buckets lie side by side."""
        histogram = cls.__new__(cls)
        histogram._mapping, histogram._lanes = None, lanes
        return histogram

    @property
    def lanes(self) -> Lanes | None:
        """Its counts side by side, where it came so."""
        return self._lanes

    @property
    def _counts(self) -> dict[int, int]:
        if self._mapping is None:
            assert self._lanes is not None  # one of both is always there
            self._mapping = {
                index: count for index, count in enumerate(self._lanes.counts(), self._lanes.first) if count
            }
            if self._lanes.zeros:
                self._mapping[_ZERO] = self._lanes.zeros
        return self._mapping

    @property
    def n(self) -> int:
        """How many values it holds."""
        return self._lanes.n if self._lanes is not None else sum(self._counts.values())

    @property
    def counts(self) -> Mapping[int, int]:
        """Count by bucket."""
        return self._counts

    @staticmethod
    def bound(index: int) -> float:
        """The greatest value of a bucket, which is where the next one begins."""
        return _GAMMA**index

    @staticmethod
    def is_zero(index: int) -> bool:
        """Whether a bucket is that of everything that counts as 0."""
        return index == _ZERO

    def add(self, value: float, count: int = 1) -> None:
        """Count a finite value. Raises ValueError for infinity and what is no number."""
        if not math.isfinite(value):
            raise ValueError(f"{value} cannot be counted")
        index = _ZERO if value <= _SMALLEST else math.ceil(math.log(value) / _LOG_GAMMA)
        counts = self._counts
        counts[index] = counts.get(index, 0) + count
        self._lanes = None

    def merge(self, other: LogHistogram) -> LogHistogram:
        """Both together, as a new one."""
        merged = LogHistogram(self._counts)
        merged.take_in(other)
        return merged

    def take_in(self, other: LogHistogram) -> None:
        """Add another's counts to this one."""
        counts = self._counts
        self._lanes = None
        if not counts:
            counts.update(other._counts)
            return
        for index, count in other._counts.items():
            try:  # most are there already: half the time of `get`
                counts[index] += count
            except KeyError:
                counts[index] = count

    def quantile(self, q: float) -> float | None:
        """Within 1 % of the nearest rank; None when empty."""
        return self.quantiles((q,))[0]

    def quantiles(self, qs: Sequence[float]) -> list[float | None]:
        """Several at once."""
        if self._lanes is not None and self._lanes.n:
            found = self._lanes.buckets([rank_of(q, self._lanes.n) for q in qs])
            return [0.0 if index is None else _value_of(index) for index in found]
        if not self._counts:
            return [None] * len(qs)
        ordered = sorted(self._counts)
        cumulative = [*accumulate(map(self._counts.__getitem__, ordered))]
        ranks = (rank_of(q, cumulative[-1]) for q in qs)
        return [_value_of(ordered[bisect_right(cumulative, rank)]) for rank in ranks]

    def share_within(self, bound: float) -> float | None:
        """The share of the values that are at most `bound`, each taken as its bucket's value (within 1 % of it).

        So it says the same as `quantile`: where the p95 is within the bound, so are 95 % of the values.
        """
        n, last = self.n, _last_within(bound)
        if self._lanes is not None and last > _ZERO:
            within = self._lanes.zeros + sum(self._lanes.counts()[: max(0, last + 1 - self._lanes.first)])
            return within / n if n else None
        within = sum([count for index, count in self._counts.items() if index <= last])
        return within / n if n else None

    def to_bytes(self) -> bytes:
        """As a msgpack dict of bucket to count, or as lanes where there are many buckets."""
        lanes = self._lanes or lanes_of(self._counts, _ZERO)
        return lanes.to_bytes() if lanes is not None else _encode(self._counts)

    def to_bytes_quickly(self) -> bytes:
        """The same as it is: what is read a few times does not pay for being made lanes."""
        return self._lanes.to_bytes() if self._lanes is not None else _encode(self._counts)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What `to_bytes` made. Raises ValueError when it is something else."""
        found = histogram_from(data)
        if not isinstance(found, LogHistogram):
            raise ValueError("not a histogram")
        return cls(found._counts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LogHistogram) and self._counts == other._counts

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"LogHistogram(n={self.n}, buckets={len(self._counts)})"


def _value_of(index: int) -> float:
    """The value within 1 % of everything in the bucket."""
    return 0.0 if index == _ZERO else 2 * _GAMMA**index / (_GAMMA + 1)


@cache
def _last_within(bound: float) -> int:
    """The last bucket whose value is at most `bound`; below all of them where there is none."""
    if bound < 0 or math.isnan(bound):
        return _ZERO - 1
    low, high = _ZERO, 35_000  # of what a float can hold
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _value_of(middle) <= bound else (low, middle - 1)
    return low


class ForeignHistogram:
    """Somebody else's histograms, by the bounds that they came with. Their bounds are kept and shown.

    A process that is deployed anew may bring other bounds: these stay apart, and a quantile is read off their sum.
    """

    __slots__ = ("_parts",)

    def __init__(self, parts: Mapping[tuple[float, ...], Sequence[float]] | None = None) -> None:
        self._parts: dict[tuple[float, ...], list[float]] = {key: list(counts) for key, counts in (parts or {}).items()}

    @classmethod
    def of(cls, samples: Iterable[Buckets]) -> Self:
        """The sum of growths."""
        histogram = cls()
        for sample in samples:
            histogram.add(sample)
        return histogram

    @property
    def n(self) -> float:
        """How many values it holds; a rate of a reset counter may make it fractional."""
        return total(count for counts in self._parts.values() for count in counts)

    @property
    def parts(self) -> tuple[Buckets, ...]:
        """One for each set of bounds."""
        return tuple(Buckets(bounds, tuple(counts)) for bounds, counts in self._parts.items())

    def add(self, sample: Buckets) -> None:
        """Add a growth; negative counts (a reset that nobody noticed) count as none."""
        counts = self._parts.setdefault(sample.bounds, [0.0] * len(sample.bounds))
        for index, count in enumerate(sample.counts):
            counts[index] += max(0.0, count)

    def merge(self, other: ForeignHistogram) -> ForeignHistogram:
        """Both together, as a new one."""
        merged = ForeignHistogram(self._parts)
        merged.take_in(other)
        return merged

    def take_in(self, other: ForeignHistogram) -> None:
        """Add another's counts to this one."""
        for bounds, counts in other._parts.items():
            own = self._parts.get(bounds)
            self._parts[bounds] = [*counts] if own is None else [*map(operator.add, own, counts)]

    def quantile_bounds(self, q: float) -> tuple[float, float] | None:
        """(low, high) between which the quantile lies, by the bounds as they came; None when empty."""
        n = self.n
        if n <= 0:
            return None
        rank = max(q * (n - 1), 0.0)
        if len(self._parts) == 1:
            ((bounds, counts),) = self._parts.items()
            return _bounds_in(bounds, counts, rank)
        low = 0.0
        for bound in self._bounds():
            if self.at_most(bound) > rank:
                return low, bound
            low = bound
        return low, math.inf

    def quantile(self, q: float) -> float | None:
        """Interpolated within its bounds; in the last, open bucket its lower bound: it is at least that."""
        found = self.quantile_bounds(q)
        if found is None:
            return None
        low, high = found
        if math.isinf(high):
            return low
        before, inside = self.at_most(low) if low > 0 else 0.0, self.at_most(high)
        rank = max(q * (self.n - 1), 0.0)
        return low + (high - low) * (rank - before) / (inside - before)

    def share_within(self, bound: float) -> float | None:
        """The share that is at most `bound`, interpolated where no bound of the exporter's lies there: its values are
        held to be spread evenly inside a bucket. What lies in the last, open bucket is beyond every bound."""
        n = self.n
        return min(1.0, self.at_most(bound) / n) if n > 0 else None

    def _bounds(self) -> list[float]:
        return sorted({bound for bounds in self._parts for bound in bounds})

    def at_most(self, value: float) -> float:
        """How many are at most `value`, each bucket's spread evenly between its bounds."""
        return total(_share_below(bounds, counts, value) for bounds, counts in self._parts.items())

    def to_bytes(self) -> bytes:
        """As a msgpack list of [bounds, counts]."""
        return _encode([[list(bounds), counts] for bounds, counts in self._parts.items()])

    to_bytes_quickly = to_bytes

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What `to_bytes` made. Raises ValueError when it is something else."""
        parts = decoded(data)
        if not isinstance(parts, list):
            raise ValueError("not a foreign histogram")
        return cls({tuple(bounds): counts for bounds, counts in parts})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ForeignHistogram) and self._parts == other._parts

    __hash__ = None  # type: ignore[assignment]  # it changes


def _bounds_in(bounds: tuple[float, ...], counts: Sequence[float], rank: float) -> tuple[float, float]:
    """The bounds of the bucket in which the cumulative count exceeds `rank`."""
    low, below = 0.0, 0.0
    for bound, count in zip(bounds, counts, strict=True):
        below += count
        if below > rank:
            return low, bound
        low = bound
    return low, math.inf


def _share_below(bounds: tuple[float, ...], counts: Sequence[float], value: float) -> float:
    index = bisect_left(bounds, value)
    whole = total(counts[:index])
    if index == len(bounds):
        return whole
    if bounds[index] == value:
        return whole + counts[index]
    low, high = (bounds[index - 1] if index else 0.0), bounds[index]
    inside = 0.0 if math.isinf(high) or high <= low else (value - low) / (high - low)
    return whole + counts[index] * max(0.0, inside)


Histogram = LogHistogram | ForeignHistogram


def histogram_from(data: bytes) -> Histogram:
    """Either kind, from its bytes. Raises ValueError when it is neither."""
    if data[:1] == LANES:
        return LogHistogram.of_lanes(lanes_from(data))
    value = decoded(data)
    if isinstance(value, dict):
        return LogHistogram.adopting(value)
    return ForeignHistogram({tuple(bounds): counts for bounds, counts in value})


def _encode(value: object) -> bytes:
    # Here and not above: msgspec takes 24 ms to import, and a recent moment is read without it.
    import msgspec.msgpack

    return msgspec.msgpack.encode(value)


@cache
def _decoder() -> Callable[[bytes], Any]:
    import msgspec.msgpack

    return msgspec.msgpack.Decoder(dict[int, int] | list[tuple[list[float], list[float]]]).decode


def decoded(data: bytes) -> Any:
    """The mapping of one of ours, or the list of a foreign one. Raises ValueError when it is neither."""
    try:
        return _decoder()(data)
    except ValueError as error:  # msgspec's are such
        raise ValueError(str(error)) from error
