"""What the Metrics screen, the SLO board and `radar metrics` are given: plain values, made by the store."""

from __future__ import annotations

from dataclasses import dataclass

from console.model.charts import PageName
from console.model.observation import Origin
from console.model.states import State
from console.model.views import Header

DEPLOYMENT = "deployment:"
"""Before a deployment's id in `Mark.reference`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsQuestion:
    """What a page of charts asks. Equal questions have equal answers at equal moments."""

    page: PageName
    window_s: int
    until_ms: int | None = None
    """Where the window ends when panned; None: at the moment of the read. Never later than that moment."""
    points: int
    """How many points a chart has room for: two for each of its columns. The answer has at most so many."""
    compare_ms: int = 0
    """How long before to compare with: 0 not at all, a day, a week."""
    only: str | None = None
    """The key of the one chart that is shown whole; None: all of the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """One line: `values[i]` belongs to the stretch that begins at `start_ms + i * step_ms`. None is a gap."""

    label: str
    values: tuple[float | None, ...]
    lower_bounds: frozenset[int] = frozenset()
    """Where more is not known than that the value is at least so much."""
    now: float | None = None
    """The line's statistic over the last minute before the window's end, in every window; of a source that is polled
    more seldom, over its last two polls."""
    peak: float | None = None
    """The greatest value in the window."""
    lowest: float | None = None
    """The least value in the window, of charts whose target is a floor; they have no peak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """How many values lay between which bounds, over time. `counts[i][j]`: stretch i, between bounds j and j+1."""

    bounds: tuple[float, ...]
    """Ascending, one more than the counts of a stretch; the last may be infinite."""
    counts: tuple[tuple[float, ...] | None, ...]
    foreign: bool = False
    """The bounds are the exporter's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartView:
    """One chart with its values."""

    key: str
    title: str
    unit: str
    origin: Origin
    lines: tuple[LineView, ...]
    compared: tuple[LineView, ...] = ()
    """The same lines so much earlier, on the same grid."""
    compared_step_ms: int = 0
    """How long the stretches are of which the values of `compared` are: each is held as long as its own lasts. Longer
    than those of the lines where no more is kept of then."""
    compared_absent: str | None = None
    """In words why nothing is known of then; None: something is, or it was not asked for."""
    target: float | None = None
    target_is_floor: bool = False
    target_of: str = ""
    """The label of the line that the target is meant for; empty: the first."""
    over_s: float | None = None
    """Seconds of the window in which the line of the target was beyond it; None without a target."""
    heat: Heat | None = None
    absent: str | None = None
    """In words why there is nothing to show and what would fill it; None: there is something."""
    trouble: str | None = None
    """In words why its source gives nothing now (failed, late, forbidden), with since when; the last values stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened, on the axis of time."""

    at_ms: int
    kind: str
    """`deployment`, `rollback`, `migration`, `alert`, `fault`, `maintenance`, `vendor`, `restart`, `change`."""
    subject: str
    text: str
    state: State | None = None
    until_ms: int | None = None
    """When it ended, of alerts and maintenance."""
    reference: str = ""
    """What leads to it: the alert's id, the component's key, `DEPLOYMENT` with the deployment's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsView:
    """A page of charts on one grid of time."""

    header: Header
    question: MetricsQuestion
    start_ms: int
    step_ms: int
    points: int
    provisional: int
    """The first stretch that had not closed at the moment of the read; `points` when all had."""
    charts: tuple[ChartView, ...]
    marks: tuple[Mark, ...]
    """Oldest first, within the window."""
    records_from_ms: int | None = None
    """The oldest moment of which anything is kept, as known at the moment of the read; None: of none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveCell:
    """How a target stood over one window."""

    window_s: int
    value: float | None
    """The figure itself, in the target's unit; None: unknown."""
    good_share: float | None
    """The share of what counts (requests, probes, minutes) that met the target; None: unknown."""
    observed_share: float
    """The share of the window that was observed."""
    at_least: bool = False
    counted: float = 0.0
    """How many of what counts were observed in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnRate:
    """How fast the budget goes over a long and a short window, as a multiple of what would just use it up."""

    long_s: int
    short_s: int
    limit: float
    long: float | None
    short: float | None
    firing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """An incident that used up error budget."""

    began_ms: int
    ended_ms: int | None
    subject: str
    text: str
    budget_share: float
    """The share of the window's whole budget that it took."""
    component: str = ""
    """The key of the component to look at."""
    cause: str | None = None
    """What the verdict of then named as its cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A service level target with its budget."""

    key: str
    """`p95`, `errors`, `uptime`, `memory`, `query`."""
    name: str
    target: float
    unit: str
    objective: float
    """The share of what counts that must meet the target."""
    counted: str
    """What counts: `requests`, `probes`, `minutes`, in words."""
    origin: Origin
    cells: tuple[ObjectiveCell, ...]
    """5 min, 1 h, 24 h, 30 d."""
    budget_left: float | None
    """Share of the 30 days' budget that is left; negative when overdrawn; None: unknown."""
    burn: tuple[BurnRate, ...]
    consumers: tuple[Consumer, ...]
    """The greatest first."""
    state: State
    absent: str | None = None
    """Why it is unknown and what would make it known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SloView:
    """The SLO board."""

    header: Header
    objectives: tuple[Objective, ...]
