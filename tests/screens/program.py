"""A console on a scripted store as a program, for tests and measurements in a pseudo-terminal.

    python -m tests.screens.program [live|hang|crash|bare] DIRECTORY

`live` changes figures every five seconds as a collector would; `hang` answers once, then never; `crash` fails with a
secret in a local variable; `bare` is the least Textual app that there can be, to compare the start with.
"""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from console.model.views import HealthView


def _bare() -> None:
    from textual.app import App, ComposeResult
    from textual.widgets import Static

    class Bare(App[None]):
        def compose(self) -> ComposeResult:
            yield Static("READY")

    Bare().run()


def _live(slices: int, events: int) -> HealthView:
    """The sample night, moved to now: ages and figures differ at each round of five seconds."""
    from tests.screens.scripted import NOW, health

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

    class Console(RadarApp):
        def action_ledger(self) -> None:
            password = "hunter2-must-not-be-seen"
            if case == "crash":
                raise RuntimeError(f"a defect with {len(password)} letters")

    actions = ScriptedActions()
    app = Console(
        settings(directory), Reads(make_health=_live), actions, actions, session_path=directory / "session.json"
    )
    app.run()
    sys.exit(app.return_code)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
