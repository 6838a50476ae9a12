"""The question on a real pseudo-terminal: what confirms, what does not, and what becomes of it when people leave."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from console.model.actions import RunOutcome
from tests.actions.place import Place, place
from tests.commands.acting_program import ROOT, STALE
from tests.e2e.terminal import Terminal

REASON, TYPE = r"REASON  $", r"TYPE f1f1f1f to do it, anything else to leave: $"
LEFT = "left: nothing was done"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return place(tmp_path, monkeypatch)


def scripted(here: Place, *options: str, stale: bool = False, **script: object) -> Terminal:
    """`radar scripted` on a terminal of its own."""
    words = json.dumps({"remote": str(here.remote), **script})
    flags = [STALE] if stale else []
    command = [sys.executable, "-m", "tests.commands.acting_program", *flags, "--config", str(here.settings.file)]
    return Terminal([*command, "scripted", words, *options], rows=60, columns=120,
                    environment={"PYTHONPATH": str(ROOT)})  # fmt: skip


def runs(here: Place) -> list[RunOutcome]:
    return [run.outcome for run in here.reader().actions(None).runs]


def answer(terminal: Terminal, question: str, typed: str) -> None:
    """Type once the question stands."""
    terminal.expect(rf"{question[:-1]}\s*$")
    terminal.press(typed)


def hang_up(terminal: Terminal) -> None:
    """Close the terminal's other end, as a cut connection does: the kernel sends SIGHUP."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, terminal._descriptor)
    os.close(nowhere)


def test_the_plan_the_reason_the_phrase_and_the_run(here: Place) -> None:
    with scripted(here) as terminal:
        answer(terminal, REASON, "it is broken\r")
        answer(terminal, TYPE, "f1f1f1f\r")
        terminal.expect("run 1: done and verified")
        assert "PLAN  Make two files (disruptive)" in terminal.text()
        assert terminal.wait_exit() == 0
    assert here.made() == {"ask", "again"}
    assert here.reader().actions(None).runs[0].reason == "it is broken"


@pytest.mark.parametrize("typed", ["f1f1f1\r", "yes\r", "\r", "F1F1F1F\r", "\x04"])
def test_another_phrase_leaves_it(here: Place, typed: str) -> None:
    with scripted(here, "--reason", "why") as terminal:
        answer(terminal, TYPE, typed)
        terminal.expect(LEFT)
        assert terminal.wait_exit() == 2
    assert here.made() == set() and runs(here) == []


def test_without_a_reason_nothing_is_done(here: Place) -> None:
    with scripted(here) as terminal:
        answer(terminal, REASON, "  \r")
        answer(terminal, TYPE, "f1f1f1f\r")
        terminal.expect("a reason is needed")
        assert terminal.wait_exit() == 2
    assert here.made() == set()


def test_what_is_safe_needs_enter_and_q_leaves_it(here: Place) -> None:
    for typed, status, outcomes in (("q\r", 2, []), ("\r", 0, [RunOutcome.DONE])):
        with scripted(here, risk="safe") as terminal:
            answer(terminal, r"ENTER does it, q leaves: $", typed)
            assert terminal.wait_exit() == status
        assert runs(here) == outcomes


def test_what_is_destructive_asks_for_environment_and_target(here: Place) -> None:
    for typed, status in (("f1f1f1f\r", 0), ("test/f1f1f1f\r", 0)):
        with scripted(here, "--reason", "why", risk="destructive") as terminal:
            answer(terminal, r"TYPE test/f1f1f1f to do it, anything else to leave: $", typed)
            assert terminal.wait_exit() == (2 if typed == "f1f1f1f\r" else status)


def test_type_ahead_confirms_nothing(here: Place) -> None:
    with scripted(here, "--reason", "why") as terminal:
        terminal.press("f1f1f1f\rf1f1f1f\r")  # before the program has begun
        terminal.expect("UNDO")
        terminal.press("f1f1f1f\r")  # the plan stands, the question not yet
        terminal.expect(rf"{TYPE[:-1]}\s*$")
        terminal.watch(1.0)  # had anything of it been taken, the run would stand by now
        assert here.made() == set() and runs(here) == []
        terminal.press("f1f1f1f\r")  # counter-test: the same, typed to the question
        terminal.expect("done and verified")
        assert terminal.wait_exit() == 0


def test_a_pasted_answer_goes_no_further_than_its_own_question(here: Place) -> None:
    with scripted(here) as terminal:
        answer(terminal, REASON, "pasted\rf1f1f1f\rf1f1f1f\r")
        terminal.expect(rf"{TYPE[:-1]}\s*$")
        terminal.watch(1.0)
        assert here.made() == set() and runs(here) == []
        terminal.press("f1f1f1f\r")
        assert terminal.wait_exit() == 0
    assert here.reader().actions(None).runs[0].reason == "pasted"


def test_half_a_line_typed_ahead_is_no_part_of_the_answer(here: Place) -> None:
    with scripted(here, "--reason", "why") as terminal:
        terminal.expect("UNDO")
        terminal.press("f1f1")
        answer(terminal, TYPE, "f1f\r")
        terminal.expect(LEFT)
        assert terminal.wait_exit() == 2
    assert here.made() == set()


def test_who_is_armed_is_not_asked_for_a_reason(here: Place) -> None:
    for asked in (True, False):
        with scripted(here) as terminal:
            if asked:
                answer(terminal, REASON, "armed\r")
            answer(terminal, TYPE, "f1f1f1f\r")
            assert terminal.wait_exit() == 0
            assert ("REASON" in terminal.text()) == asked
    assert [run.reason for run in here.reader().actions(None).runs] == ["armed"] * 2


@pytest.mark.parametrize("question", [REASON, TYPE])
def test_ctrl_c_while_asked_does_nothing_and_says_so(here: Place, question: str) -> None:
    with scripted(here, *(["--reason", "why"] if question == TYPE else [])) as terminal:
        answer(terminal, question, "\x03")
        terminal.expect(LEFT)
        assert terminal.wait_exit() == 130
        assert "Traceback" not in terminal.text()
    assert here.made() == set() and runs(here) == []


def test_ctrl_c_while_followed_ends_nothing_and_says_so(here: Place) -> None:
    with scripted(here, "--reason", "why", ask="wait") as terminal:
        answer(terminal, TYPE, "f1f1f1f\r")
        terminal.expect("begun +make the first file")
        terminal.press("\x03")
        terminal.expect("not followed any more; the run goes on: radar actions 1")
        assert terminal.wait_exit() == 130
    assert runs(here) == [RunOutcome.RUNNING]
    (here.remote / "go").touch()
    view = here.ended(here.reader().actions(None).runs[0].token)
    assert view.run is not None and view.run.outcome is RunOutcome.DONE


def test_a_terminal_that_closes_while_asked_does_nothing(here: Place) -> None:
    with scripted(here, "--reason", "why") as terminal:
        terminal.expect(rf"{TYPE[:-1]}\s*$")
        hang_up(terminal)
        assert terminal.wait_exit() == -signal.SIGHUP
    assert here.made() == set() and runs(here) == []


def test_a_terminal_that_closes_while_followed_ends_nothing(here: Place) -> None:
    with scripted(here, "--reason", "why", ask="wait") as terminal:
        answer(terminal, TYPE, "f1f1f1f\r")
        terminal.expect("begun +make the first file")
        hang_up(terminal)
        terminal.wait_exit()
    (here.remote / "go").touch()
    view = here.ended(here.reader().actions(None).runs[0].token)
    assert view.run is not None and view.run.outcome is RunOutcome.DONE


def test_a_plan_that_has_changed_since_it_was_looked_at_is_not_carried_out(here: Place) -> None:
    with scripted(here, "--reason", "why", stale=True) as terminal:
        terminal.expect(rf"{TYPE[:-1]}\s*$")
        (here.remote / "somebody-else.made").touch()
        terminal.press("f1f1f1f\r")
        terminal.expect("what would be done has changed since you looked: look again, nothing was done")
        assert terminal.wait_exit() == 2
    assert here.made() == {"somebody-else"} and runs(here) == []
    with scripted(here, "--reason", "why", stale=True) as terminal:  # counter-test: an old plan that still holds
        answer(terminal, TYPE, "f1f1f1f\r")
        assert terminal.wait_exit() == 0
