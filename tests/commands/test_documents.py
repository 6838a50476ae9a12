"""Every key of the JSON documents of actions, the ledger and the time line is documented."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.model.actions import Holding, Plan, RunOutcome
from tests.commands.conftest import Collector, Radar, Site
from tests.commands.recorded import Shift, past

TEXT = (Path(__file__).parents[2] / "docs/commands.md").read_text()


def documented(name: str) -> str:
    """The part of a command: from its name to the next one."""
    (found,) = re.findall(rf"^\*\*`{name}`\*\*.*?(?=^\*\*|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    return str(found)


def keys(value: object) -> Iterator[str]:
    """All of a document's, at any depth; what stands below `data` is an action's own."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield name
            yield from keys(part)
    elif isinstance(value, list):
        for part in value:
            yield from keys(part)


def missing(document: object, text: str) -> list[str]:
    return sorted({key for key in keys(document) if not re.search(rf"\b{key}\b", text)})


@pytest.fixture
def shift(site: Site, collector: Collector) -> Iterator[Shift]:
    collector.round()
    made = Shift(site)
    made.run(RunOutcome.DONE, Holding(kind="pinned", subject="s", text="left", undo="radar undo it"))
    made.run(None)
    made.due("Maintenance on")
    made.silence("we know")
    yield made
    made.close()


@pytest.mark.parametrize("name", ["actions", "open", "audit", "audit verify", "maintenance status", "notify"])
def test_every_key_is_documented(radar: Radar, shift: Shift, name: str) -> None:
    text = documented(name) + (documented("open") + RUN if name == "actions" else "")
    document = radar(*name.split(), "--json").document
    assert [*keys(document)]
    assert missing(document, text) == []


RUN = TEXT.partition("**A command that acts**")[2].partition("\n\n**")[0]


def test_every_key_of_a_run_and_of_a_plan_is_documented(radar: Radar, shift: Shift) -> None:
    assert missing(radar("actions", "1", "--json").document, RUN) == []
    assert [field.name for field in dataclasses.fields(Plan) if not re.search(rf"\b{field.name}\b", RUN)] == []
    assert all(outcome in RUN for outcome in RunOutcome)


def test_every_key_of_the_handover_and_the_incident_is_documented(radar: Radar, site: Site) -> None:
    past(site)
    text = documented("handover") + documented("incident export") + documented("alerts") + documented("open")
    assert missing(radar("handover", "--json").document, text) == []
    exported = radar("incident", "export", "--from", "-40m", "--json").document
    assert exported["figures"] and missing(exported, documented("incident export")) == []


def test_the_check_finds_a_key_that_is_not_documented() -> None:
    assert missing({"id": 1, "nonsense": [{"more": 2}]}, RUN) == ["more", "nonsense"]
