"""An incident note is put on record, refused in words, or kept until it is sent."""

from __future__ import annotations

from dataclasses import replace

from console.model.configuration import Secret
from screens.health import HealthScreen
from screens.note import NotePage
from tests.screens.conftest import MakeApp
from tests.screens.driving import text_of, until, until_fed, until_text
from tests.screens.scripted_desk import ScriptedNotes


async def test_a_note_is_put_on_record(make_app: MakeApp) -> None:
    notes = ScriptedNotes()
    async with make_app(notes=notes).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("i", *"q1: db", "enter")
        await until_text(pilot, "the note is on record", "#footer")
    assert notes.taken == ["q1: db"]


async def test_an_empty_note_and_a_refused_one_are_told(make_app: MakeApp) -> None:
    notes = ScriptedNotes(refusal="the disk is full")
    app = make_app(notes=notes)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("i", "enter")
        await until_text(pilot, "nothing to put on record")
        await pilot.press(*"seen", "enter")
        await until_text(pilot, "Not on record: the disk is full")
        assert app.session.note == "seen"
        notes.refusal = None
        await pilot.press("enter")
        await until_text(pilot, "the note is on record", "#footer")
        assert app.session.note == ""
    assert notes.taken == ["seen"]


async def test_a_note_that_is_not_sent_is_kept_and_esc_and_q_ask(make_app: MakeApp) -> None:
    app = make_app(notes=ScriptedNotes())
    async with app.run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("i", *"half", "escape")
        await until_text(pilot, "Esc again leaves")
        assert isinstance(app.screen, NotePage)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HealthScreen), "left")
        await pilot.press("q")
        await until_text(pilot, "a note is begun and not sent", "#footer")
        assert app.is_running
        await pilot.press("q")
    assert app.return_code == 0
    app = make_app(notes=ScriptedNotes())
    async with app.run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("i")
        await until(pilot, lambda: getattr(app.focused, "value", "") == "half", "opened again, at the next start too")


async def test_not_live_there_is_no_note(make_app: MakeApp) -> None:
    async with make_app(notes=ScriptedNotes()).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("p", "i")
        await until_text(pilot, "a note bears the time of now", "#footer")
        assert "INCIDENT NOTE" not in text_of(pilot)


async def test_a_secret_in_a_note_is_hidden_and_that_is_told(make_app: MakeApp) -> None:
    async with make_app(notes=ScriptedNotes(secret="xyzzy1")).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("i", *"is xyzzy1", "enter")
        await until_text(pilot, "on record; a secret of the settings stood in it", "#footer")


async def test_a_note_that_is_not_sent_is_kept_without_secrets(make_app: MakeApp) -> None:
    app = make_app(notes=ScriptedNotes())
    app.settings = replace(
        app.settings, environment=replace(app.settings.environment, database=Secret("postgresql://u:xyzzy12@h/d"))
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("i", *"is xyzzy12", "escape", "escape", "q", "q")
    assert "is (hidden)" in app.session_path.read_text()
