"""Service level targets (B1) with error budgets and burn rates. Pure: counts in, figures out.

The formulas are those of Google's "The Site Reliability Workbook", chapter 5, "Alerting on SLOs":

- error budget: the share of what counts that may miss its target, 1 - objective, over 30 days;
- burn rate: the share that missed it by the share that may. At 1 the budget lasts exactly 30 days;
- an alert fires while the burn rates of a long and of a short window are both over a limit ("multiwindow,
  multi-burn-rate alerts", table 5-8): the long one proves that it matters, the short one that it still goes on. 14.4
  over an hour is 2 % of the budget, 6 over six hours 5 %, 1 over three days 10 %.

"p95 < 200 ms" is the same as "at least 95 % of the requests within 200 ms", so its objective is 0.95 of the requests.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from console.model.configuration import Severity, Thresholds
from console.model.histograms import ForeignHistogram, Histogram
from console.model.merging import merged_histogram
from console.model.metric_views import BurnRate, ObjectiveCell
from console.model.observation import Origin
from console.model.service_levels import ENOUGH_SHARE, budget_share
from console.model.states import State

HOUR_S, DAY_S = 3_600, 86_400
BUDGET_S = 30 * DAY_S
"""The window that an error budget is for."""
MINIMUM_COUNT = 20
"""Requests or probes below which a share is chance: one failed of ten is 10 %."""
LONG_COUNTS = 5
"""The long window of an alert wants so many times more: of 100 requests, at 14.4 times 1 %, 15 failures."""
WITHIN_SHARE = 0.95
"""What a p95 says: so much of what counts is within the bound."""
MEMORY_OBJECTIVE = 0.99
"""B1 gives no share for memory. A minute over 80 % harms nobody while garbage is let pile up; a leak stays over. 1 % of
30 days is seven hours: a leak that nobody sees to spends it in one night, piled up garbage does not."""

Key = Literal["p95", "errors", "uptime", "memory", "query"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One service level target: what must hold for which share of what counts."""

    key: Key
    name: str
    target: float
    unit: str
    objective: float
    counted: str
    origin: Origin
    component: str
    """The component whose incidents use up its budget."""
    is_floor: bool = False
    """The figure must be above its target, not below."""
    minimum: int = MINIMUM_COUNT
    """Of how many a share is more than chance."""


def targets(limits: Thresholds) -> tuple[Target, ...]:
    """The five of B1, as configured."""
    users, probe, sql = Origin.USERS, Origin.PROBE, Origin.SQL
    return (
        Target(key="p95", name="p95 response", target=limits.p95_ms, unit="ms", objective=WITHIN_SHARE,
               counted="requests", origin=users, component="users"),
        Target(key="errors", name="error rate", target=limits.error_share, unit="share",
               objective=1 - limits.error_share, counted="requests", origin=users, component="users"),
        Target(key="uptime", name="uptime", target=limits.uptime_share, unit="share", objective=limits.uptime_share,
               counted="rounds", origin=probe, component="application", is_floor=True),
        Target(key="memory", name="memory", target=limits.memory_share, unit="share", objective=MEMORY_OBJECTIVE,
               counted="minutes", origin=users, component="users", minimum=1),
        Target(key="query", name="database query", target=limits.query_ms, unit="ms", objective=WITHIN_SHARE,
               counted="queries", origin=sql, component="database"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What counted in a stretch of time, and what the figure is made of."""

    counted: float = 0.0
    good: float = 0.0
    """Those of them that met the target."""
    minutes: int = 0
    """Minutes in which anything was observed."""
    total: float = 0.0
    weight: float = 0.0
    """The figure is total by weight, where it is no quantile."""
    hist: Histogram | None = None
    """The figure is its p95."""
    unanswered: float = 0.0
    """Those of what counted that are in no histogram, since no answer came."""

    @property
    def bad(self) -> float:
        """Those that missed the target."""
        return max(0.0, self.counted - self.good)

    @property
    def good_share(self) -> float | None:
        """None when nothing counted."""
        return min(1.0, self.good / self.counted) if self.counted > 0 else None

    @property
    def value(self) -> float | None:
        """The figure in the target's unit."""
        if self.hist is not None:
            # What was not answered took longer than all that was; where it decides, no figure is known.
            rank = WITHIN_SHARE * (1 + self.unanswered / self.hist.n) if self.hist.n else 2.0
            return self.hist.quantile(rank) if rank <= 1 else None
        return self.total / self.weight if self.weight > 0 else None

    @property
    def at_least(self) -> bool:
        """Whether the figure is only known to be no less: it lies beyond a foreign histogram's last bound."""
        if not isinstance(self.hist, ForeignHistogram):
            return False
        found = self.hist.quantile_bounds(WITHIN_SHARE)
        return found is not None and math.isinf(found[1])


def summed(counts: Iterable[Count], *, figures: bool = True) -> Count:
    """All of them as one. Without `figures` histograms are left out, which takes a tenth of the time."""
    kept = list(counts)
    return Count(
        counted=math.fsum(each.counted for each in kept),
        good=math.fsum(each.good for each in kept),
        minutes=sum(each.minutes for each in kept),
        total=math.fsum(each.total for each in kept),
        weight=math.fsum(each.weight for each in kept),
        hist=merged_histogram([each.hist for each in kept if each.hist is not None]) if figures else None,
        unanswered=math.fsum(each.unanswered for each in kept),
    )


# --- figures over a window --------------------------------------------------------------------------------------------


def observed_share(count: Count, window_s: int) -> float:
    """The share of a window's minutes in which anything was observed."""
    return min(1.0, count.minutes / (window_s / 60))


def enough(count: Count, window_s: int, least: float = MINIMUM_COUNT) -> bool:
    """Whether a window says anything: half of it was observed, and no handful counted."""
    return observed_share(count, window_s) >= ENOUGH_SHARE and count.counted >= least


def cell(count: Count, window_s: int, least: float = MINIMUM_COUNT) -> ObjectiveCell:
    """One window; figures are unknown where it says nothing."""
    known = enough(count, window_s, least)
    return ObjectiveCell(
        window_s=window_s,
        value=count.value if known else None,
        good_share=count.good_share if known else None,
        observed_share=observed_share(count, window_s),
        at_least=known and count.at_least,
        counted=count.counted,
    )


def budget_left(count: Count, objective: float, least: float = MINIMUM_COUNT) -> float | None:
    """1 - bad share / (1 - objective): 1 untouched, 0 used up, below 0 overdrawn.

    None where less than half of the window was observed (the rule of Health's uptime), or the objective allows nothing.
    """
    share = count.good_share
    return budget_share(share, objective) if share is not None and enough(count, BUDGET_S, least) else None


# --- burn rates -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A rule of two windows: both burn rates over the limit."""

    rule: str
    severity: Severity
    long_s: int
    short_s: int
    limit: float

    @property
    def windows_s(self) -> tuple[int, int]:
        """Both, the long one first."""
        return self.long_s, self.short_s


PAIRS = (
    Pair(rule="burn-fast", severity="critical", long_s=HOUR_S, short_s=300, limit=14.4),
    Pair(rule="burn-slow", severity="high", long_s=6 * HOUR_S, short_s=1_800, limit=6.0),
    Pair(rule="burn-budget", severity="low", long_s=3 * DAY_S, short_s=6 * HOUR_S, limit=1.0),
)
BURN_WINDOWS_S = tuple(sorted({seconds for pair in PAIRS for seconds in (pair.long_s, pair.short_s)}))
ALERTED: tuple[Key, ...] = ("uptime", "errors")
"""The targets whose burning alerts: what users meet. The others are causes, and are on the board."""


def burn_rate(count: Count, objective: float, window_s: int, least: float = MINIMUM_COUNT) -> float | None:
    """Share of bad / (1 - objective); None where the window says nothing."""
    share, allowed = count.good_share, 1 - objective
    if share is None or allowed <= 0 or not enough(count, window_s, least):
        return None
    return max(0.0, (1 - share) / allowed)


def burn(pair: Pair, long: Count, short: Count, objective: float, least: float = MINIMUM_COUNT) -> BurnRate:
    """Both windows of a rule; the long one wants five times as many as the short one, which holds `least`."""
    long_rate = burn_rate(long, objective, pair.long_s, least * LONG_COUNTS)
    short_rate = burn_rate(short, objective, pair.short_s, least)
    firing = long_rate is not None and short_rate is not None and min(long_rate, short_rate) > pair.limit
    return BurnRate(
        long_s=pair.long_s, short_s=pair.short_s, limit=pair.limit, long=long_rate, short=short_rate, firing=firing
    )


def lesser(rate: BurnRate) -> float | None:
    """The one that must still rise for the rule to fire: the smaller of both; None when either is unknown."""
    return None if rate.long is None or rate.short is None else min(rate.long, rate.short)


def nearest(rates: Sequence[BurnRate]) -> BurnRate | None:
    """The pair that is nearest to its limit; None when all are unknown."""
    known = [rate for rate in rates if lesser(rate) is not None]
    return max(known, key=lambda rate: (lesser(rate) or 0.0) / rate.limit, default=None)


# --- the state of a target --------------------------------------------------------------------------------------------


ROUNDING = 1e-9
"""A budget that is spent to the last is not overdrawn."""
RECENT_S = (300, HOUR_S)
"""Whether a target is missed now: the first of these windows that says anything."""


def is_missed(recent: Sequence[ObjectiveCell], objective: float) -> bool:
    """Whether the first window that is known misses the objective. `recent`: the windows of `RECENT_S`."""
    known = [each.good_share for each in recent if each.good_share is not None]
    return bool(known) and known[0] < objective


def state_of(
    cells: Sequence[ObjectiveCell],
    left: float | None,
    rates: Sequence[BurnRate],
    objective: float,
    recent: Sequence[ObjectiveCell] = (),
) -> State:
    """UNHEALTHY when the budget is overdrawn (the target is missed over 30 days) or burns fast (a critical or high
    rule); DEGRADED when it is spent to the last, burns too fast for 30 days, the target is missed now, or - while the
    budget is unknown - the longest window that is known misses the objective; UNKNOWN when none is."""
    firing = [pair.severity for pair, rate in zip(PAIRS, rates, strict=False) if rate.firing]
    if any(severity != "low" for severity in firing) or (left is not None and left < -ROUNDING):
        return State.UNHEALTHY
    if firing or (left is not None and left <= 0) or is_missed(recent, objective):
        return State.DEGRADED
    if left is not None:
        return State.HEALTHY
    known = [each.good_share for each in cells if each.good_share is not None]
    if not known:
        return State.UNKNOWN
    return State.HEALTHY if known[-1] >= objective else State.DEGRADED
