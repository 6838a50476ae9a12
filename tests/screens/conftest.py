"""A console on a scripted store, and waiting for what it shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from console.app import RadarApp
from console.model.configuration import Display
from console.model.ports import Notes
from tests.screens.sample import NOW
from tests.screens.scripted import ScriptedActions, ScriptedReads, settings
from tests.screens.scripted_desk import ScriptedNotes

MakeApp = Callable[..., RadarApp]


@pytest.fixture
def make_app(tmp_path: Path) -> MakeApp:
    """`make_app(reads=…, actions=…, display=…, …)`: an app that keeps its session in the test's own directory."""

    def make(
        reads: ScriptedReads | None = None,
        actions: ScriptedActions | None = None,
        display: Display | None = None,
        clock_ms: Callable[[], int] = lambda: NOW,
        notes: Notes | None = None,
        **more: object,
    ) -> RadarApp:
        done = actions or ScriptedActions()
        return RadarApp(
            settings(tmp_path, display),
            reads or ScriptedReads(),
            done,
            done,
            notes or ScriptedNotes(),
            clock_ms=clock_ms,
            session_path=tmp_path / "session.json",
            **more,  # type: ignore[arg-type]
        )

    return make
