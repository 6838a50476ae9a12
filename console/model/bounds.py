"""Which numbers can be kept, and sums that never fail. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from console.model.observation import Buckets, Observation, Sample
from console.model.states import State

LARGEST = 1e21
"""Above every counter of 64 bits (1.8e19) and every time in ns (1.8e18), and so far below what a float holds (1.8e308)
that no sum of samples, nor its square, comes near: what is greater is no figure but a defect of who tells it."""
BEYOND = f"a number beyond {LARGEST:g}, which is no value that can be kept"


def is_value(number: float) -> bool:
    """Whether a number can be kept: infinity, what is no number, and what is beyond `LARGEST` are no values."""
    return -LARGEST <= number <= LARGEST


def usable(sample: Sample) -> bool:
    """Whether a sample can be kept. The last bound of a histogram may be infinite."""
    if not isinstance(sample, Buckets):
        return is_value(sample)
    bounds, counts = sample.bounds, sample.counts
    if len(bounds) != len(counts) or not counts or not all(map(is_value, counts)):
        return False
    return all(map(is_value, bounds[:-1])) and (is_value(bounds[-1]) or bounds[-1] == math.inf)


def total(values: Iterable[float]) -> float:
    """The exact sum. Where that is beyond a float, infinity or what is no number, in place of an exception."""
    kept = values if isinstance(values, (list, tuple)) else [*values]
    try:
        return math.fsum(kept)
    except (OverflowError, ValueError):  # an intermediate sum beyond a float; infinities of both signs
        return sum(kept)


def bounded(observation: Observation) -> Observation:
    """Without the samples that cannot be kept. They are named: their absence has a reason."""
    refused = [metric for metric, sample in observation.samples.items() if not usable(sample)]
    if not refused:
        return observation
    words = f"{', '.join(refused)}: {BEYOND}"
    return replace(
        observation,
        state=State.DEGRADED if observation.state is State.HEALTHY else observation.state,
        words=f"{observation.words}; {words}" if observation.words else words,
        samples={metric: sample for metric, sample in observation.samples.items() if metric not in refused},
    )
