"""What a page of eight charts costs to draw, in processor time; and the Metrics screen left open, in a pseudo-terminal.

Drawn anew: all values differ from those before, so that nothing is kept. Redrawn: only the stretch that has not closed
differs, as every five seconds. The floor is plotext alone, drawing as many curves into as many cells.
Bytes and processor of the idle screen are those of a console on a scripted store whose newest values change every five
seconds (`tests.screens.program live`).
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import psutil

from console.model.metric_views import ChartView, LineView, MetricsQuestion, MetricsView
from console.model.observation import Origin
from tests.bench.process_time import processor_s
from tests.e2e.terminal import Terminal
from tests.screens.sample import NOW
from tests.screens.sample_metrics import metrics
from widgets.glyphs import UNICODE
from widgets.lines import Line, changed
from widgets.metric_lines import MetricsFrame, metrics_page, points_of
from widgets.raster import Run, braille, warm

WIDTH, HEIGHT = 160, 44
CHARTS, ROUNDS = 8, 20
IDLE_S, SETTLE_S = 30.0, 8.0
PROGRAM = [sys.executable, "-m", "tests.screens.program", "live"]


def page(shift: int) -> MetricsView:
    """Eight charts with three lines each, every value its own."""
    view = metrics(MetricsQuestion(page="application", window_s=3600, points=points_of(WIDTH, False)), NOW)

    chance = random.Random(shift)

    def line(label: str) -> LineView:
        values = tuple(chance.uniform(100, 197) for _ in range(view.points))
        return LineView(label=label, values=values, now=values[-1], peak=max(values))

    charts = tuple(
        ChartView(
            key=f"chart{at}",
            title=f"CHART {at}",
            unit="ms",
            origin=Origin.PROBE,
            lines=tuple(line(label) for label in ("p50", "p95x", "p99xx")),
            target=200.0,
            target_of="p95x",
            over_s=0.0,
        )
        for at in range(CHARTS)
    )
    return replace(view, charts=charts)


def newest(view: MetricsView, value: float) -> MetricsView:
    """The same page with other values in the stretch that has not closed."""

    def moved(line: LineView) -> LineView:
        return replace(line, values=(*line.values[:-1], value), now=value)

    charts = tuple(replace(chart, lines=tuple(map(moved, chart.lines))) for chart in view.charts)
    return replace(view, charts=charts)


def draw(view: MetricsView) -> Sequence[Line]:
    """The lines of the page."""
    frame = MetricsFrame(
        width=WIDTH, height=HEIGHT, now_ms=NOW, glyphs=UNICODE, asked=view.question, selected=view.charts[0].key
    )
    return metrics_page(view, frame).lines


def taken_ms(work: Callable[[int], object]) -> float:
    """Median processor time of one piece of work, in ms."""
    times = []
    for number in range(ROUNDS):
        before = time.process_time()
        work(number)
        times.append((time.process_time() - before) * 1000)
    return statistics.median(times)


def floor(number: int) -> None:
    """plotext alone: sixteen curves of sixty points, two for each chart as the page draws them."""
    for curve in range(2 * CHARTS):
        points = tuple((2.4 * at, float((at * (7919 + curve) + 13 * number) % 24)) for at in range(60))
        braille((Run(points),), 73, 6)


def repainted(before: Sequence[Line], after: Sequence[Line]) -> int:
    """Cells that a canvas would send."""
    pairs = zip(before, after, strict=True)
    return sum(end - begin for one, other in pairs for begin, end in changed(one, other))


def measure_drawing() -> None:
    """Processor time of the layout."""
    warm()
    views = [page(number + 1) for number in range(ROUNDS)]
    alone = taken_ms(floor)
    anew = taken_ms(lambda number: draw(views[number]))
    base = page(0)
    same = taken_ms(lambda number: draw(base))
    steps = [newest(base, 100.0 + number) for number in range(ROUNDS)]
    again = taken_ms(lambda number: draw(steps[number]))
    cells = repainted(draw(steps[0]), draw(steps[1]))
    diff = taken_ms(lambda number: repainted(draw(base), draw(steps[number]))) - same - again
    ratio = f"{anew / alone:.1f} x plotext alone; budget 100 ms"
    print(f"plotext alone, {2 * CHARTS} curves                   {alone:6.1f} ms")
    print(f"page of {CHARTS} charts, drawn anew               {anew:6.1f} ms  {ratio}")
    print(f"page of {CHARTS} charts, newest values changed    {again:6.1f} ms  {cells} cells sent")
    print(f"page of {CHARTS} charts, nothing changed          {same:6.1f} ms")
    print(f"finding what changed                       {max(0.0, diff):6.1f} ms")


def measure_idle() -> None:
    """The screen left open."""
    with (
        tempfile.TemporaryDirectory() as directory,
        Terminal([*PROGRAM, str(Path(directory))], columns=160, rows=48) as terminal,
    ):
        terminal.expect("LATELY", 30)
        terminal.watch(SETTLE_S)
        first_ms = _press(terminal, "2", "CURSOR")
        _press(terminal, "1", "LATELY")
        others = _visits(terminal, "9", "FIRING")
        charts = _visits(terminal, "2", "CURSOR")
        _press(terminal, "2", "CURSOR")
        terminal.watch(SETTLE_S)
        process = psutil.Process(terminal.pid)
        before = processor_s(process)
        sent = terminal.watch(IDLE_S) / IDLE_S
        share = (processor_s(process) - before) / IDLE_S
    print(f"key to Metrics, first visit                {first_ms:6.0f} ms  budget 200 ms")
    print(f"key to Metrics seen before, p95 of 20      {charts:6.0f} ms  budget 80 ms; to Alerts {others:.0f} ms")
    print(f"open and idle over {IDLE_S:.0f} s, rounds of 5 s    {share:7.2%} of a core  budget 1.5 %")
    print(f"open and idle, bytes at 160x48             {sent:6.0f} B/s  budget 3,000 B/s")


def _visits(terminal: Terminal, key: str, text: str) -> float:
    """The 95th percentile of twenty visits from Health, in ms; the first visit is not counted."""
    _press(terminal, key, text)
    times = []
    for _ in range(20):
        _press(terminal, "1", "LATELY")
        times.append(_press(terminal, key, text))
    _press(terminal, "1", "LATELY")
    return sorted(times)[18]


def _press(terminal: Terminal, key: str, text: str) -> float:
    """Ms from a key to a text on the screen."""
    terminal.press(key)
    taken_s = terminal.expect(text, 10)
    terminal.watch(0.2)
    return taken_s * 1000


if __name__ == "__main__":
    measure_drawing()
    measure_idle()
