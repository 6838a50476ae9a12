"""The README promises what this version can do, in words that work where `make` left the reader."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text()


def section(title: str) -> str:
    (found,) = re.findall(rf"^## {title}\n(.*?)^## ", README, re.DOTALL | re.MULTILINE)
    return str(found)


@pytest.mark.parametrize(
    "key", ["1", "9", ":", "@", "/", "?", "a", "o", "p", "r", "y", "q", "C", "L", "j", "k", "gg", "G", ",", "."]
)
def test_every_key_is_named(key: str) -> None:
    assert f"`{key}`" in section("Keys")


def test_what_is_typed_beside_the_demo_is_on_the_path_that_make_leaves() -> None:
    assert "`.venv/bin/radar`" in section("Two commands")
    assert re.findall(r"`([^`]*radar demo fault [^`]*)`", section("Faults to try")) == [
        ".venv/bin/radar demo fault NAME on"
    ]


def test_a_roll_back_is_not_promised() -> None:
    (row,) = re.findall(r"^\| E1 .*$", README, re.MULTILINE)
    assert "planned" in row and "works" not in row
    assert "acts on no system" in README
