"""The settings of what can be done and who is told: read late, and told of with file, line, key and the fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.model.configuration import Secret
from console.model.operations import Operations
from console.settings import SettingsError, load
from tests.mistakes import OPERATIONS_MISTAKES

LEAST = '[environments.production]\nurl = "https://app.example.com"\n'


def write(directory: Path, text: str) -> Path:
    file = directory / "radar.toml"
    file.write_text(text)
    file.chmod(0o600)
    return file


@pytest.mark.parametrize(("line", "problem", "fix"), OPERATIONS_MISTAKES)
def test_a_mistake_names_file_line_key_problem_and_fix(tmp_path: Path, line: str, problem: str, fix: str) -> None:
    settings = load(write(tmp_path, f"# a comment\n\n{LEAST}{line}\nping = '/ping'\n"), None, {})
    with pytest.raises(SettingsError) as caught:  # what is watched works all the same: these are read when one acts
        settings.operations()
    error = caught.value
    assert problem in error.problem and fix in error.fix
    assert (error.file, error.line) == (tmp_path / "radar.toml", 5)
    assert error.key and error.key.startswith("environments.production.")
    assert "geheim" not in str(error)


def test_a_table_whose_name_is_misspelt_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'gihub' is not a setting here") as caught:
        load(write(tmp_path, LEAST + "gihub = {repository = 'o/n'}\n"), None, {})
    assert "github" in caught.value.fix


def test_without_any_of_it_nobody_may_act_and_nobody_is_told(tmp_path: Path) -> None:
    assert load(write(tmp_path, LEAST), None, {}).operations() == Operations()


def test_a_variable_is_missed_when_somebody_acts_and_not_before(tmp_path: Path) -> None:
    text = LEAST + '[environments.production.slack]\nwebhook = "${SLACK_WEBHOOK_URL}"\n'
    settings = load(write(tmp_path, text), None, {})
    with pytest.raises(SettingsError, match="the variable SLACK_WEBHOOK_URL is not set") as caught:
        settings.operations()
    assert caught.value.line == 4
    given = load(tmp_path / "radar.toml", None, {"SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/geheim"})
    slack = given.operations().slack
    assert slack and slack.webhook == Secret("https://hooks.slack.com/services/geheim")
    assert "geheim" not in repr(given.operations())


def test_loopback_may_be_unencrypted(tmp_path: Path) -> None:
    text = LEAST + "slack = {webhook = 'http://127.0.0.1:9/x'}\nnotify = {heartbeat = 'http://127.0.0.1:9/y'}\n"
    assert load(write(tmp_path, text), None, {}).operations().slack is not None
