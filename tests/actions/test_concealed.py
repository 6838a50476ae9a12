"""A secret as setting or argument: in no process list, no child's environment, no journal, audit, log or answer."""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path

import msgspec
import psutil
import pytest

from console import cli
from console.actions.desk import Desk
from console.actions.messages import Entry
from console.model.configuration import Environment, Secret, Vercel
from console.model.ports import Refused
from console.model.secrets import Concealer
from console.model.views import AlertsView
from console.settings import load
from console.store.journal import Journal
from console.store.notes import NoteBook
from console.store.records import AlertBook, identity
from tests.actions.place import Place, place
from tests.screens.sample import header
from tests.screens.sample_alerts import FIRING

PHRASE = "f1f1f1f"
TOKEN = 'vcp_"Ünlikely4711\\Token'
HOOK = "https://hooks.example.com/services/T0/B0/unlikely4712hook"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = place(tmp_path, monkeypatch)
    file = made.settings.file
    file.write_text(
        file.read_text() + '[environments.test.vercel]\ntoken = "${VERCEL_TOKEN}"\nproject = "prj_1"\n'
        '[environments.test.slack]\nwebhook = "${SLACK}"\n'
    )
    monkeypatch.setenv("VERCEL_TOKEN", TOKEN)
    monkeypatch.setenv("SLACK", HOOK)
    made.settings = load(file, "test", VARIABLES)
    return made


VARIABLES = {"PATH": os.environ["PATH"], "VERCEL_TOKEN": TOKEN, "SLACK": HOOK}
MARKS = tuple(
    form.encode()
    for secret in (TOKEN, HOOK, "unlikely4712hook")
    for form in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1])
)


def shows(content: bytes) -> bool:
    return any(mark in content for mark in MARKS)


def kept(here: Place) -> dict[str, bytes]:
    """Every file of the state directory: records, audit, run logs, locks."""
    return {str(path): path.read_bytes() for path in here.settings.state_directory.rglob("*") if path.is_file()}


def answers(here: Place) -> Desk:
    return Desk(here.settings, VARIABLES)


def test_the_marks_would_be_seen(here: Place) -> None:
    assert shows(json.dumps({"a": TOKEN}).encode()) and shows(msgspec.json.encode({"a": TOKEN}))
    assert shows(traceback.format_exception_only(ValueError(TOKEN))[0].encode()) and not shows(b"vcp_")


@pytest.mark.parametrize("script", ["leak-error", "leak-rejected", "leak-words"])
def test_what_a_step_lets_out_is_kept_nowhere(here: Place, script: str) -> None:
    request = here.request(tell=script, watch=script, message=f"with {TOKEN} and {HOOK}")
    ticket = answers(here).plan(request)
    assert not shows(msgspec.json.encode(ticket.plan)) and "(hidden)" in str(ticket.plan.data["message"])
    view = here.ended(ticket.confirm(reason=f"the token {TOKEN}", typed=PHRASE))
    assert view.run is not None and view.run.reason == "the token (hidden)"
    found = kept(here)
    assert not [name for name, content in found.items() if shows(content)]
    assert any(b"(hidden)" in content for content in found.values())
    assert {name.rpartition(".")[2] for name in found} >= {"db", "log"}


def test_a_change_that_lets_it_out_while_it_is_resolved_too(here: Place) -> None:
    view = here.ended(answers(here).plan(here.request(ask="leak-error")).confirm(reason="why", typed=PHRASE))
    assert view.run is not None and view.run.outcome == "unknown"
    assert "a defect of the console: ValueError in scripted.py:" in view.run.words
    with pytest.raises(Refused) as refused:
        answers(here).resume(view.run.token)
    assert not shows(str(refused.value).encode())
    assert not [name for name, content in kept(here).items() if shows(content)]


@pytest.mark.parametrize(("look", "words"), [
    ("leak-error", "a defect of the console: ValueError in scripted.py:"), ("leak-refused", "not with (hidden)"),
])  # fmt: skip
def test_a_refusal_and_a_defect_while_looking_do_not_show_it(here: Place, look: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        answers(here).plan(here.request(look=look))
    assert words in str(refused.value) and not shows(str(refused.value).encode())


def test_it_is_in_no_process_list_and_no_environment(here: Place) -> None:
    token = answers(here).plan(here.request(ask="wait")).confirm(reason=TOKEN, typed=PHRASE)
    (run,) = Journal(here.records(), identity()).open_runs()
    runner = psutil.Process(run.pid)
    for process in (runner, *runner.children(recursive=True)):
        place_ = Path(f"/proc/{process.pid}")
        assert not shows((place_ / "cmdline").read_bytes() + (place_ / "environ").read_bytes())
        assert b"PYTHONPATH" in (place_ / "environ").read_bytes()  # it can be read at all
    (here.remote / "go").touch()
    here.ended(token)


def test_settings_that_cannot_be_read_are_told_without_it(here: Place) -> None:
    file = here.settings.file
    desk = answers(here)
    file.write_text(file.read_text().replace('project = "prj_1"', "project = 7"))
    with pytest.raises(Refused) as refused:
        desk.plan(here.request())
    assert "project" in str(refused.value) and not shows(str(refused.value).encode())


def test_what_is_entered_is_kept_without_it(here: Place) -> None:
    answers(here).enter(Entry(kind="note", text=f"rotated {TOKEN}"))
    found = kept(here)
    assert any(b"rotated (hidden)" in content for content in found.values())
    assert not [name for name, content in found.items() if shows(content)]


def test_short_values_are_no_secrets_and_text_is_left_alone() -> None:
    environment = Environment(name="e", url="https://a", vercel=Vercel(token=Secret("abc"), project="prj"))
    assert Concealer(environment)("abc in abcdef") == "abc in abcdef"
    environment = Environment(name="e", url="https://a", vercel=Vercel(token=Secret("abcdef"), project="prj"))
    assert Concealer(environment)("abc in abcdef") == "abc in (hidden)"


FREE = f"tok {TOKEN}, hook {HOOK}"
CONCEALED = "tok (hidden), hook (hidden)"


def test_an_entry_through_the_service_account_tells_what_is_on_record(here: Place) -> None:
    assert answers(here).enter(Entry(kind="silence", matcher="memory", minutes=5, text=FREE)) == CONCEALED
    assert not [name for name, content in kept(here).items() if shows(content)]


class Firing:
    """A reader that knows the sample's alerts."""

    def alerts(self, at_ms: int | None) -> AlertsView:
        return AlertsView(header=header(), firing=FIRING, history=(), rules=())


def test_acknowledgements_silences_and_notes_are_written_without_it(here: Place) -> None:
    conceal = Concealer(here.settings.environment, here.settings.operations())
    records = here.records()
    alerts = AlertBook(records, Firing(), identity(), lambda _: "", conceal)
    assert alerts.acknowledge(FIRING[0].id, FREE) == CONCEALED
    assert alerts.silence(f"memory/{TOKEN}", 5, f"{'x' * 490} {TOKEN}") == f"{'x' * 490} (hidden)"
    assert NoteBook(records, identity(), lambda _: "", conceal).add(FREE) == CONCEALED
    tables = [records.read(lambda c, name=name: c.execute(f"SELECT * FROM {name}").fetchall())  # type: ignore[misc]
              for name in ("acknowledgement", "silence", "note")]  # fmt: skip
    assert all("(hidden)" in str(table) for table in tables)
    assert not [name for name, content in kept(here).items() if shows(content)]


@pytest.mark.parametrize(("command", "told"), [
    (("incident", "note", FREE), "noted"), (("silence", "memory", "--for", "10m", "--reason", FREE), "memory is"),
])  # fmt: skip
def test_a_command_writes_it_without_and_says_so(
    here: Place, capsys: pytest.CaptureFixture[str], command: tuple[str, ...], told: str
) -> None:
    assert cli.main(["--config", str(here.settings.file), *command]) == 0
    out, err = capsys.readouterr()
    assert told in out and "a secret of the settings stood in it: on record it is (hidden)" in err
    assert cli.main(["--config", str(here.settings.file), *command, "--json"]) == 0
    assert CONCEALED in capsys.readouterr().out
    plain = [each.replace(FREE, "nothing to hide") for each in command]
    assert cli.main(["--config", str(here.settings.file), *plain]) == 0
    assert "secret" not in capsys.readouterr().err  # the counter-test
    found = kept(here)
    assert any(CONCEALED.encode() in content for content in found.values())
    assert not [name for name, content in found.items() if shows(content)]
