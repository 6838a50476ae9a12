"""The README promises what this version can do, in words that work where `make` left the reader."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from console.cli import COMMANDS, parser

README = (Path(__file__).parents[2] / "README.md").read_text()


def section(title: str) -> str:
    (found,) = re.findall(rf"^## {title}\n(.*?)^## ", README, re.DOTALL | re.MULTILINE)
    return str(found)


@pytest.mark.parametrize(
    "key",
    ["1", "5", "9", ":", "@", "/", "?", "a", "o", "i", "p", "r", "y", "q", "C", "L", "j", "k", "gg", "G", ",", "."],
)
def test_every_key_is_named(key: str) -> None:
    assert f"`{key}`" in section("Keys")


def test_what_is_typed_beside_the_demo_is_on_the_path_that_make_leaves() -> None:
    assert "`.venv/bin/radar`" in section("Two commands")
    assert re.findall(r"`([^`]*radar demo fault [^`]*)`", section("Faults to try")) == [
        ".venv/bin/radar demo fault NAME on"
    ]


def test_what_is_said_to_work_has_its_command_and_what_is_planned_has_none() -> None:
    rows = dict(re.findall(r"^\| (\w+\d) \| .*? \| (.*) \|$", README, re.MULTILINE))
    assert "rollback" in rows["E1"] and "rollback" in COMMANDS
    assert "`radar deploy " in rows["G2"] and "deploy" in COMMANDS
    for operation, command in (("D3", "backup"), ("S5", "migrate"), ("M1", "tasks"), ("C1, C2", "checklist")):
        words = rows.get(operation) or re.findall(rf"^\| {operation} .*$", README, re.MULTILINE)[0]
        assert "planned" in words and command not in COMMANDS
    assert "acts on no system" not in README


def test_the_night_by_commands_is_made_of_commands_that_are_there() -> None:
    typed = re.findall(r"^radar (.+?)(?:  +#.*)?$", section("Commands"), re.MULTILINE)
    assert len(typed) >= 6
    for line in typed:
        words = shlex.split(line)
        assert vars(parser(words).parse_args(words))["command"] == words[0]
