"""Ten minutes of one series as one row: packed from `recent`, read back as samples."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence

from console.model.observation import Buckets, Sample
from console.store.timeline import era_of, position_of, wall_of

Timed = tuple[int, Sample]
"""(position, sample)."""

_PLAIN, _FOREIGN = b"F", b"B"


def floor(position: int, size_ms: int) -> int:
    """The start of the bucket of `size_ms` that a position lies in, within its era."""
    wall_ms = wall_of(position)
    return position_of(era_of(position), wall_ms - wall_ms % size_ms)


def encode(start: int, samples: Sequence[Timed]) -> bytes:
    """Offsets from the start in ms (4 bytes each), then values (8 bytes each), compressed; foreign ones as JSON."""
    offsets = [at - start for at, _ in samples]
    plain = [value for _, value in samples if not isinstance(value, Buckets)]
    if len(plain) == len(samples):
        data = _PLAIN + struct.pack(f"<{len(offsets)}I", *offsets) + struct.pack(f"<{len(plain)}d", *plain)
    else:
        rows = [
            [offset, [value.bounds, value.counts] if isinstance(value, Buckets) else value]
            for offset, (_, value) in zip(offsets, samples, strict=True)
        ]
        data = _FOREIGN + json.dumps(rows, separators=(",", ":")).encode("ascii")
    return zlib.compress(data, 6)


def decode(start: int, data: bytes) -> list[Timed]:
    """The samples of a block, oldest first. Raises ValueError when it is damaged."""
    try:
        raw = zlib.decompress(data)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if raw[:1] == _FOREIGN:
        return [(start + offset, _sample(value)) for offset, value in json.loads(raw[1:])]
    n = (len(raw) - 1) // 12
    offsets = struct.unpack_from(f"<{n}I", raw, 1)
    values = struct.unpack_from(f"<{n}d", raw, 1 + 4 * n)
    return [(start + offset, value) for offset, value in zip(offsets, values, strict=True)]


def _sample(value: float | list[list[float]]) -> Sample:
    return Buckets(tuple(value[0]), tuple(value[1])) if isinstance(value, list) else float(value)
