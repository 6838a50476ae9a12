"""The question on a real pseudo-terminal: what confirms, what does not, and what becomes of it when people leave."""

from __future__ import annotations

import json
import os
import signal
import sys
import termios
from collections.abc import Callable
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


def scripted(
    here: Place,
    *options: str,
    stale: bool = False,
    term: str = "xterm-256color",
    before: tuple[str, ...] = (),
    **script: object,
) -> Terminal:
    """`radar scripted` on a terminal of its own."""
    words = json.dumps({"remote": str(here.remote), **script})
    flags = [STALE] if stale else []
    command = [sys.executable, "-m", "tests.commands.acting_program", *flags, "--config", str(here.settings.file)]
    return Terminal([*before, *command, "scripted", words, *options], rows=60, columns=120,
                    environment={"PYTHONPATH": str(ROOT), "TERM": term})  # fmt: skip


def runs(here: Place) -> list[RunOutcome]:
    return [run.outcome for run in here.reader().actions(None).runs]


def answer(terminal: Terminal, question: str, typed: str) -> None:
    """Type once the question stands."""
    terminal.expect(rf"{question[:-1]}\s*$")
    terminal.type(typed)


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
        terminal.type("f1f1f1f\r")  # counter-test: the same, typed to the question
        terminal.expect("done and verified")
        assert terminal.wait_exit() == 0


@pytest.mark.parametrize("pasted", ["pasted\rf1f1f1f\rf1f1f1f\r", "\x1b[200~pasted\rf1f1f1f\r\x1b[201~\r"])
def test_a_pasted_reason_is_its_first_line_and_goes_no_further(here: Place, pasted: str) -> None:
    with scripted(here) as terminal:
        terminal.expect(rf"{REASON[:-1]}\s*$")
        terminal.press(pasted)
        terminal.expect("pasted: its first line is the reason; enter goes on")
        terminal.expect(r"REASON  pasted\s*$")
        terminal.watch(0.3)
        terminal.type("\r")
        terminal.expect(rf"{TYPE[:-1]}\s*$")
        terminal.watch(1.0)
        assert here.made() == set() and runs(here) == []
        terminal.type("f1f1f1f\r")
        assert terminal.wait_exit() == 0
    assert here.reader().actions(None).runs[0].reason == "pasted"


@pytest.mark.parametrize(
    "pasted", ["f1f1f1f\r", "f1f1f1f", "\x1b[200~f1f1f1f\x1b[201~\r", "\x1b[200~f1f1f1f\n\x1b[201~"]
)
def test_a_phrase_that_is_pasted_after_the_question_stands_confirms_nothing(here: Place, pasted: str) -> None:
    with scripted(here, "--reason", "why") as terminal:
        terminal.expect(rf"{TYPE[:-1]}\s*$")
        terminal.press(pasted)
        terminal.expect(r"pasted or typed ahead, and dropped: type f1f1f1f key by key")
        terminal.watch(1.0)
        assert here.made() == set() and runs(here) == []
        terminal.type("x\x15f1f1f1g\x7ff\r")  # the counter-test: typed, with what mends a line
        terminal.expect("done and verified")
        assert terminal.wait_exit() == 0


def test_what_is_safe_is_not_confirmed_by_a_paste(here: Place) -> None:
    with scripted(here, risk="safe") as terminal:
        terminal.expect(r"ENTER does it, q leaves: +$")
        terminal.press("ls -l\r")
        terminal.expect("pasted or typed ahead, and dropped: press enter by itself")
        terminal.press("\x1b[200~\r\x1b[201~")
        terminal.watch(1.0)
        assert runs(here) == []
        terminal.type("\r")
        assert terminal.wait_exit() == 0


def modes(terminal: Terminal) -> list[object]:
    """How the kernel treats the lines of that terminal."""
    return termios.tcgetattr(terminal._descriptor)


WAYS_OUT: dict[str, tuple[Callable[[Terminal], None], int]] = {
    "answered": (lambda terminal: terminal.type("f1f1f1f\r"), 0),
    "something else": (lambda terminal: terminal.type("no\r"), 2),
    "ctrl+c": (lambda terminal: terminal.press("\x03"), 130),
    "ctrl+d": (lambda terminal: terminal.press("f1\x04"), 2),
    "SIGINT": (lambda terminal: os.kill(terminal.pid, signal.SIGINT), 130),
    "SIGTERM": (lambda terminal: os.kill(terminal.pid, signal.SIGTERM), -signal.SIGTERM),
    "SIGHUP": (lambda terminal: os.kill(terminal.pid, signal.SIGHUP), -signal.SIGHUP),
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_the_terminal_is_as_it_was_whichever_way_the_question_ends(here: Place, way: str) -> None:
    leave, status = WAYS_OUT[way]
    with scripted(here, "--reason", "why") as terminal:
        terminal.expect("PLAN")
        terminal.expect(rf"{TYPE[:-1]}\s*$")
        asked = modes(terminal)
        assert isinstance(asked[3], int) and not asked[3] & (termios.ICANON | termios.ECHO)
        assert terminal.raw.count(b"\x1b[?2004h") == 1
        leave(terminal)
        assert terminal.wait_exit() == status
        local = modes(terminal)[3]
        assert isinstance(local, int) and local & termios.ICANON and local & termios.ECHO and local & termios.ISIG
        assert terminal.raw.rindex(b"\x1b[?2004l") > terminal.raw.rindex(b"\x1b[?2004h")
    assert (here.made() == {"ask", "again"}) == (way == "answered")


def test_a_dumb_terminal_is_asked_without_sequences(here: Place) -> None:
    with scripted(here, "--reason", "why", term="dumb") as terminal:
        terminal.expect(rf"{TYPE[:-1]}\s*$")
        terminal.press("f1f1f1f\r")
        terminal.expect("pasted or typed ahead")
        terminal.type("f1f1f1f\r")
        terminal.expect("done and verified")
        assert terminal.wait_exit() == 0 and b"\x1b" not in terminal.raw


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
            assert ("armed with: armed; --reason gives another" in terminal.text()) != asked
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
        terminal.type("f1f1f1f\r")
        terminal.expect("what would be done has changed since you looked: look again, nothing was done")
        assert terminal.wait_exit() == 2
    assert here.made() == {"somebody-else"} and runs(here) == []
    with scripted(here, "--reason", "why", stale=True) as terminal:  # counter-test: an old plan that still holds
        answer(terminal, TYPE, "f1f1f1f\r")
        assert terminal.wait_exit() == 0


def test_a_terminal_that_is_gone_has_left_even_where_hanging_up_is_ignored(here: Place) -> None:
    """As under nohup: nothing ends the command but the end of what can be read."""
    command = ("sh", "-c", 'trap "" HUP; exec "$@"', "sh")
    with scripted(here, "--reason", "why", before=command) as terminal:
        terminal.expect(rf"{TYPE[:-1]}\s*$")
        hang_up(terminal)
        assert terminal.wait_exit() == 2
    assert here.made() == set() and runs(here) == []
