"""Which theme a console begins with in a terminal of few colours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.commands.console import drawable, few_colours
from tests.commands.conftest import Site


@pytest.mark.parametrize(("term", "colorterm", "few"), [
    ("linux", "", True), ("screen", "", True), ("xterm", "", True), ("vt220", "", True), ("xterm-16color", "", True),
    ("xterm-256color", "", False), ("screen-256color", "", False), ("screen", "truecolor", False),
    ("xterm-direct", "", False), ("linux", "24bit", False), ("xterm-kitty", "", False),
])  # fmt: skip
def test_terminals_of_few_colours(term: str, colorterm: str, few: bool) -> None:
    assert few_colours({"TERM": term, "COLORTERM": colorterm}) is few


def test_they_begin_with_their_own_colours_unless_somebody_chose(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLORTERM", raising=False)
    monkeypatch.setenv("TERM", "linux")
    assert site.settings.display.theme == "auto" and drawable(site.settings).display.theme == "ansi"
    chosen = replace(site.settings, display=replace(site.settings.display, theme="dark"))
    assert drawable(chosen).display.theme == "dark"
    monkeypatch.setenv("TERM", "xterm-256color")
    assert drawable(site.settings).display.theme == "auto"
