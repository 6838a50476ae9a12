"""The line is cut while an operator acts: hung up, by SIGHUP, and by a real SSH connection that breaks. Before the yes
nothing is done; after it the run goes to its end, whichever step it was in."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.actions.desk import NoAnswer, Runner
from console.actions.messages import Reply
from console.model.actions import RunOutcome, StepOutcome
from console.model.ports import Refused
from console.store.journal import Journal
from console.store.records import identity
from tests.actions.place import Place, place
from tests.e2e.terminal import Terminal

PHRASE = "f1f1f1f"
ROOT = Path(__file__).parents[2]
SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
PATIENCE_S = 20.0
STEPS = ("ask", "again", "tell", "watch")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return place(tmp_path, monkeypatch)


def command(here: Place, *script: str) -> list[str]:
    return [sys.executable, "-m", "tests.actions.acting_scripted", str(here.settings.file), str(here.remote), *script]


def until(condition: Callable[[], object], what: str) -> None:
    stop_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < stop_s, f"not within {PATIENCE_S:g} s: {what}"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


# The ways of cutting


def hang_up(terminal: Terminal, here: Place) -> None:
    """The terminal is gone: an emulator that crashed, a multiplexer that was killed."""
    terminal.hang_up()


def signal_hup(terminal: Terminal, here: Place) -> None:
    """SIGHUP to everything in the terminal's foreground."""
    os.killpg(os.getpgid(int((here.remote / "console").read_text())), signal.SIGHUP)
    terminal.wait_exit()


def lose_ssh(terminal: Terminal, here: Place) -> None:
    """The operator's machine is gone: the client dies without a word, and sshd finds the connection closed."""
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.wait_exit()


class SshServer:
    """A real sshd on loopback with a key of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        for name in ("host", "client"):
            made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)]
            subprocess.run(made, check=True, stdin=subprocess.DEVNULL)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (directory / "config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {directory}/host\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {directory}/client.pub\nStrictModes no\nPermitRootLogin prohibit-password\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        )
        assert SSHD is not None
        self._log = (directory / "log").open("wb")
        self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(directory / "config")], stderr=self._log)
        until(lambda: self.process.poll() is not None or self._listens(), "sshd listens")

    def _listens(self) -> bool:
        return b"Server listening" in (self._directory / "log").read_bytes()

    def command(self, what: list[str]) -> list[str]:
        """That, over SSH, with a terminal."""
        options = ["-F", "none", "-tt", "-i", str(self._directory / "client"), "-p", str(self.port)]
        for option in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes", "LogLevel=ERROR"):
            options += ["-o", option]
        return ["ssh", *options, f"{getpass.getuser()}@127.0.0.1", f"cd {shlex.quote(str(ROOT))} && {shlex.join(what)}"]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self._log.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    if SSHD is None or not shutil.which("ssh") or not shutil.which("ssh-keygen"):
        pytest.skip("sshd is not installed (Debian: apt install openssh-server)")
    needed = Path("/run/sshd")  # where sshd of the system keeps its privilege separation
    if os.geteuid() == 0 and not needed.exists():
        needed.mkdir(mode=0o755)
    running = SshServer(tmp_path_factory.mktemp("ssh"))
    if running.process.poll() is not None:
        pytest.skip("sshd does not start here")
    yield running
    running.stop()


class Line:
    """A command at the far end of something that can be cut."""

    def __init__(self, kind: str, request: pytest.FixtureRequest) -> None:
        self._ssh: SshServer | None = request.getfixturevalue("server") if kind == "ssh" else None
        self.cut = {"hung up": hang_up, "SIGHUP": signal_hup, "ssh": lose_ssh}[kind]

    def open(self, here: Place, *script: str) -> Terminal:
        wanted = command(here, *script)
        return Terminal(self._ssh.command(wanted) if self._ssh else wanted, columns=160, rows=48)


@pytest.fixture
def line(request: pytest.FixtureRequest) -> Line:
    return Line(request.param, request)


EVERY = pytest.mark.parametrize("line", ["hung up", "SIGHUP", "ssh"], indirect=True)


def nothing_was_done(here: Place) -> None:
    until(lambda: is_gone(int((here.remote / "console").read_text())), "the command is gone")
    assert here.made() == set() and here.reader().actions(None).runs == ()


@EVERY
def test_cut_while_planning_nothing_is_done(here: Place, line: Line) -> None:
    with line.open(here, "look=wait") as terminal:
        until(lambda: terminal.pump() and (here.remote / "looks").exists(), "the runner looks")
        line.cut(terminal, here)
        (here.remote / "go").touch()
        until(lambda: is_gone(int((here.remote / "looks").read_text())), "the runner is gone")
        nothing_was_done(here)


@EVERY
@pytest.mark.parametrize("asked", ["REASON", "TYPE"])
def test_cut_while_asked_nothing_is_done(here: Place, line: Line, asked: str) -> None:
    (here.remote / "go").touch()
    with line.open(here, "look=wait") as terminal:
        terminal.expect("^REASON")
        if asked == "TYPE":
            terminal.type("it is broken\r")
            terminal.expect("^TYPE")
            terminal.type(PHRASE)  # all but the Enter
            terminal.expect(f"leave: {PHRASE}")
        line.cut(terminal, here)
        until(lambda: is_gone(int((here.remote / "looks").read_text())), "the runner is gone")
        nothing_was_done(here)


@pytest.mark.parametrize(("line", "step"), [
    *(("hung up", step) for step in STEPS), *(("ssh", step) for step in STEPS), ("SIGHUP", "again"),
], indirect=["line"])  # fmt: skip
def test_cut_in_a_step_the_run_goes_on_to_its_end(here: Place, line: Line, step: str) -> None:
    with line.open(here, f"{step}=wait") as terminal:
        terminal.expect("^REASON")
        terminal.type("it is broken\r")
        terminal.expect("^TYPE")
        terminal.type(f"{PHRASE}\r")
        terminal.expect(r"begun +" + {"ask": "make the first", "again": "make the second"}.get(step, step))
        journal = Journal(here.records(), identity())
        until(lambda: ("waits", step) in [(each.words, each.step) for each in journal.entries(1)], "the step waits")
        line.cut(terminal, here)
        until(lambda: is_gone(int((here.remote / "console").read_text())), "the command is gone")
        (run,) = here.reader().actions(None).runs
        assert run.outcome is RunOutcome.RUNNING  # for anybody who looks
        (here.remote / "go").touch()
        view = here.ended(run.token)
        assert view.run is not None and view.run.outcome is RunOutcome.DONE
        assert [each.outcome for each in view.steps] == [StepOutcome.DONE] * 4
        assert here.made() == {"ask", "again"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, NoAnswer("the runner gave no answer within 30 s")])
def test_who_leaves_between_the_yes_and_its_answer_ends_no_run(
    here: Place, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Control-C in that instant, or a runner that takes longer than we wait: it has begun, and is not killed."""
    ticket = here.desk.plan(here.request(ask="wait"))

    def receive(self: Runner, timeout_s: float = 0.0) -> Reply:
        until(lambda: here.reader().actions(None).runs, "the first row stands")
        raise error

    monkeypatch.setattr(Runner, "receive", receive)
    with pytest.raises((KeyboardInterrupt, Refused)) as raised:
        ticket.confirm(reason="why", typed=PHRASE)
    assert raised.type is KeyboardInterrupt or "whether it began stands in the journal" in str(raised.value)
    ticket.leave()
    (run,) = here.reader().actions(None).runs
    assert run.outcome is RunOutcome.RUNNING
    (here.remote / "go").touch()
    view = here.ended(run.token)
    assert view.run is not None and view.run.outcome is RunOutcome.DONE
