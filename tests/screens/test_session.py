"""What is remembered between starts, and what a broken file does: nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.configuration import Display
from screens import session as sessions
from screens.session import Session
from tests.screens.conftest import MakeApp
from tests.screens.driving import text_of, until, until_fed, until_text
from tests.screens.sample import well
from tests.screens.sample_alerts import alerts
from tests.screens.scripted import ScriptedReads


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    kept = Session(theme="light", configured_theme="dark", cursors={"a": "b"}, scrolls={"c": 3}, filters={"d": "e"})
    assert sessions.save(tmp_path / "new" / "session.json", kept) is None
    assert sessions.load(tmp_path / "new" / "session.json") == kept


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "7", '{"cursors": [], "scrolls": {"a": "b", "c": true, "d": -1}}', "[" * 60_000],
)
def test_any_file_is_survived(tmp_path: Path, text: str) -> None:
    path = tmp_path / "session.json"
    path.write_text(text)
    assert sessions.load(path) == Session()


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(data: bytes) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        assert isinstance(sessions.load(Path(file.name)), Session)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "not kept" in (sessions.save(tmp_path / "file" / "session.json", Session()) or "")


def test_the_name_of_an_environment_cannot_leave_the_directory() -> None:
    assert sessions.session_file("../../etc/passwd", Path("/a")).parent == sessions.user_directory()


def test_two_stores_of_one_name_have_a_session_each(tmp_path: Path) -> None:
    one, other = (sessions.session_file("demo", tmp_path / name) for name in ("a", "b"))
    assert one != other and one == sessions.session_file("demo", tmp_path / "b" / ".." / "a")


def test_a_relative_state_home_is_not_used() -> None:
    assert sessions.user_directory({"XDG_STATE_HOME": "here"}).is_absolute()


async def test_the_next_start_opens_health_and_finds_cursor_filter_and_theme_again(make_app: MakeApp) -> None:
    first = make_app()
    async with first.run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("j", "9")
        await until_text(pilot, "FIRING 2")
        await pilot.press("slash", *"memory", "enter", "j", "colon", *"light", "enter")
        await until(pilot, lambda: pilot.app.theme == "light", "light")
        await pilot.press("q")
    # On a good night: else the cursor is on what is wrong.
    second = make_app(ScriptedReads(make_health=well, make_alerts=lambda: alerts(firing=())))
    async with second.run_test(size=(80, 24)) as pilot:
        await until_text(pilot, "▌users")  # Health, wherever one was
        assert second.current_mode == "health"
        assert second.theme == "light"
        await pilot.press("9")
        await until_text(pilot, "FIRING 0")
        assert "▌memory-high" in text_of(pilot)


async def test_a_changed_setting_wins_over_an_old_choice(make_app: MakeApp, tmp_path: Path) -> None:
    sessions.save(tmp_path / "session.json", Session(theme="light", configured_theme="dark"))
    assert make_app(display=Display(theme="dark")).theme == "light"
    assert make_app(display=Display(theme="colour-blind")).theme == "colour-blind"


@pytest.mark.parametrize("text", ["{", '{"theme": "pink", "cursors": {"health": "gone"}}'])
async def test_garbage_in_the_session_does_not_hinder_a_start(make_app: MakeApp, tmp_path: Path, text: str) -> None:
    (tmp_path / "session.json").write_text(text)
    async with make_app().run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        assert "▌routes" in text_of(pilot) and pilot.app.theme == "dark"
