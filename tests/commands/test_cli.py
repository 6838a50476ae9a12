"""What is typed, and how it ends."""

from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import sys
from importlib.metadata import version

import pytest

from console.cli import COMMANDS, parser
from console.commands.console import drawable
from console.commands.output import Output
from console.demo.control import Control
from console.model.states import State
from tests.commands.conftest import RADAR, Radar, Site


@pytest.mark.parametrize(
    "typed", [["--nonsense"], ["nonsense"], ["check", "--nonsense"], ["ack"], ["ack", "x"], ["--con", "x"]]
)
def test_errors_of_usage_end_with_3_and_the_usage(radar: Radar, typed: list[str]) -> None:
    done = radar(*typed)
    assert done.status == 3
    assert "usage: radar" in done.err
    assert done.out == ""


def test_help_names_every_command_and_fits_80_columns(radar: Radar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = radar("--help")
    assert done.status == 0
    assert all(name in done.out for name in COMMANDS)
    assert max(map(len, done.out.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(radar: Radar, command: str) -> None:
    done = radar(command, "--help")
    assert done.status == 0
    assert f"usage: radar {command}" in done.out


def test_the_version_is_the_installed_one(radar: Radar) -> None:
    assert radar("--version").out.strip() == f"radar {version('radar-console')}"


@pytest.mark.parametrize("place", ["before", "after"])
def test_common_options_stand_before_or_after_the_command(radar: Radar, place: str) -> None:
    option = ["--env", "nowhere"]
    done = radar(*option, "alerts") if place == "before" else radar("alerts", *option)
    assert done.status == 3
    assert "there is no environment 'nowhere'" in done.err


@pytest.mark.parametrize("command", ["check", "watch", "collect", "alerts", "doctor"])
def test_an_unusable_configuration_ends_with_3_and_no_traceback(radar: Radar, site: Site, command: str) -> None:
    site.file.write_text("[environments.production]\nurl = 5\n")
    done = radar(command)
    assert done.status == 3
    said = done.err + done.out
    assert "line 2" in said and "environments.production.url" in said
    assert "Traceback" not in said


def test_no_configuration_at_all_says_where_to_write_one(
    radar: Radar, monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    monkeypatch.setattr("console.settings.SYSTEM_FILE", site.directory / "none.toml")
    done = radar("alerts", config=False)
    assert done.status == 3
    assert "[environments.production]" in done.err and "radar demo" in done.err


def test_no_configuration_where_a_demo_runs_names_the_demos(
    radar: Radar, monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    monkeypatch.setattr("console.settings.SYSTEM_FILE", site.directory / "none.toml")
    demo = site.directory / ".local/state/radar-console/demo"
    demo.mkdir(parents=True)
    (demo / "radar.toml").touch()
    assert "--config" not in radar("alerts", config=False).err, "a demo that runs no more"
    control = Control(demo, lambda _, reply: reply({"faults": []}))
    try:
        done = radar("alerts", config=False)
    finally:
        control.close()
    assert done.status == 3
    assert f"--config {demo}/radar.toml" in done.err and "there is no configuration" in done.err


@pytest.mark.parametrize(
    ("variables", "ascii_only"),
    [
        ({"LANG": "C"}, True),
        ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, True),
        ({"PYTHONIOENCODING": "iso-8859-1"}, True),
        ({"LANG": "C.UTF-8"}, False),
        ({}, False),
    ],
)
def test_where_the_locale_is_ascii_so_is_what_is_printed(
    site: Site, variables: dict[str, str], ascii_only: bool
) -> None:
    clean = {name: value for name, value in site.variables.items() if name not in ("LANG", "LC_ALL", "LC_CTYPE")}
    command = [*RADAR, "--config", str(site.file), "doctor", "--offline"]
    done = subprocess.run(command, capture_output=True, env={**clean, **variables})
    assert done.stdout.isascii() is ascii_only
    assert (b"  o file: " in done.stdout) is ascii_only


def test_the_console_draws_in_ascii_where_the_locale_is(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert drawable(site.settings).display.glyphs == "unicode"
    monkeypatch.setenv("LANG", "C")
    assert drawable(site.settings).display.glyphs == "ascii"


def test_escapes_in_a_key_reach_no_terminal(radar: Radar, site: Site) -> None:
    site.file.write_text('[environments.production]\nurl = "https://a.example.com"\n"\\u001b[31mred" = 1\n')
    assert "\x1b" not in radar("alerts").err


@pytest.mark.parametrize("term", ["dumb", "", "xterm-256color"])
def test_without_a_terminal_the_console_names_the_command_to_use(site: Site, term: str) -> None:
    variables = {**site.variables, "TERM": term}
    done = subprocess.run(
        [*RADAR, "--config", str(site.file)], capture_output=True, text=True, env=variables, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 3
    assert "radar watch" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dumb_terminal_is_no_terminal_for_the_console(site: Site) -> None:
    from tests.e2e.terminal import Terminal

    with Terminal([*RADAR, "--config", str(site.file)], environment={**site.variables, "TERM": "dumb"}) as terminal:
        terminal.expect("radar watch", 20)
        assert terminal.wait_exit(10) == 3


def test_a_moment_that_is_none_is_refused_before_anything_is_opened(site: Site) -> None:
    from tests.e2e.terminal import Terminal

    command = [*RADAR, "--config", str(site.file), "--at", "soon"]
    with Terminal(command, environment={"HOME": str(site.directory)}) as terminal:
        terminal.expect("is no moment", 20)
        assert terminal.wait_exit(10) == 3
    assert not site.settings.state_directory.exists()


def test_a_command_imports_no_other(site: Site) -> None:
    code = (
        "import sys; from console.cli import main\n"
        f"main(['--config', {str(site.file)!r}, 'alerts'])\n"
        "print(sorted(name for name in sys.modules if name.startswith('console.commands.')), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=site.variables)
    assert not re.findall(r"commands\.(check|doctor|watch|demo|collect|completion)", done.stderr)
    assert "console.commands.alerts" in done.stderr


def test_a_reader_that_left_is_no_error(site: Site) -> None:
    read, write = os.pipe()
    os.close(read)
    process = site.start("completion", "fish", stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert process.communicate(timeout=30)[1] == ""
    assert process.returncode == 0


@pytest.mark.parametrize("typed", [
    ["--at", "-2h"], ["incident", "export", "--from", "-15m", "--to", "-1m"], ["handover", "--since", "-8h"],
])  # fmt: skip
def test_a_time_before_now_is_no_option(typed: list[str]) -> None:
    arguments = vars(parser(typed).parse_args(typed))
    assert {word for word in typed if word[:1] == "-" and word[1:2].isdigit()} <= {*map(str, arguments.values())}


@pytest.mark.parametrize("typed", [["--at"], ["--at", "--no-color"], ["handover", "--since"], ["handover", "-x"]])
def test_an_option_is_still_no_value(radar: Radar, typed: list[str]) -> None:
    assert radar(*typed).status == 3


def test_text_from_outside_colours_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("console.commands.output._may_colour", lambda: True)
    output = Output(argparse.Namespace(no_color=False))
    output.line(f"{output.state(State.UNHEALTHY)} \x1b[31mforged\x1b[0m \ufdd0:31m")
    output.table([(output.painted("a", State.DEGRADED), "b\x1b[2J\nc"), ("abc", "d")])
    assert capsys.readouterr().out == (
        "\x1b[31m✗ unhealthy\x1b[0m ␛[31mforged␛[0m \ufdd0:31m\n  \x1b[33ma\x1b[0m    b␛[2J↵c\n  abc  d\n"
    )
