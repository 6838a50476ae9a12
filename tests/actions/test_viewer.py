"""A viewer by every way in: refused where it runs, with nothing done and nothing written."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from console.actions.desk import NoAnswer, Runner
from console.actions.messages import Entry, Opening, Word
from console.model.actions import RunOutcome
from console.model.ports import Refused
from console.store import due
from console.store.clock import now_ms
from tests.actions.place import ROOT, USER, Place, place

PHRASE = "f1f1f1f"
MAY_NOT = "you may not do this"


@pytest.fixture
def admin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return place(tmp_path, monkeypatch)


def demoted(here: Place) -> Place:
    """From here on the same person is named in no role."""
    file = here.settings.file
    file.write_text(file.read_text().replace("admins = [", 'admins = ["nobody-of-that-name"] # ['))
    return here


def written(here: Place) -> list[object]:
    """Everything that the people's file holds."""
    tables = ("run", "run_entry", "audit", "anchor", "arming", "holding", "due", "silence", "note", "poll_request")
    return [
        here.records().read(lambda connection, table=table: connection.execute(f"SELECT * FROM {table}").fetchall())  # type: ignore[misc]
        for table in tables
    ]


def test_by_the_desk(admin: Place) -> None:
    viewer = demoted(admin)
    ticket = viewer.desk.plan(viewer.request(risk="safe"))
    before = written(viewer)
    with pytest.raises(Refused, match=MAY_NOT):
        ticket.confirm(reason="why", typed=PHRASE)
    assert viewer.made() == set() and written(viewer) == before
    ticket.leave()


def test_by_the_command_line(admin: Place) -> None:
    viewer = demoted(admin)
    before = written(viewer)
    command = [sys.executable, "-m", "tests.actions.acting_scripted", str(viewer.settings.file), str(viewer.remote)]
    yes = ["--reason", "why", "--confirm", f"test/{PHRASE}"]
    done = subprocess.run([*command, *yes], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2 and MAY_NOT in done.stderr
    assert viewer.made() == set() and written(viewer) == before


def spoken(opening: Opening, *words: Word) -> str:
    """What the runner answers last to these lines, without any desk before it."""
    runner = Runner([sys.executable, "-m", "tests.actions.scripted"], {"PYTHONPATH": str(ROOT)})
    told = ""
    try:
        for line in (opening, *words):
            runner.send(line)
        while True:
            reply = runner.receive(10)
            told = reply.refused or reply.ended or reply.begun or told
    except NoAnswer:
        return told
    finally:
        runner.leave()


def opening(here: Place, **wanted: object) -> Opening:
    made = Opening(file=str(here.settings.file), environment="test", variables={"PATH": os.environ["PATH"]})
    for name, value in wanted.items():
        setattr(made, name, value)
    return made


YES = Word(say="confirm", reason="why", typed=f"test/{PHRASE}")


def test_by_the_runner_itself(admin: Place) -> None:
    viewer = demoted(admin)
    before = written(viewer)
    runner = Runner([sys.executable, "-m", "tests.actions.scripted"], {"PYTHONPATH": str(ROOT)})
    runner.send(opening(viewer, action="scripted", parameters={"remote": str(viewer.remote)}))
    assert runner.receive().plan is not None  # looking is free
    runner.send(YES)
    assert MAY_NOT in (runner.receive().refused or "")
    runner.stop()
    assert viewer.made() == set() and written(viewer) == before


@pytest.mark.parametrize("script", [{"ask": "kill-before"}, {"ask": "kill-after"}, {"watch": "kill-before"}])
@pytest.mark.parametrize("way", ["resume", "close"])
def test_by_the_interrupted_run_of_somebody_else(admin: Place, script: dict[str, str], way: str) -> None:
    token = admin.desk.plan(admin.request(**script)).confirm(reason="why", typed=PHRASE)
    admin.ended(token)
    viewer = demoted(admin)
    before, made = written(viewer), viewer.made()
    ways: dict[str, Callable[[], object]] = {
        "resume": lambda: viewer.desk.resume(token), "close": lambda: viewer.desk.close_run(token, "looked at it"),
    }  # fmt: skip
    with pytest.raises(Refused, match=MAY_NOT):
        ways[way]()
    assert written(viewer) == before and viewer.made() == made
    run = viewer.ended(token).run
    assert run is not None and run.outcome is RunOutcome.INTERRUPTED


@pytest.mark.parametrize("name", [USER, "nobody-of-that-name"])
def test_by_a_row_made_by_hand(admin: Place, name: str) -> None:
    """The name in the row is text: who they are is told by the account's number."""
    viewer = demoted(admin)
    row = due.add(
        viewer.records(), key="k", due_ms=now_ms(), action="scripted", parameters={"remote": str(viewer.remote)},
        title="Make two files", reason="why", operator=f"{name} (uid)", operator_uid=os.getuid(),
    )  # fmt: skip
    assert due.claim(viewer.records(), now_ms())
    assert MAY_NOT in spoken(opening(viewer, due=row.id))
    assert viewer.made() == set() and viewer.reader().actions(None).runs == ()
    found = due.find(viewer.records(), row.id)
    assert found is not None and MAY_NOT in found.words and found.run_token is None


def test_by_what_is_entered(admin: Place) -> None:
    viewer = demoted(admin)
    before = written(viewer)
    with pytest.raises(Refused, match="only an operator may silence alerts; viewer:"):
        viewer.desk.enter(Entry(kind="silence", matcher="memory", minutes=5, text="known"))
    assert written(viewer) == before


def test_the_same_ways_are_open_to_who_may(admin: Place) -> None:
    """The counter-test: it is the role that closes them."""
    assert pwd.getpwnam(USER).pw_uid == os.getuid()
    row = due.add(
        admin.records(), key="k", due_ms=now_ms(), action="scripted", parameters={"remote": str(admin.remote)},
        title="Make two files", reason="why", operator=f"{USER} (uid)", operator_uid=os.getuid(),
    )  # fmt: skip
    assert due.claim(admin.records(), now_ms())
    spoken(opening(admin, due=row.id))
    (run,) = admin.reader().actions(None).runs
    assert admin.ended(run.token).run is not None and admin.made() == {"ask", "again"}
    admin.desk.enter(Entry(kind="silence", matcher="memory", minutes=5, text="known"))
