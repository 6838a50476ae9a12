"""Acknowledgements and silences hide alerts from everybody: an operator's, at both levels and by every way in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from console import cli
from console.actions.authority import Standing, standing
from console.actions.entries import write
from console.actions.messages import Entry, Opening
from console.actions.parts import context_of
from console.commands.parts import operator
from console.model.operations import Access
from console.model.ports import EntryKind, Refused
from console.model.roles import Authority, Role
from console.settings import load
from console.store.identity import Who
from tests.actions.place import USER, Place, place

WHO = Who(1000, "op1", "uid")
ALERTS: tuple[EntryKind, ...] = ("acknowledge", "silence", "end-silence")
ENTRIES = (
    Entry(kind="acknowledge", number=1), Entry(kind="silence", matcher="memory", minutes=5, text="known"),
    Entry(kind="end-silence", number=1),
)  # fmt: skip
NOBODY = "[environments.test.access]\n"
ROWS = ("acknowledgement", "silence", "silence_end", "note", "poll_request", "arming", "outbox", "audit")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return place(tmp_path, monkeypatch)


def with_access(here: Place, lines: str) -> Place:
    """The same place, where the table of roles says something else."""
    file = here.settings.file
    file.write_text(file.read_text().partition(NOBODY)[0] + lines)
    return Place(load(file, "test", {}), here.remote)


WITHOUT = {"none": "", "others": f'{NOBODY}operators = ["nobody-of-that-name"]\n'}
SLACK = '[environments.test.slack]\nwebhook = "http://127.0.0.1:9/hook"\n'
READ_ONLY = f'{NOBODY}admins = ["{USER}"]\nread_only = true\n{SLACK}'


def rows(here: Place) -> list[object]:
    """Everything that people put on record."""
    records = here.records()
    return [records.read(lambda connection, name=name: connection.execute(f"SELECT * FROM {name}").fetchall())  # type: ignore[misc]
            for name in ROWS]  # fmt: skip


@pytest.mark.parametrize(("role", "authority", "read_only", "free"), [
    (Role.VIEWER, Authority.GUARD_RAILS, False, {"note", "poll"}),
    (Role.VIEWER, Authority.ENFORCED, False, set()),
    (Role.OPERATOR, Authority.GUARD_RAILS, False, {*ALERTS, "note", "poll"}),
    (Role.OPERATOR, Authority.ENFORCED, False, {*ALERTS, "note", "poll"}),
    (Role.ADMIN, Authority.GUARD_RAILS, False, {*ALERTS, "note", "poll"}),
    (Role.ADMIN, Authority.GUARD_RAILS, True, set()),
])  # fmt: skip
def test_who_may_put_what_on_record(role: Role, authority: Authority, read_only: bool, free: set[EntryKind]) -> None:
    person = Standing(WHO, role, "these are the words", authority, read_only)
    kinds: tuple[EntryKind, ...] = (*ALERTS, "note", "poll")
    assert {kind for kind in kinds if not person.entry_refusal(kind)} == free
    why = person.entry_refusal("silence")
    assert not why or "these are the words" in why or "read_only" in why


@pytest.mark.parametrize("lines", WITHOUT.values(), ids=WITHOUT)
def test_a_viewer_hides_nothing_from_others_under_guard_rails(here: Place, lines: str) -> None:
    viewer = with_access(here, lines)
    before = rows(viewer)
    with operator(viewer.settings) as person:
        ways: list[Callable[[], object]] = [
            lambda: person.alerts.acknowledge(1, ""), lambda: person.alerts.silence("memory", 5, "known"),
            lambda: person.alerts.end_silence(1),
        ]  # fmt: skip
        for way in ways:
            with pytest.raises(Refused, match=f"only an operator may .*; viewer: {USER} is named in no role"):
                way()
        assert rows(viewer) == before
        person.notes.add("what I saw")
        person.polls.poll_now()
    assert rows(viewer) != before, "a note hides nothing"


def test_nor_by_the_command_line(here: Place, capsys: pytest.CaptureFixture[str]) -> None:
    viewer = with_access(here, WITHOUT["others"])
    before = rows(viewer)
    for command in (("ack", "1"), ("silence", "memory", "--for", "1h", "--reason", "known"), ("silence", "--end", "1")):
        assert cli.main(["--config", str(viewer.settings.file), *command]) == 2
        assert "only an operator may" in capsys.readouterr().err
    assert rows(viewer) == before
    assert cli.main(["--config", str(viewer.settings.file), "incident", "note", "what I saw"]) == 0


@pytest.mark.parametrize("entry", ENTRIES, ids=ALERTS)
def test_nor_where_the_row_is_written(here: Place, entry: Entry) -> None:
    viewer = with_access(here, WITHOUT["others"])
    context, person = context_of(Opening(environment="test", file=str(viewer.settings.file)))
    with pytest.raises(Refused, match="only an operator may"):
        write(context, person, entry, str)


def test_an_operator_does(here: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """The counter-test: it is the role that decides."""
    person = with_access(here, f'{NOBODY}operators = ["{USER}"]\n')
    with operator(person.settings) as who:
        who.alerts.silence("memory", 5, "known")
        who.alerts.end_silence(1)
        with pytest.raises(Refused, match="not firing"):
            who.alerts.acknowledge(1, "")


def test_read_only_refuses_everybody_everything(here: Place, capsys: pytest.CaptureFixture[str]) -> None:
    nobody = with_access(here, READ_ONLY)
    before = rows(nobody)
    settings = str(nobody.settings.file)
    for command in (
        ("ack", "1"), ("silence", "memory", "--for", "1h", "--reason", "known"), ("silence", "--end", "1"),
        ("incident", "note", "what I saw"), ("notify", "test"),
    ):  # fmt: skip
        assert cli.main(["--config", settings, *command]) == 2, command
        assert "read_only" in capsys.readouterr().err, command
    with operator(nobody.settings) as person, pytest.raises(Refused, match="read-only"):
        person.polls.poll_now()
    ticket = nobody.desk.plan(nobody.request(risk="safe"))
    with pytest.raises(Refused, match=r"you may not do this, which is safe: read-only: access.read_only is set"):
        ticket.confirm(reason="why", typed="f1f1f1f")
    ticket.leave()
    assert not any("access.operators" in words for words in ticket.plan.refusals), "no role helps"
    assert rows(nobody) == before and nobody.made() == set()
    assert nobody.desk.role_words == "READ-ONLY"
    assert standing(Access(admins=(USER,), read_only=True)).role is Role.VIEWER


def test_settings_of_acting_that_cannot_work_refuse_in_words(here: Place) -> None:
    broken = with_access(here, f'{NOBODY}operators = "{USER}"\n')
    with operator(broken.settings) as person, pytest.raises(Refused, match="operators"):
        person.alerts.silence("memory", 5, "known")


def test_what_is_told_is_one_line_of_json_to_scripts(here: Place, capsys: pytest.CaptureFixture[str]) -> None:
    viewer = with_access(here, WITHOUT["none"])
    assert cli.main(["--config", str(viewer.settings.file), "ack", "1", "--json"]) == 2
    told = capsys.readouterr()
    assert "only an operator may" in told.err and (not told.out or json.loads(told.out))
