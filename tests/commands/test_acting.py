"""Commands that change something, with the real runner and a scripted action: without a terminal, and how they end."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from console import cli
from console.commands.acting import add_acting
from console.model.actions import RunOutcome
from console.model.plan_text import ended_text
from tests.actions.place import Place, place
from tests.commands import acting_program
from tests.commands.conftest import Done

PHRASE = "test/f1f1f1f"
YES = ("--reason", "it is broken", "--confirm", PHRASE)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return place(tmp_path, monkeypatch)


Act = Callable[..., Done]


@pytest.fixture
def radar(here: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Act:
    """`radar ARGUMENTS` in this process, without a terminal."""
    monkeypatch.setitem(cli.COMMANDS, "scripted", "the scripted action")
    monkeypatch.setitem(sys.modules, "console.commands.scripted", acting_program)

    def run(*arguments: str) -> Done:
        try:
            status = cli.main(["--config", str(here.settings.file), *arguments])
        except SystemExit as left:
            status = int(left.code or 0)
        captured = capsys.readouterr()
        return Done(status, captured.out, captured.err)

    return run


@pytest.fixture
def scripted(here: Place, radar: Act) -> Callable[..., Done]:
    """`radar scripted` with this script and these options."""

    def run(*options: str, **script: object) -> Done:
        return radar("scripted", json.dumps({"remote": str(here.remote), **script}), *options)

    return run


def outcomes(here: Place) -> list[RunOutcome]:
    return [run.outcome for run in here.reader().actions(None).runs]


# The yes


@pytest.mark.parametrize("given", [
    (), ("--reason", "why"), ("--confirm", PHRASE), ("--reason", " ", "--confirm", PHRASE),
    ("--reason", "why", "--confirm", "production/f1f1f1f"), ("--reason", "why", "--confirm", "test/"),
    ("--json", "--confirm", PHRASE),
])  # fmt: skip
def test_without_a_terminal_reason_and_target_must_be_given(here: Place, scripted: Act, given: tuple[str, ...]) -> None:
    done = scripted(*given)
    assert done.status == 2
    assert f"this needs --reason and --confirm {PHRASE}: nothing was done" in done.err
    assert here.made() == set() and outcomes(here) == []
    assert "{" not in done.out, "half a document"


def test_with_both_it_is_done_told_step_by_step_and_verified(here: Place, scripted: Act) -> None:
    done = scripted(*YES)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("PLAN  Make two files (disruptive)")
    assert [line.split() for line in done.out.splitlines() if line.startswith("  1  done")] == [
        ["1", "done", "make", "the", "first", "file:", "well"]
    ]
    assert "run 1: done and verified." in done.out and "undo: radar scripted --undo" in done.out
    assert here.made() == {"ask", "again"}


def test_the_short_id_is_enough_for_what_is_disruptive_and_not_for_what_is_destructive(
    here: Place, scripted: Act
) -> None:
    assert scripted("--reason", "why", "--confirm", "f1f1f1f", risk="destructive").status == 2
    assert here.made() == set()
    assert scripted("--reason", "why", "--confirm", "f1f1f1f").status == 0


def test_what_is_safe_needs_neither(here: Place, scripted: Act) -> None:
    assert scripted(risk="safe").status == 0
    assert outcomes(here) == [RunOutcome.DONE]


def test_who_is_armed_gives_the_target_alone(here: Place, scripted: Act) -> None:
    assert scripted(*YES).status == 0
    assert scripted("--confirm", PHRASE).status == 0
    assert [run.reason for run in here.reader().actions(None).runs] == ["it is broken"] * 2


# Looking


def test_the_plan_changes_nothing(here: Place, scripted: Act) -> None:
    done = scripted("--plan", *YES)
    assert done.status == 0 and "UNDO  radar scripted --undo" in done.out
    assert here.made() == set() and outcomes(here) == []


def test_the_escape_card_changes_nothing(here: Place, scripted: Act) -> None:
    done = scripted("--escape", *YES)
    assert done.status == 0
    assert done.out.startswith("ESCAPE CARD") and "  touch first second\n" in done.out
    assert here.made() == set()


def test_a_plan_that_is_refused_is_shown_all_the_same(here: Place, scripted: Act) -> None:
    done = scripted("--plan", fail=True)
    assert done.status == 2 and "NO  as it was scripted" in done.out
    assert scripted("--plan", "--json", fail=True).document["plan"]["checks"][0]["result"] == "fail"


# How it ends


@pytest.mark.parametrize(("script", "status", "words", "undo"), [
    ({"watch": "worse"}, 1, "done, but worse than before", True), ({"tell": "rejected"}, 0, "done and verified", True),
    ({"again": "rejected"}, 2, "failed", True),  # after its first change, which stays
    ({"ask": "rejected"}, 2, "failed", False),
    ({"ask": "lost-unreadable"}, 2, "unknown: nobody can tell", False),
    ({"ask": "kill-after"}, 2, "interrupted: nobody carries it out any more", False),
])  # fmt: skip
def test_the_exit_status_tells_the_end(
    here: Place, scripted: Act, script: dict[str, str], status: int, words: str, undo: bool
) -> None:
    done = scripted(*YES, **script)
    assert (done.status, done.err) == (status, "")
    assert f"run 1: {words}" in done.out
    assert ("undo:" in done.out) == undo


def test_what_forbids_it_is_said(here: Place, scripted: Act) -> None:
    done = scripted(*YES, fail=True)
    assert done.status == 2 and done.err == "radar: this cannot be done now: as it was scripted\n"


def test_a_viewer_is_refused_with_words(here: Place, scripted: Act) -> None:
    file = here.settings.file
    assert file is not None
    file.write_text(file.read_text().replace("admins", "operators"))
    done = scripted("--reason", "why", "--confirm", PHRASE, risk="destructive")
    assert done.status == 2 and "you may not do this" in done.err
    assert here.made() == set()


def test_nobody_need_wait(here: Place, scripted: Act) -> None:
    done = scripted(*YES, "--no-wait", "--json", ask="wait")
    assert done.status == 0
    token = done.document["begun"]
    assert here.reader().run(token, None).run is not None
    (here.remote / "go").touch()
    assert here.ended(token).run.outcome is RunOutcome.DONE  # type: ignore[union-attr]  # it is there


def test_a_run_is_one_document(here: Place, scripted: Act) -> None:
    run = scripted(*YES, "--json").document
    assert (run["id"], run["outcome"], run["reason"]) == (1, "done", "it is broken")
    assert [(step["key"], step["outcome"]) for step in run["steps"]] == [
        ("ask", "done"), ("again", "done"), ("tell", "done"), ("watch", "done")
    ]  # fmt: skip
    assert run["began"].endswith("Z") and run["ended"] >= run["began"]


def test_a_plan_is_one_document(scripted: Act) -> None:
    plan = scripted("--plan", "--json").document["plan"]
    assert (plan["title"], plan["risk"], plan["short_id"]) == ("Make two files", "disruptive", "f1f1f1f")
    assert scripted("--escape", "--json").document["plan"]["escape"] == ["touch first second"]


def test_a_reason_commands_no_terminal(here: Place, scripted: Act, radar: Act) -> None:
    scripted("--reason", "a\x1b[2Jb\nc", "--confirm", PHRASE)
    shown = radar("actions", "1").out
    assert "\x1b" not in shown and "a␛[2Jb" in shown


# The journal


def test_an_empty_journal_says_so(radar: Act) -> None:
    assert radar("actions").out == "No action was ever carried out from here, and none is due.\n"
    told = radar("actions", "--json").document
    assert told.pop("at") and told == {"runs": [], "open": [], "due": []}


def test_the_journal_lists_runs_and_what_they_left(scripted: Act, radar: Act) -> None:
    scripted(*YES)
    done = radar("actions")
    assert done.status == 0
    assert "RUNS" in done.out and "done and verified" in done.out and "files are pinned" in done.out
    listed = radar("actions", "--json").document
    assert [run["outcome"] for run in listed["runs"]] == ["done"]
    assert [(each["kind"], each["subject"]) for each in listed["open"]] == [("pinned", "files")]


@pytest.mark.parametrize("typed", [("1",), ("show", "1")])
def test_one_run_is_shown_with_its_steps(scripted: Act, radar: Act, typed: tuple[str, ...]) -> None:
    scripted(*YES, again="rejected")
    done = radar("actions", *typed)
    assert done.status == 0
    assert "run 1  Make two files" in done.out and "the remote says no" in done.out and "not begun" in done.out
    assert [step["outcome"] for step in radar("actions", *typed, "--json").document["steps"]] == [
        "done", "failed", None, None
    ]  # fmt: skip


def test_an_interrupted_run_is_gone_on_with(here: Place, scripted: Act, radar: Act) -> None:
    scripted(*YES, ask="kill-after")
    assert radar("actions").status == 1, "somebody must look after it"
    refused = radar("actions", "resume", "1")
    assert refused.status == 2 and "needs --reason and --confirm" in refused.err
    done = radar("actions", "resume", "1", "--confirm", PHRASE)
    assert done.status == 0 and "Go on with: Make two files" in done.out
    assert here.made() == {"ask", "again"}
    assert radar("actions").status == 0


def test_an_interrupted_run_that_changed_nothing_is_ended_by_looking(here: Place, scripted: Act, radar: Act) -> None:
    scripted(*YES, ask="kill-before")
    done = radar("actions", "resume", "1", "--confirm", PHRASE)
    assert done.status == 2 and "nothing was changed" in done.err
    assert outcomes(here) == [RunOutcome.NOT_DONE]


def test_an_unknown_run_is_closed_by_hand_with_a_reason(here: Place, scripted: Act, radar: Act) -> None:
    scripted(*YES, ask="lost-unreadable")
    assert "still unknown" in radar("actions", "resume", "1").err
    refused = radar("actions", "close", "1")
    assert refused.status == 2 and "needs a reason" in refused.err
    done = radar("actions", "close", "1", "--reason", "looked at it myself", "--json")
    assert (done.status, done.document["closed"]) == (0, 1)
    assert outcomes(here) == [RunOutcome.CLOSED]
    assert radar("actions", "close", "1", "--reason", "again").status == 2


def test_a_run_that_goes_on_cannot_be_closed(here: Place, scripted: Act, radar: Act) -> None:
    token = scripted(*YES, "--no-wait", "--json", ask="wait").document["begun"]
    done = radar("actions", "close", "1", "--reason", "why")
    assert done.status == 2 and "is being carried out" in done.err
    (here.remote / "go").touch()
    here.ended(token)


@pytest.mark.parametrize("typed", [
    ("nonsense",), ("show",), ("resume",), ("close",), ("cancel",), ("1", "2"), ("\x1b[2J",),
])  # fmt: skip
def test_words_that_mean_nothing_end_with_3(radar: Act, typed: tuple[str, ...]) -> None:
    done = radar("actions", *typed)
    assert done.status == 3 and "write radar actions" in done.err
    assert "Traceback" not in done.err and "\x1b" not in done.err


@pytest.mark.parametrize("verb", ["show", "resume", "close"])
@pytest.mark.parametrize("number", ["0", "7"])
def test_a_run_that_is_none_is_refused(radar: Act, verb: str, number: str) -> None:
    done = radar("actions", verb, number, "--reason", "why")
    assert done.status == 2 and f"there is no run {number}" in done.err


def test_what_is_not_due_cannot_be_cancelled(radar: Act) -> None:
    done = radar("actions", "cancel", "7", *YES)
    assert done.status == 2 and done.err and "Traceback" not in done.err


# Settings


def test_settings_of_actions_that_cannot_work_end_with_3_and_their_line(here: Place, radar: Act) -> None:
    file = here.settings.file
    assert file is not None
    file.write_text(file.read_text() + "[environments.test.github]\ntoken = 't'\nrepository = 'none'\n")
    done = radar("rollback", "--plan")
    assert done.status == 3
    assert "line 8: environments.test.github.repository: this is no repository" in done.err


def test_every_command_that_acts_has_the_same_options() -> None:
    parser = argparse.ArgumentParser()
    add_acting(parser)
    shared = {word for action in parser._actions for word in action.option_strings}
    for name in ("rollback", "promote", "deploy", "freeze", "maintenance", "actions"):
        module = __import__(f"console.commands.{name}", fromlist=["configure"])
        made = argparse.ArgumentParser()
        module.configure(made)
        assert shared <= {word for action in made._actions for word in action.option_strings}, name


@pytest.mark.parametrize(("outcome", "words", "told"), [
    (RunOutcome.DONE, "all steps done", "done and verified. all steps done"),
    (RunOutcome.DONE, "", "done and verified"),
    (RunOutcome.WORSE, "done, but worse than before: all steps done", "done, but worse than before. all steps done"),
])  # fmt: skip
def test_an_end_is_told_once(outcome: RunOutcome, words: str, told: str) -> None:
    assert ended_text(outcome, words) == told
