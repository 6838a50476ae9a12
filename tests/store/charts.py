"""A real store with the samples that a test of the charts needs, and its reads."""

from __future__ import annotations

from pathlib import Path

from console.model.charts import PageName
from console.model.configuration import Environment, Secret
from console.model.metric_views import ChartView, LineView, MetricsQuestion, MetricsView
from console.model.observation import Event, Observation, Sample
from console.store.names import HOUR_MS
from console.store.observe import ObservedStore
from console.store.read import StoreReader
from tests.store.samples import START_MS, ManualClock, holder, observed

BEGIN_MS = START_MS - START_MS % (24 * HOUR_MS) + 9 * HOUR_MS
"""A whole hour, so that the tests can name their stretches."""
CANARY = "postgres.canary"
SETTINGS = Environment(
    name="test",
    url="https://app.example.com",
    routes=("/", "/pricing"),
    metrics="/api/metrics",
    database=Secret("postgres://app.example.com/app"),
)


class Charts:
    """A store that is written and read, with a clock moved by hand."""

    def __init__(self, directory: Path, environment: Environment = SETTINGS, *, interval_s: float = 5.0) -> None:
        self.path = directory / "observed.db"
        self.clock = ManualClock(wall=BEGIN_MS)
        self._interval_s = interval_s
        self.store = ObservedStore.open(self.path, self.clock)
        lease = self.store.acquire(holder())
        assert lease is not None
        self.lease = lease
        self.reader = StoreReader(
            self.path, directory / "records.db", environment, None, self.clock.wall_ms, machine=self.clock
        )

    def poll(self, target: str = CANARY, /, *, after_s: float = 5.0, **samples: Sample) -> int:
        """A round of one poll, `after_s` after the one before; gives when it was."""
        return self.round(observed(target, samples=samples), after_s=after_s)

    def polls(self, count: int, target: str = CANARY, /, *, every_s: float = 5.0, **samples: Sample) -> None:
        """So many equal ones."""
        for _ in range(count):
            self.poll(target, after_s=every_s, **samples)

    def round(self, *observations: Observation, after_s: float = 5.0) -> int:
        """A round; gives when it was."""
        now_ms = self.clock.pass_ms(round(after_s * 1000))
        intervals = {each.target: self._interval_s for each in observations}
        self.store.write_round(self.lease, now_ms, observations, None, intervals)
        return now_ms

    def event(self, event: Event) -> None:
        """A round that tells of an event."""
        self.round(observed("host", samples={}, events=(event,)), after_s=0.001)

    def pack(self) -> None:
        """Close everything that is complete."""
        while self.store.maintain(self.lease, self.clock.wall).packed_slots:
            pass

    def view(
        self,
        page: PageName = "database",
        window_s: int = 300,
        points: int = 60,
        at_ms: int | None = None,
        until_ms: int | None = None,
        compare_ms: int = 0,
    ) -> MetricsView:
        """A page at a moment."""
        question = MetricsQuestion(
            page=page, window_s=window_s, points=points, until_ms=until_ms, compare_ms=compare_ms
        )
        return self.reader.metrics(at_ms, question)


def chart(view: MetricsView, key: str) -> ChartView:
    """One chart of a page."""
    return next(each for each in view.charts if each.key == key)


def line(view: MetricsView, key: str, label: str) -> LineView:
    """One line of a chart."""
    return next(each for each in chart(view, key).lines if each.label == label)


def values_at(view: MetricsView, found: LineView) -> dict[int, float]:
    """The line's values by the begin of their stretch, in seconds after the store's first hour began."""
    return {
        (view.start_ms + index * view.step_ms - BEGIN_MS) // 1000: value
        for index, value in enumerate(found.values)
        if value is not None
    }
