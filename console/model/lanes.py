"""Counts of consecutive buckets side by side in one large integer, so that adding two histograms is adding two numbers.

An hour of latencies takes some hundred buckets. As a mapping it takes 5 µs to read and 5 µs to add to another; as lanes
of 16 bits a tenth of both. A lane never overflows, since all that is in it together is below 65,536.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

LANE_BITS = 16
MOST = (1 << LANE_BITS) - 1
"""How many values lanes can hold together."""
LEAST_BUCKETS = 32
"""A minute of few values is shorter as a mapping."""
LONGEST = 3
"""So many lanes there may be for each that is not empty: three make lanes one and a half times as long as a mapping."""
MARK = 0xC1
LANES = bytes([MARK])
"""The first byte of lanes: msgpack, as which all other histograms are stored, never uses it."""
_HEADER = struct.Struct("<BiHHH")


class Lanes(NamedTuple):
    """Counts of `many` buckets from `first` on, the lowest in the lowest bits."""

    first: int
    many: int
    n: int
    """How many values, the zeros among them."""
    zeros: int
    """What is in the bucket of zeros, which lies far from all others."""
    whole: int

    def counts(self) -> tuple[int, ...]:
        """The count of each bucket, without the zeros."""
        return struct.unpack(f"<{self.many}H", self.whole.to_bytes(2 * self.many, "little"))

    def buckets(self, ranks: Iterable[int]) -> list[int | None]:
        """In which bucket each rank (from 0 on) lies; None: among the zeros."""
        cumulative = [*accumulate(self.counts(), initial=self.zeros)]
        found = (bisect_right(cumulative, rank) for rank in ranks)
        return [self.first + index - 1 if index else None for index in found]

    def to_bytes(self) -> bytes:
        """Header, then 2 bytes a bucket."""
        header = _HEADER.pack(MARK, self.first, self.many, self.n, self.zeros)
        return header + self.whole.to_bytes(2 * self.many, "little")


def lanes_from(data: bytes) -> Lanes:
    """What `Lanes.to_bytes` made. Raises ValueError when it is something else."""
    size = len(data) - _HEADER.size
    if size < 0:
        raise ValueError("lanes without a header")
    mark, first, many, n, zeros = _HEADER.unpack_from(data)
    if mark != MARK or size != 2 * many:
        raise ValueError("not lanes")
    return Lanes(first, many, n, zeros, int.from_bytes(data[_HEADER.size :], "little"))


def lanes_of(counts: Mapping[int, int], zero: int) -> Lanes | None:
    """The lanes of counts by bucket, that of zeros being `zero`; None where they would be too long or overflow."""
    if len(counts) < LEAST_BUCKETS:
        return None
    filled = [index for index in counts if index != zero]
    first, n = min(filled), sum(counts.values())
    many = max(filled) - first + 1
    if n > MOST or many > LONGEST * len(filled):
        return None
    lanes = [0] * many
    for index in filled:
        lanes[index - first] = counts[index]
    whole = int.from_bytes(struct.pack(f"<{many}H", *lanes), "little")
    return Lanes(first, many, n, counts.get(zero, 0), whole)


def added_from(stored: Sequence[bytes]) -> Lanes | None:
    """All of them as one, in a third of the time that each by itself takes; None where they are not all lanes, or do
    not fit into some together."""
    if not stored or not all([data[:1] == LANES and len(data) >= _HEADER.size for data in stored]):
        return None
    heads = [_HEADER.unpack_from(data) for data in stored]
    if any([len(data) != _HEADER.size + 2 * head[2] for head, data in zip(heads, stored, strict=True)]):
        return None
    first, n = min([head[1] for head in heads]), sum([head[3] for head in heads])
    if n > MOST:
        return None
    whole = 0
    for head, data in zip(heads, stored, strict=True):
        whole += int.from_bytes(data[_HEADER.size :], "little") << LANE_BITS * (head[1] - first)
    end = max([head[1] + head[2] for head in heads])
    return Lanes(first, end - first, n, sum([head[4] for head in heads]), whole)


def added(parts: Sequence[Lanes]) -> Lanes:
    """All of at least one as one; together they must not hold more than `MOST`."""
    first = min(part.first for part in parts)
    end = max(part.first + part.many for part in parts)
    n, zeros = sum(part.n for part in parts), sum(part.zeros for part in parts)
    whole = sum(part.whole << LANE_BITS * (part.first - first) for part in parts)
    return Lanes(first, end - first, n, zeros, whole)


def gathered(parts: Iterable[Lanes]) -> list[Lanes]:
    """All of them as few as can hold them."""
    found: list[Lanes] = []
    group: list[Lanes] = []
    n = 0
    for part in parts:
        if n + part.n > MOST:
            found.append(added(group))
            group, n = [], 0
        group.append(part)
        n += part.n
    return [*found, *([added(group)] if group else [])]
