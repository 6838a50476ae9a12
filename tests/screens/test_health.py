"""The Health screen in a console."""

from __future__ import annotations

from tests.screens.conftest import MakeApp
from tests.screens.driving import text_of, until_fed


async def test_health_shows_reason_components_and_targets_without_scrolling_at_80x24(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        shown = text_of(pilot)
    lines = shown.splitlines()
    assert "✗ UNHEALTHY" in lines[0] and "production=abcdref" in lines[0]
    assert lines[2].startswith(" WHY ✗ routes: /api/v1/audits 38 % 5xx")
    for word in ("bastion", "db query", "budget left", "LATELY"):
        assert word in shown
