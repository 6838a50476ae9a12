"""A console on a scripted store as a program, for tests and measurements in a pseudo-terminal.

    python -m tests.screens.program [live|hang|crash|hostile|bare|acting] DIRECTORY

`live` changes figures every five seconds as a collector would; `hang` answers once, then never, and so do its
actions; `crash` fails with a secret in a local variable when `o` is pressed; `hostile` shows the texts of the corpus
of escapes, uncleaned; `acting` suggests a rollback and has a scripted desk that writes what it is told into
`DIRECTORY/desk.txt`; `bare` is the least Textual app that there can be, to compare the start with.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from console.model.metric_views import Mark, MetricsQuestion, MetricsView
from console.model.ports import ActionDesk
from console.model.views import HealthView

CORPUS = Path(__file__).parents[1] / "fixtures" / "terminal_escape_corpus.json"


def _bare() -> None:
    from textual.app import App, ComposeResult
    from textual.widgets import Static

    class Bare(App[None]):
        def compose(self) -> ComposeResult:
            yield Static("READY")

    Bare().run()


def _live(slices: int, events: int) -> HealthView:
    """The sample night, moved to now: ages and figures differ at each round of five seconds."""
    from tests.screens.sample import NOW, health

    view = health(slices, events)
    now = int(time.time() * 1000)
    step = now // 5000
    rows = tuple(
        replace(
            row,
            seen_ms=None if row.seen_ms is None else now - now % 5000,
            since_ms=None if row.since_ms is None else row.since_ms - NOW + now,
            figure=f"p95 {1800 + step % 90:,} ms" if row.key == "routes" else row.figure,
        )
        for row in view.components
    )
    targets = tuple(replace(row, value=row.value and row.value * (1 + step % 7 / 100)) for row in view.targets)
    return replace(view, header=replace(view.header, at_ms=now), components=rows, targets=targets)


def _suggesting(slices: int, events: int) -> HealthView:
    """The sample night with what undoes the cause of its first reason."""
    view = _live(slices, events)
    assert view.verdict is not None
    return replace(view, verdict=replace(view.verdict, suggested=("rollback", {})))


def _desk(directory: Path) -> ActionDesk:
    """A desk whose plan takes a second, and that writes down what it is told."""
    from tests.screens.scripted_desk import ScriptedDesk, ScriptedTicket

    class Desk(ScriptedDesk):
        def _ticket(self, *what: object) -> ScriptedTicket:
            time.sleep(1)  # no test's synchronisation: a plan takes its time, and somebody types meanwhile
            return super()._ticket(*what)

    class Told(list[tuple[object, ...]]):
        def append(self, what: tuple[object, ...]) -> None:
            super().append(what)
            with (directory / "desk.txt").open("a") as file:
                file.write(f"{what[0]}\n")

    return Desk(done=Told())


def _hostile(slices: int, events: int) -> HealthView:
    """Every text of the page is one of the corpus."""
    from tests.screens.sample import health

    texts = [case["input"] for case in json.loads(CORPUS.read_text("utf-8"))["cases"]]
    view = health(slices, 40)
    rows = tuple(
        replace(row, figure=text, name=text, error=text) for row, text in zip(view.components, texts, strict=False)
    )
    lately = tuple(replace(view.lately[0], text=text) for text in texts)
    assert view.verdict is not None
    reasons = tuple(replace(view.verdict.reasons[0], text=text, cause=text) for text in texts[:3])
    verdict = replace(view.verdict, reasons=reasons, next_steps=tuple(texts[3:5]), whose_words=texts[5])
    header = replace(view.header, identity=texts[6], identity_mismatch=texts[7])
    return replace(view, header=header, components=rows, lately=lately, verdict=verdict)


def _hostile_metrics(view: MetricsView) -> MetricsView:
    """Every text of the charts is one of the corpus."""
    texts = cycle(case["input"] for case in json.loads(CORPUS.read_text("utf-8"))["cases"])
    charts = tuple(
        replace(
            chart,
            title=next(texts),
            unit=next(texts),
            absent=next(texts) if chart.absent else None,
            lines=tuple(replace(line, label=next(texts)) for line in chart.lines),
        )
        for chart in view.charts
    )
    marks = tuple(Mark(at_ms=view.start_ms + 1000 * at, kind="change", subject="", text=next(texts)) for at in range(9))
    return replace(view, charts=charts, marks=marks)


def main(case: str, directory: Path) -> None:
    """Run one case."""
    if case == "bare":
        _bare()
        return
    from console.app import RadarApp
    from tests.screens.scripted import ScriptedActions, ScriptedReads, settings

    class Reads(ScriptedReads):
        def version(self) -> int:
            return int(time.time() // 5)

        def health(self, at_ms: int | None, *, strip_slices: int = 15, events: int = 8) -> HealthView:
            answer = super().health(at_ms, strip_slices=strip_slices, events=events)
            if case == "hang":
                self.hang = threading.Event()
            return answer

        def metrics(self, at_ms: int | None, question: MetricsQuestion) -> MetricsView:
            answer = super().metrics(int(time.time() * 1000) if at_ms is None else at_ms, question)
            return _hostile_metrics(answer) if case == "hostile" else answer

    class Hanging(ScriptedActions):
        def poll_now(self) -> None:
            threading.Event().wait()

    class Console(RadarApp):
        async def action_ledger(self) -> None:
            password = "hunter2-must-not-be-seen"
            if case == "crash":
                raise RuntimeError(f"a defect with {len(password)} letters")

    from tests.screens.scripted_desk import ScriptedNotes

    actions = Hanging() if case == "hang" else ScriptedActions()
    made = {"hostile": _hostile, "acting": _suggesting}.get(case, _live)
    desk = _desk(directory) if case == "acting" else None
    session = directory / "session.json"
    reads, notes = Reads(make_health=made), ScriptedNotes()
    app = Console(settings(directory), reads, actions, actions, notes, session_path=session, desk=desk)
    app.run()
    sys.exit(app.return_code)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
