"""The story presses keys as a person would, tells its own from a person's, and ends where it cannot go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.commands import story
from console.commands.story import Story
from console.model.actions import Plan, Risk, RunOutcome
from console.model.configuration import Environment, Settings
from console.model.states import State

PLAN = Plan(
    action="rollback", title="Roll back", environment="demo", target="41ab9e0 (dpl_x)", short_id="41ab9e0",
    risk=Risk.DISRUPTIVE, exclusion=None, checks=(), steps=(),
)  # fmt: skip
WELL = SimpleNamespace(state=State.HEALTHY, suggested=None, reasons=())
ILL = SimpleNamespace(state=State.UNHEALTHY, suggested=("rollback", {}), reasons=(SimpleNamespace(cause="8f3c1d2"),))


class Stage:
    """A console whose pages come at once; remembers keys and captions. A heard key reaches the story, as in the app."""

    def __init__(self, plan: Plan | None = PLAN) -> None:
        self.begun: set[str] = set()
        self.screen_stack = [object()]
        self.keys: list[str] = []
        self.said: list[str] = []
        self.page: Any = SimpleNamespace(NAME="health")
        self.story: Story | None = None
        self._plan = plan

    def press(self, name: str) -> None:
        self.keys.append(name)
        assert self.story is not None
        self.story.heard(name)
        if name == "a" and self._plan is not None:
            self.page = SimpleNamespace(NAME="plan", plan=self._plan, armed="")
        if "".join(self.keys).endswith("tabenter41ab9e0enter"):
            self.page = SimpleNamespace(NAME="run", token="t1")
        if name == "escape":
            self.page = SimpleNamespace(NAME="health")

    def caption(self, words: str | None) -> None:
        if words and (not self.said or self.said[-1] != words):
            self.said.append(words)


class Faults:
    on = False

    def set(self, name: str, on: bool) -> None:
        self.on = on


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK_S", "TYPING_S", "DRAWN_S"):
        monkeypatch.setattr(story, name, 0.005)
    for name in ("WELL_S", "REASON_S", "PLAN_S", "RUN_S", "AFTER_S"):
        monkeypatch.setattr(story, name, 1.0)


def begun(monkeypatch: pytest.MonkeyPatch, stage: Stage, outcome: RunOutcome = RunOutcome.DONE) -> Story:
    faults = Faults()
    run = SimpleNamespace(ended_ms=1, outcome=outcome)
    reads = SimpleNamespace(
        health=lambda *_, **__: SimpleNamespace(verdict=ILL if faults.on else WELL),
        run=lambda *_: SimpleNamespace(run=run),
    )

    @contextmanager
    def reading(_settings: Settings) -> Iterator[Any]:
        yield reads

    monkeypatch.setattr(story, "reading", reading)
    settings = Settings(
        file=Path("radar.toml"), environment=Environment(name="demo", url="http://127.0.0.1:9"),
        environments=("demo",), state_directory=Path("nowhere"),
    )  # fmt: skip
    made = Story(settings, cast(Any, faults), pace=0.0)
    stage.story = made
    made.begin(cast(Any, stage))
    return made


def test_the_whole_night_takes_eleven_keys_to_the_verified_rollback(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    told = begun(monkeypatch, stage)
    assert told.ended.wait(20)
    assert stage.keys == ["a", "tab", "enter", *"41ab9e0", "enter", "escape", "o", "escape"]
    assert any("done and verified: 11 keys" in words for words in stage.said), stage.said
    assert "that was the night: the last minutes still count" in stage.said[-1], "it is red, and said so"
    assert not [words for words in stage.said if len(words) > 78], "cut at 80 columns"


def test_the_story_ends_when_it_is_healthy_again_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, looks = Stage(), iter(range(1000))

    def state(_: object) -> State:
        well = "o" not in stage.keys or next(looks) > 4
        return State.HEALTHY if well else State.UNHEALTHY

    told = begun(monkeypatch, stage)
    monkeypatch.setattr(story, "_state", state)
    assert told.ended.wait(20)
    assert any("counts five minutes back" in words for words in stage.said)
    assert "that was the night: healthy again" in stage.said[-1]


def test_what_went_worse_is_not_told_as_done(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    assert begun(monkeypatch, stage, RunOutcome.WORSE).ended.wait(20)
    assert any(words.startswith("STORY worse: ") for words in stage.said)
    assert not any("done and verified" in words for words in stage.said)


def test_a_plan_that_does_not_come_ends_it_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(plan=None)
    assert begun(monkeypatch, stage).ended.wait(20)
    assert stage.said[-1] == "STORY the story ends here: not within 1 s: the plan stands"
    assert stage.keys == ["a"]


def test_a_key_of_a_person_ends_it_and_ours_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story, "DRAWN_S", 0.3)
    stage = Stage()
    told = begun(monkeypatch, stage)
    told.heard("j")
    assert told.ended.wait(5)
    said = len(stage.said)
    assert stage.keys == [] and said <= 2 and not any("ends here" in words for words in stage.said)
