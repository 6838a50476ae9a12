"""Which charts there are: their series, units, targets, and where each figure comes from. Pure, without values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from console.model.observation import Origin

PageName = Literal["application", "database", "infrastructure", "business", "custom"]
PAGES: tuple[PageName, ...] = ("application", "database", "infrastructure", "business", "custom")
WINDOWS_S = (300, 900, 3_600, 21_600, 86_400, 604_800, 2_592_000)
"""From five minutes to thirty days."""


class Statistic(StrEnum):
    """What a point of a line is of the samples in its stretch of time."""

    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    P50 = "p50"
    P95 = "p95"
    P99 = "p99"
    RATE = "rate"
    """Sum of growths by the seconds of the stretch."""
    RATIO = "ratio"
    """Sum of `keys` by sum of `per`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSpec:
    """One line of a chart."""

    label: str
    keys: tuple[str, ...]
    """Series `TARGET|METRIC`; several are merged into one figure, quantiles from their merged histograms."""
    statistic: Statistic
    per: tuple[str, ...] = ()
    scale: float = 1.0
    """From the series' unit to the chart's: 100 from a share to per cent."""
    complement: bool = False
    """1 - value, before scaling: failures of a series of successes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartSpec:
    """One chart."""

    key: str
    title: str
    unit: str
    """As shown: `ms`, `%`, `/s`, `MiB`, `` for plain numbers."""
    origin: Origin
    series: tuple[SeriesSpec, ...]
    target: float | None = None
    """A line to stay below (or above, with `target_is_floor`), in the chart's unit."""
    target_is_floor: bool = False
    target_of: str = ""
    """The label of the line that the target is meant for; empty: the first."""
    heat: bool = False
    """A distribution over time: of the first series' histogram."""
    absent: str = ""
    """What would fill it, where it is empty: in words, with the setting."""
    sources: tuple[str, ...] = ()
    """The targets that would give its lines, where it has none: what they say is why."""
