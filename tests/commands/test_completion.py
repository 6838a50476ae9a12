"""The generated scripts, run by the shells themselves where they are installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from console.cli import COMMANDS
from console.demo.faults import FAULTS
from tests.commands.conftest import Radar


def bash_words(script: str, *typed: str) -> set[str]:
    """What bash offers after `radar TYPED…`."""
    words = " ".join(f"'{word}'" for word in ("radar", *typed))
    program = f'{script}\nCOMP_WORDS=({words}); COMP_CWORD={len(typed)}; _radar; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "--norc", "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


def test_bash_offers_commands_options_and_faults(radar: Radar) -> None:
    script = radar("completion", "bash").out
    assert set(COMMANDS) <= bash_words(script, "")
    assert bash_words(script, "ch") == {"check"}
    assert bash_words(script, "--config", "x.toml", "check", "--j") == {"--json"}
    assert "--history" in bash_words(script, "alerts", "--")
    assert "--history" not in bash_words(script, "check", "--")
    assert set(FAULTS) <= bash_words(script, "demo", "fault", "")
    assert bash_words(script, "demo", "fault", "backend-down", "o") == {"on", "off"}
    assert bash_words(script, "completion", "") >= {"bash", "zsh", "fish"}


def test_bash_offers_files_after_an_option_that_takes_one(radar: Radar, tmp_path: Path) -> None:
    (tmp_path / "radar.toml").touch()
    assert bash_words(radar("completion", "bash").out, "--config", f"{tmp_path}/ra") == {f"{tmp_path}/radar.toml"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_reads_its_script(radar: Radar, shell: str) -> None:
    script = radar("completion", shell).out
    assert all(name in script for name in (*COMMANDS, *FAULTS))
    if (program := shutil.which(shell)) is not None:
        done = subprocess.run([program, "-n"], input=script, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


def test_fish_offers_what_bash_offers(radar: Radar) -> None:
    program = shutil.which("fish")
    if program is None:
        return  # bash, which every machine has, is tested above
    script = radar("completion", "fish").out

    def offered(line: str) -> set[str]:
        typed = f"{script}\ncomplete -C {line!r}"
        done = subprocess.run([program, "--no-config", "-c", typed], capture_output=True, text=True, check=True)
        return {word.split("\t")[0] for word in done.stdout.splitlines()}

    assert set(COMMANDS) <= offered("radar ")
    assert set(FAULTS) <= offered("radar demo fault ")
    assert "--history" in offered("radar alerts --")


def test_an_unknown_shell_is_refused(radar: Radar) -> None:
    assert radar("completion", "tcsh").status == 3


@pytest.mark.parametrize(("typed", "offered"), [
    (("rollback", "--"), {"--to", "--hold-ci", "--plan", "--escape", "--reason", "--confirm", "--no-wait", "--json"}),
    (("deploy", ""), {"staging", "production"}), (("freeze", "o"), {"on", "off"}),
    (("maintenance", ""), {"on", "off", "status", "cancel", "table"}), (("incident", ""), {"note", "export"}),
    (("incident", "export", "--"), {"--from", "--to", "--output"}), (("audit", ""), {"verify"}),
    (("actions", ""), {"show", "resume", "close", "cancel"}), (("handover", "--s"), {"--since"}),
])  # fmt: skip
def test_bash_knows_the_commands_that_act(radar: Radar, typed: tuple[str, ...], offered: set[str]) -> None:
    assert offered <= bash_words(radar("completion", "bash").out, *typed)


def test_bash_offers_files_where_one_is_written(radar: Radar, tmp_path: Path) -> None:
    (tmp_path / "notes.md").touch()
    script = radar("completion", "bash").out
    assert bash_words(script, "incident", "export", "--output", f"{tmp_path}/no") == {f"{tmp_path}/notes.md"}
