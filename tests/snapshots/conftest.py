"""A console on a recorded store, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.app import RadarApp
from console.model.configuration import Display, Environment
from console.model.ports import ActionDesk, Inquiries, Notes, StoreReads
from tests.screens import scripted
from tests.screens.scripted import ScriptedActions
from tests.screens.scripted_desk import ScriptedNotes
from tests.snapshots.recorded import reader, record
from tests.snapshots.stories import STORIES
from tests.snapshots.story_alerts import NOW

Open = Callable[..., RadarApp]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """`opened(story, later_s=…, display=…, reads=…, **environment)`: a console on that story; None: on no store."""
    monkeypatch.delenv("NO_COLOR", raising=False)

    def make(
        story: str | None,
        *,
        later_s: int = 0,
        display: Display | None = None,
        reads: StoreReads | None = None,
        at_ms: int | None = None,
        faults: Any = None,
        desk: ActionDesk | None = None,
        notes: Notes | None = None,
        inquiries: Inquiries | None = None,
        **environment: Any,
    ) -> RadarApp:
        if story is not None:
            record(tmp_path, STORIES[story])
        settings = scripted.settings(tmp_path, display)
        changed: Environment = replace(settings.environment, **environment)
        settings = replace(settings, environment=changed)
        now = NOW + 1000 * later_s
        actions = ScriptedActions()
        return RadarApp(
            settings,
            reads or reader(tmp_path, settings.environment, now),
            actions,
            actions,
            notes or ScriptedNotes(),
            at_ms=at_ms,
            clock_ms=lambda: now,
            faults=faults,
            desk=desk,
            inquiries=inquiries,
            session_path=tmp_path / "session.json",
        )

    return make
