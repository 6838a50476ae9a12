"""A page of charts at a moment: what the catalogue names, read on one grid, with what happened and what is amiss."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from console.model.catalogue import charts_of
from console.model.charts import ChartSpec, SeriesSpec
from console.model.configuration import Environment
from console.model.grid import Grid, grid, provisional
from console.model.metric_views import ChartView, MetricsQuestion, MetricsView
from console.model.observation import BUSINESS_VALUES, Outcome
from console.model.views import Header
from console.model.words import listed
from console.store.amiss import amiss
from console.store.beside import Beside
from console.store.closed_cells import ClosedCells
from console.store.earlier import NOT_ASKED, Earlier
from console.store.marks import marks
from console.store.moment import Moment
from console.store.names import VERDICT
from console.store.newest import Newest
from console.store.read_lines import QUANTILES, Lines, line_of_target, over_s
from console.store.read_series import SeriesReader, records_from_ms

METRICS = "metrics"
NOTHING = "nothing was recorded in this window"


def empty(environment: Environment, question: MetricsQuestion, at_ms: int, header: Header) -> MetricsView:
    """The page over a store that does not exist yet: every chart says what would fill it."""
    place = grid(question.window_s, question.points, at_ms, question.until_ms)
    nothing = Lines({}, place)
    charts = tuple(_chart(spec, nothing, None, place, None) for spec in _asked(environment, question, ()))
    return _view(header, question, place, at_ms, charts)


def page(
    moment: Moment, environment: Environment, question: MetricsQuestion, header: Header, closed: ClosedCells
) -> MetricsView:
    """The page as it was known at the moment. `closed`: what earlier reads of the same file kept."""
    reader = SeriesReader(moment, closed)
    specs = _asked(environment, question, reader.numbers, _business_values(moment))
    keys = {key for spec in specs for line in spec.series for key in (*line.keys, *line.per)}
    distributions = {key for spec in specs for line in spec.series for key in line.keys if line.statistic in QUANTILES}
    place = _grid(reader, moment, question, keys)
    merged = _merged(specs)
    lines = Lines(reader.read(keys, distributions, place, merged), place)
    earlier = Earlier(moment, reader, place, question.compare_ms, specs, merged) if question.compare_ms else None
    end_ms = min(place.end_ms, moment.at_ms + 1, *([question.until_ms] if question.until_ms is not None else []))
    newest = Newest(moment, reader, end_ms, keys, distributions)
    beside = None
    if not lines.is_fine:
        drawn = [line for spec in specs for line in spec.series]
        beside = Beside(moment, reader, closed, place, end_ms, keys, distributions, drawn)
    charts = tuple(_told(_chart(spec, lines, earlier, place, moment), spec, moment, newest, beside) for spec in specs)
    return _view(header, question, place, moment.at_ms, charts, moment)


def _merged(specs: Collection[ChartSpec]) -> frozenset[str]:
    """The series whose histograms are needed beside their quantiles: several in one line, and distributions."""
    lines = [line for spec in specs for line in spec.series if line.statistic in QUANTILES and len(line.keys) > 1]
    heat = [spec.series[0] for spec in specs if spec.heat and spec.series]
    return frozenset(key for line in (*lines, *heat) for key in line.keys)


def _business_values(moment: Moment) -> frozenset[str]:
    """The series of business figures that are values, as the metrics told when they last answered."""
    span = moment.answered(METRICS)
    names = span.body["facts"].get(BUSINESS_VALUES, []) if span is not None else []
    return frozenset(f"{METRICS}|{name}" for name in names)


def _asked(
    environment: Environment, question: MetricsQuestion, available: Collection[str], values: Collection[str] = ()
) -> list[ChartSpec]:
    specs = charts_of(environment, question.page, available, values)
    return [spec for spec in specs if question.only is None or spec.key == question.only]


def _grid(reader: SeriesReader, moment: Moment, question: MetricsQuestion, keys: Collection[str]) -> Grid:
    """The finest grid for which the samples are still kept."""
    place = grid(question.window_s, question.points, moment.at_ms, question.until_ms)
    least_ms = reader.least_step_ms(keys, place.start_ms, min(place.end_ms, moment.at_ms), place.step_ms)
    if least_ms <= place.step_ms:
        return place
    return grid(question.window_s, question.points, moment.at_ms, question.until_ms, least_ms)


def _view(
    header: Header,
    question: MetricsQuestion,
    place: Grid,
    at_ms: int,
    charts: tuple[ChartView, ...],
    moment: Moment | None = None,
) -> MetricsView:
    return MetricsView(
        header=header,
        question=question,
        start_ms=place.start_ms,
        step_ms=place.step_ms,
        points=place.points,
        provisional=provisional(place, at_ms),
        charts=charts,
        marks=marks(moment, place) if moment is not None else (),
        records_from_ms=records_from_ms(moment) if moment is not None else None,
    )


def _chart(spec: ChartSpec, read: Lines, earlier: Earlier | None, place: Grid, moment: Moment | None) -> ChartView:
    lines = tuple(read.line(one, is_floor=spec.target_is_floor) for one in spec.series)
    before = earlier.of(spec) if earlier is not None else NOT_ASKED
    known = any(value is not None for line in (*lines, *before.lines) for value in line.values)
    return ChartView(
        key=spec.key,
        title=spec.title,
        unit=spec.unit,
        origin=spec.origin,
        lines=lines,
        compared=before.lines,
        compared_step_ms=before.step_ms,
        compared_absent=before.absent,
        target=spec.target,
        target_is_floor=spec.target_is_floor,
        target_of=spec.target_of,
        over_s=over_s(spec, lines, place, moment.at_ms) if moment is not None and read.is_fine else None,
        heat=read.heat(spec.series[0]) if spec.heat and spec.series else None,
        absent=None if known else spec.absent or NOTHING,
        trouble=_trouble(moment, spec) if moment is not None else None,
    )


def _told(chart: ChartView, spec: ChartSpec, moment: Moment, newest: Newest, beside: Beside | None) -> ChartView:
    """With what is said beside its lines: by minutes where its stretches are longer, and nothing of now that is not."""
    is_told = spec.target_is_floor  # which has a lowest value and no peak
    lines = [
        replace(
            line,
            now=newest.now(one) if _is_now(moment, one) else None,
            peak=line.peak if is_told or beside is None or line.peak is not None else beside.peak(spec, one),
        )
        for line, one in zip(chart.lines, spec.series, strict=True)
    ]
    named = line_of_target(spec)
    over = chart.over_s if beside is None or named is None else beside.over_s(spec, named)
    return replace(chart, lines=tuple(lines), over_s=over)


def _is_now(moment: Moment, line: SeriesSpec) -> bool:
    """Whether all sources of a line tell what is now. A poll that failed tells of itself in the series `ok`."""
    for key in (*line.keys, *line.per):
        target, _, metric = key.rpartition("|")
        span = moment.span(target)
        if span is None:
            if moment.span(VERDICT) is not None and not moment.judged:
                return False
        elif moment.late(span) or (span.outcome != Outcome.ANSWERED and metric != "ok"):
            return False
    return True


def _trouble(moment: Moment, spec: ChartSpec) -> str | None:
    """What is amiss with the sources of a chart, in words; None when all give values."""
    drawn = (key.rpartition("|")[0] for line in spec.series for key in (*line.keys, *line.per))
    targets = dict.fromkeys((*drawn, *spec.sources))
    troubles: dict[str, list[str]] = {}
    for target in targets:
        words = amiss(moment, target)
        if words is not None:
            troubles.setdefault(words, []).append(target)
    if [len(named) for named in troubles.values()] == [len(targets)]:
        return next(iter(troubles))
    return "; ".join(f"{listed(named)}: {words}" for words, named in troubles.items()) or None
