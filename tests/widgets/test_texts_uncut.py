"""Names and legends that stand beside empty columns are not cut."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.model.configuration import Contact
from screens.help import help_lines
from screens.palette import fault_commands
from tests.screens.scripted import settings
from widgets.glyphs import ASCII, UNICODE, Glyphs
from widgets.ledger_lines import contact_rows
from widgets.lines import plain, width_of


def contacts(tmp_path: Path, name: str, width: int) -> str:
    people = {"database": (Contact(name=name, phone="+49 30 1234567", email="dba@example.com"),)}
    environment = replace(settings(tmp_path).environment, contacts=people)
    return plain([line for line, _ in contact_rows(environment, [], width, UNICODE, None)])


def test_a_contacts_name_takes_the_room_that_its_ways_leave(tmp_path: Path) -> None:
    name = "Database on call, second line"
    assert name in contacts(tmp_path, name, 80)
    long = contacts(tmp_path, name * 3, 80)
    assert "…" in long and "dba@example.com" in long, "how to reach them is worth more than the name"


@pytest.mark.parametrize("width", [60, 80, 160])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_the_legend_is_whole(width: int, glyphs: Glyphs) -> None:
    lines = help_lines([], width, glyphs)
    shown = plain(lines)
    for words in ("not configured", "? not observed", "users: what users feel", "none: nobody measures it"):
        assert words in shown
    assert {width_of(line) for line in lines} == {width}


def test_a_fault_is_offered_the_one_way_that_changes_something() -> None:
    commands = fault_commands([("a", "does a", False), ("b", "does b", True)])
    assert [command.name for command in commands] == ["fault b off", "fault a on"]
    assert commands[0].words == "is on: does b"
