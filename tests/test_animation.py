"""The recording is well-formed, shows each screen for as long as it stood, and quotes what could be markup."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from tests.animation import GROUND, Cell, Frame, animated

SVG = "{http://www.w3.org/2000/svg}"


def frame(text: str, seconds: float, **look: object) -> Frame:
    return Frame((tuple(Cell(letter, **look) for letter in text),), seconds)  # type: ignore[arg-type]


def test_each_screen_is_seen_for_as_long_as_it_stood() -> None:
    drawn = animated([frame("one", 1.0), frame("two", 3.0)], "t")
    root = ElementTree.fromstring(drawn)
    assert [group.findtext(f"{SVG}text") for group in root.iter(f"{SVG}g")] == ["one", "two"]
    assert "animation-duration:4.0s" in drawn
    assert re.search(r"k0\{0\.00%\{visibility:visible\}25\.00%\{visibility:hidden\}", drawn)
    assert re.search(r"k1\{0%\{visibility:hidden\}25\.00%\{visibility:visible\}\}", drawn)


def test_where_nothing_moves_the_last_screen_is_seen() -> None:
    groups = list(ElementTree.fromstring(animated([frame("a", 1), frame("b", 1)], "t")).iter(f"{SVG}g"))
    assert [group.get("style") for group in groups] == [None, "visibility:visible"]


def test_markup_is_quoted_and_looks_are_kept() -> None:
    drawn = animated([frame("<&>", 1.0, ink="ff0000", ground="00ff00", bold=True)], "a <title>")
    (text,) = ElementTree.fromstring(drawn).iter(f"{SVG}text")
    assert (text.text, text.get("fill"), text.get("class")) == ("<&>", "#ff0000", "b")
    assert 'fill="#00ff00"' in drawn


def test_reversed_is_painted_so() -> None:
    (text,) = ElementTree.fromstring(animated([frame("x", 1.0, reverse=True)], "t")).iter(f"{SVG}text")
    assert text.get("fill") == GROUND
