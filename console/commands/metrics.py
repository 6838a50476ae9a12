"""`radar metrics`: the service level targets over a window, with budget and burn rate, and what the charts show."""

from __future__ import annotations

import argparse

from console.cli import FAILED, SHORT, WELL
from console.commands import documents
from console.commands.output import Output, add_json, complain, document
from console.commands.parts import reading, settings_of
from console.model.charts import PAGES, WINDOWS_S, PageName
from console.model.metric_views import MetricsQuestion, MetricsView, Objective, ObjectiveCell, SloView
from console.model.ports import StoreReads, StoreUnreadable
from console.model.slo import lesser, nearest
from console.model.states import State
from console.model.times import iso
from console.model.words import budget_words, fitted, milliseconds, percent, window_words

WINDOWS = {window_words(length_s).replace(" min", "m").replace(" ", ""): length_s for length_s in WINDOWS_S}
"""Those of the screen: `15m`, `24h`."""
POINTS = 60
"""Of each chart: enough for the newest value and the peak."""
_TITLE = 34


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--window", choices=tuple(WINDOWS), default="1h", help="over how long (default 1h)")
    parser.add_argument(
        "--page", choices=PAGES, default="application", help="the page of charts to add (default application)"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: all targets are met; 1: one is missed, none is known, or nobody judges; 2: the store cannot be read."""
    settings = settings_of(arguments)
    window_s = WINDOWS[arguments.window]
    try:
        with reading(settings) as reads:
            view = reads.slo(arguments.at_ms, windows_s=(window_s,))
            charts = _charts(reads, arguments, window_s)
    except StoreUnreadable as error:
        complain(str(error))
        return FAILED
    if arguments.json:
        document(_document(view, charts, arguments.window))
    else:
        _print(Output(arguments, settings.display), view, charts, window_s, live=arguments.at_ms is None)
    return _status(view)


def _charts(reads: StoreReads, arguments: argparse.Namespace, window_s: int) -> MetricsView:
    page: PageName = arguments.page
    return reads.metrics(arguments.at_ms, MetricsQuestion(page=page, window_s=window_s, points=POINTS))


def _status(view: SloView) -> int:
    """A target that is unknown is not met and not missed; where all are, or nobody judges, nothing is known."""
    met = [_met(objective) for objective in view.objectives]
    return WELL if True in met and False not in met and _judged(view) else SHORT


def _met(objective: Objective) -> bool | None:
    """Whether the target was met over the window; None: unknown, or the figures are not those of its origin."""
    good = objective.cells[0].good_share
    if good is None or objective.absent is not None:
        return None
    return good >= objective.objective


def _state(objective: Objective) -> State:
    """The state of its budget; what was missed in the window that was asked for is not healthy."""
    missed = _met(objective) is False and objective.state is State.HEALTHY
    return State.DEGRADED if missed else objective.state


def _judged(view: SloView) -> bool:
    return view.header.collector.alive and view.header.state is not State.STALE


def _result(objective: Objective) -> tuple[State, str]:
    """How it was met in the window that was asked for."""
    if objective.state is State.NOT_CONFIGURED:
        return objective.state, objective.state.value
    met = {True: (State.HEALTHY, "met"), False: (State.DEGRADED, "missed"), None: (State.UNKNOWN, "unknown")}
    return met[_met(objective)]


# --- for programs -----------------------------------------------------------------------------------------------------


def _document(view: SloView, charts: MetricsView, window: str) -> documents.Document:
    return {
        "at": iso(view.header.at_ms),
        "environment": view.header.environment,
        "collecting": view.header.collector.alive,
        "window": window,
        "targets": [_target(objective) for objective in view.objectives],
        "figures": _lines(charts),
    }


def _target(objective: Objective) -> documents.Document:
    cell = objective.cells[0]
    return {
        "key": objective.key,
        "name": objective.name,
        "met": _met(objective),
        "value": cell.value,
        "at_least": cell.at_least,
        "unit": objective.unit,
        "target": objective.target,
        "objective": objective.objective,
        "good_share": cell.good_share,
        "counted": cell.counted,
        "counts": objective.counted,
        "observed_share": cell.observed_share,
        "origin": objective.origin.value,
        "state": _state(objective).value,
        "budget_left_share": objective.budget_left,
        "burn": [
            {
                "long": window_words(rate.long_s),
                "short": window_words(rate.short_s),
                "limit": rate.limit,
                "long_rate": rate.long,
                "short_rate": rate.short,
                "firing": rate.firing,
            }
            for rate in objective.burn
        ],
        "absent": objective.absent,
    }


def _lines(charts: MetricsView) -> list[documents.Document]:
    return [
        {
            "chart": chart.key,
            "title": chart.title,
            "line": line.label,
            "unit": chart.unit,
            "now": line.now,
            "peak": line.peak,
            "lowest": line.lowest,
            "target": chart.target,
            "origin": chart.origin.value,
            "trouble": chart.trouble,
        }
        for chart in charts.charts
        for line in chart.lines
    ]


# --- for people -------------------------------------------------------------------------------------------------------


def _print(output: Output, view: SloView, charts: MetricsView, window_s: int, *, live: bool) -> None:
    if not live:
        output.as_of(view.header.at_ms)
    if not _judged(view) and not live:
        complain("nobody collected then, so nothing of that moment is known")
    elif not _judged(view):
        who = "the collector is late" if view.header.collector.alive else "nobody collects"
        complain(f"{who}, so nothing is measured now: start `radar collect`")
    output.line(output.head(f"targets over {window_words(window_s)}"))
    output.table([_row(output, objective) for objective in view.objectives])
    for objective in view.objectives:
        if objective.absent:
            output.folded(f"  {objective.name}: ", objective.absent, "    ")
    output.line(output.head("budget of 30 days"))
    output.table([_budget(output, objective) for objective in view.objectives])
    lines = _lines(charts)
    word = "now" if live else "then"
    output.line(output.head(f"{charts.question.page} over {window_words(window_s)}; {word}: the last minute"))
    output.table([_chart(line, live=live) for line in lines] or [("nothing is measured yet",)])
    for title, words in _troubles(charts).items():
        output.folded(f"  {title}: ", words, "    ")


def _row(output: Output, objective: Objective) -> tuple[str, ...]:
    cell = objective.cells[0]
    sign = ">" if objective.key == "uptime" else "<"
    state, word = _result(objective)
    return (
        output.painted(f"{output.glyph(state)} {word}", state),
        objective.name,
        _value(objective, cell),
        f"{sign} {_figure(objective.target, objective.unit)}",
        f"{objective.origin.value}, {cell.counted:,.0f} {objective.counted}",
        f"{percent(cell.observed_share)} observed",
    )


def _value(objective: Objective, cell: ObjectiveCell) -> str:
    if cell.value is None:
        return "?"
    return ("≥ " if cell.at_least else "") + _figure(cell.value, objective.unit)


def _figure(value: float, unit: str) -> str:
    if unit == "share":
        # Hundredths count here: 99.96 % of uptime is no 100 %.
        return f"{int(value * 10_000 + 1e-6) / 100:g} %" if value > 0.9 else percent(value)
    return milliseconds(value) if unit == "ms" else f"{value:,.4g} {unit}".rstrip()


def _budget(output: Output, objective: Objective) -> tuple[str, ...]:
    left = objective.budget_left
    words = "left unknown" if left is None else f"{budget_words(left)} left"
    found = nearest(objective.burn)
    burn = "burn rate unknown"
    if found is not None:
        rate, windows = lesser(found) or 0.0, f"{window_words(found.long_s)} and {window_words(found.short_s)}"
        burn = f"burns at {rate:.1f} of {found.limit:g} over {windows}" + (": FIRES" if found.firing else "")
    return output.painted(output.glyph(_state(objective)), _state(objective)), objective.name, words, burn


def _troubles(charts: MetricsView) -> dict[str, str]:
    """What is amiss with the figures, by chart: one that is partial looks as good as another."""
    return {chart.title: chart.trouble for chart in charts.charts if chart.trouble is not None}


def _chart(line: documents.Document, *, live: bool) -> tuple[str, ...]:
    title = fitted(f"{line['title']} {line['line']}".strip(), _TITLE)
    extreme = "peak" if line["lowest"] is None else "lowest"
    now, most = (_figure_or_unknown(line[name], line["unit"]) for name in ("now", extreme))
    return title, f"{'now' if live else 'then'} {now}", f"{extreme} {most}", line["origin"]


def _figure_or_unknown(value: float | None, unit: str) -> str:
    return "?" if value is None else f"{value:,.4g} {unit}".rstrip()
