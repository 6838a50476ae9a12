"""Configurations that are refused: those that others can write, and all that is wrong in one told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.settings import SettingsError, load
from tests.test_settings import LEAST, refused, write


def test_a_file_of_variables_that_everybody_can_change_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=b\n")
    (tmp_path / ".env").chmod(0o606)
    with pytest.raises(SettingsError, match=r"\.env: everybody on this host can change it"):
        load(write(tmp_path, LEAST), None, {})
    (tmp_path / ".env").chmod(0o600)
    assert load(write(tmp_path, LEAST), None, {}).warnings == ()


@pytest.mark.parametrize(("mode", "refuses"), [(0o777, True), (0o1777, False), (0o755, False)])
def test_a_file_that_everybody_can_replace_is_refused(tmp_path: Path, mode: int, refuses: bool) -> None:
    file = write(tmp_path, LEAST)
    tmp_path.chmod(mode)
    if not refuses:
        assert load(file, None, {}).environment.url
        return
    with pytest.raises(SettingsError, match="can put another in its place"):
        load(file, None, {})


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = (
        LEAST
        + 'routs = ["/"]\ndatabase = "${DATABASE_URL}"\ninterval_s = "x"\n'
        + '[environments.production.vercel]\ntoken = "${V}"\n'
    )
    error = refused(tmp_path, text)
    told = [one.key for one in (error, *error.others)]
    assert {f"environments.production.{key}" for key in ("routs", "database", "vercel.token", "interval_s")} == set(
        told
    )
    assert all(word in str(error) for word in ("did you mean routes?", "DATABASE_URL", "the variable V", "line 3"))


def test_mistakes_end_at_twenty_and_where_nothing_more_can_be_read(tmp_path: Path) -> None:
    many = LEAST + "".join(f"wrong{number} = 1\n" for number in range(60))
    assert len(refused(tmp_path, many).others) == 19
    alone = refused(tmp_path, '[environments.production]\nurl = "${U}"\n')
    assert not alone.others, "that it is missing, too, is no second mistake"
