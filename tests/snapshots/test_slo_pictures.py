"""Pictures of the SLO board in every state."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from console.model.configuration import Display
from console.model.metric_views import SloView
from tests.screens import sample_slo
from tests.screens.scripted import ScriptedReads
from tests.snapshots.conftest import Open
from tests.snapshots.story_alerts import NOW, M
from tests.snapshots.test_pictures import ALL, BOTH, MIDDLE, SMALL, Compare, after, shown

BOARD = ("2", "b")
STATES: dict[str, Callable[[], SloView]] = {
    "empty": sample_slo.empty,
    "unknown": sample_slo.little,
    "full": sample_slo.full,
    "burning": sample_slo.burning,
    "stale": sample_slo.stale,
}


@ALL
@pytest.mark.parametrize("state", STATES)
def test_slo(snap_compare: Compare, opened: Open, state: str, size: tuple[int, int]) -> None:
    app = opened(None, reads=ScriptedReads(make_slo=STATES[state]))
    keys = (*BOARD, "j", "j") if state == "burning" else BOARD
    assert shown(snap_compare, app, size, after(*keys, text="BUDGET LEFT"))


@ALL
def test_slo_in_the_past(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    app = opened(None, reads=ScriptedReads(make_slo=sample_slo.burning), at_ms=NOW - 5 * M)
    assert shown(snap_compare, app, size, after(*BOARD, text="BUDGET LEFT"))


@BOTH
def test_what_used_a_budget_up(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    app = opened(None, reads=ScriptedReads(make_slo=sample_slo.burning))
    keys = (*BOARD, "j", "j", "enter", "j")
    assert shown(snap_compare, app, size, after(*keys, text="Cause named then"))


@pytest.mark.parametrize("theme", ["light", "ansi", "colour-blind"])
def test_slo_in_themes(snap_compare: Compare, opened: Open, theme: str) -> None:
    display = Display(theme=theme)  # type: ignore[arg-type]
    app = opened(None, reads=ScriptedReads(make_slo=sample_slo.burning), display=display)
    assert shown(snap_compare, app, SMALL, after(*BOARD, "j", "j", text="BUDGET LEFT"))


def test_slo_in_ascii(snap_compare: Compare, opened: Open) -> None:
    app = opened(None, reads=ScriptedReads(make_slo=sample_slo.burning), display=Display(glyphs="ascii"))
    assert shown(snap_compare, app, MIDDLE, after(*BOARD, "j", "j", text="BUDGET LEFT"))
