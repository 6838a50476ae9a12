"""The front of the counter: starts runners, passes plans and words between them and a screen or a command.

It decides nothing. Whoever talks to a runner without it gets the same refusals.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from console.actions.authority import standing
from console.actions.messages import LARGEST_LINE_BYTES, Entry, Opening, Reply, Word
from console.model.actions import ActionRequest, Plan
from console.model.configuration import Settings
from console.model.observation import Json
from console.model.ports import Refused
from console.model.roles import Authority

PLAN_TIMEOUT_S = 30.0
"""Every request of a preflight has its own limit, below this."""
END_S = 1.0
# What a runner may inherit. The variables that settings refer to come through its standard input.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "SSL_CERT_FILE")


class NoAnswer(Refused):
    """The runner said nothing in time, or nothing that can be read, or is gone."""


class Runner:
    """A runner's process and the two pipes to it."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
        )
        self._rest = b""

    def send(self, message: msgspec.Struct) -> None:
        """One line to it; a runner that is gone tells by its silence."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(msgspec.json.encode(message) + b"\n")
            self._process.stdin.flush()
        except OSError:
            return

    def receive(self, timeout_s: float = PLAN_TIMEOUT_S) -> Reply:
        """Its next line. Raises `Refused` when it says no, nothing, or nothing in time."""
        line = self._line(timeout_s)
        try:
            return msgspec.json.decode(line, type=Reply)
        except msgspec.DecodeError:
            raise NoAnswer("the runner's answer cannot be read") from None

    def leave(self) -> None:
        """End the talk. A runner that has begun goes on; one that has not ends."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # what was not sent is not wanted any more

    def stop(self) -> None:
        """Leave, and see to it that a runner that has not begun is gone."""
        self.leave()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _line(self, timeout_s: float) -> bytes:
        assert self._process.stdout is not None
        source, until_s = self._process.stdout.fileno(), time.monotonic() + timeout_s
        while b"\n" not in self._rest:
            left_s = until_s - time.monotonic()
            if left_s <= 0 or not select.select([source], [], [], left_s)[0]:
                raise NoAnswer(f"the runner gave no answer within {timeout_s:g} s")
            chunk = os.read(source, 65536)
            if not chunk or len(self._rest) > LARGEST_LINE_BYTES:
                raise NoAnswer("the runner ended without an answer; radar doctor examines what it needs")
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line


class Ticket:
    """See `ports.PlanTicket`."""

    def __init__(self, runner: Runner, reply: Reply) -> None:
        if reply.plan is None:
            raise Refused(reply.refused or reply.ended or "the runner made no plan")
        self._runner = runner
        self._plan = reply.plan
        self._reason = reply.reason
        self._left = self._confirmed = False

    @property
    def plan(self) -> Plan:
        """What would be done."""
        return self._plan

    @property
    def reason(self) -> str:
        """The reason under which this person is armed already; empty: one must be given."""
        return self._reason

    def change(self, parameters: Mapping[str, Json]) -> Plan:
        """The plan with other options. Raises `Refused`."""
        reply = self._ask(Word(say="change", parameters=dict(parameters)))
        if reply.plan is None:
            raise Refused(reply.refused or "the runner made no plan")
        self._plan = reply.plan
        return self._plan

    def confirm(self, *, reason: str, typed: str) -> str:
        """Carry it out; gives the token of the run, whose first journal row stands. Raises `Refused`."""
        self._confirmed = True  # from here until it says no, it may have begun: nothing may end it
        try:
            reply = self._ask(Word(say="confirm", reason=reason, typed=typed))
        except NoAnswer as silence:
            self.leave()
            raise Refused(f"{silence}: whether it began stands in the journal (radar actions)") from None
        if reply.begun is None:
            self._confirmed = False
            self._plan = reply.plan or self._plan
            raise Refused(reply.refused or "the runner did not begin")
        self.leave()
        return reply.begun

    def leave(self) -> None:
        """Nothing is done, unless it was confirmed."""
        if not self._left:
            self._left = True
            if self._confirmed:
                self._runner.leave()
            else:
                self._runner.stop()

    def _ask(self, word: Word) -> Reply:
        if self._left:
            raise Refused("this plan was left: ask for it again")
        self._runner.send(word)
        return self._runner.receive()


class Desk:
    """See `ports.ActionDesk`. One for a console or a command; its methods block."""

    def __init__(
        self, settings: Settings, process_environment: Mapping[str, str] = os.environ, *, break_glass: bool = False
    ) -> None:
        self._settings = settings
        self._break_glass = break_glass
        self._variables = dict(process_environment)
        self._spare: Runner | None = None

    @property
    def role_words(self) -> str:
        """`OPERATOR`, `VIEWER`, …: what the settings say of whoever runs this process."""
        access = self._settings.operations().access
        return "READ-ONLY" if access.read_only else standing(access).role.upper()

    @property
    def authority_words(self) -> str:
        """`guard rails` or `enforced`."""
        enforced = self._settings.operations().access.service is not None
        return str(Authority.ENFORCED if enforced else Authority.GUARD_RAILS)

    def prepare(self) -> None:
        """Start a runner that waits, imports done: a plan then stands 150 ms sooner. Ends with this process."""
        if self._spare is None:
            self._spare = self._start()

    def plan(self, request: ActionRequest) -> Ticket:
        """Look at the live facts and make the plan. Raises `Refused`."""
        return self._ticket(action=request.action, parameters=dict(request.parameters))

    def resume(self, token: str) -> Ticket:
        """The rest of an interrupted or unknown run. Raises `Refused`, also when the remote state ended it."""
        return self._ticket(resume=token)

    def close_run(self, token: str, reason: str) -> str:
        """End an open run by hand; what became of it, in words. Raises `Refused`."""
        runner = self._start()
        try:
            runner.send(self._opening(close=token))
            runner.send(Word(say="confirm", reason=reason))
            reply = runner.receive()
        finally:
            runner.stop()
        if reply.ended is None:
            raise Refused(reply.refused or "the runner did not close it")
        return reply.ended

    def enter(self, entry: Entry) -> str:
        """Have the service account write something into the people's records; gives its text as it is on record. Raises
        `Refused`."""
        runner = self._start()
        try:
            runner.send(self._opening(entry=entry))
            reply = runner.receive()
        finally:
            runner.stop()
        if reply.refused is not None or reply.ended is None:
            raise Refused(reply.refused or "the service account did not write it")
        return reply.recorded

    def close(self) -> None:
        """Let the spare runner go."""
        if self._spare is not None:
            self._spare.stop()
            self._spare = None

    def _ticket(self, **wanted: object) -> Ticket:
        runner, self._spare = self._spare or self._start(), None
        runner.send(self._opening(**wanted))
        try:
            return Ticket(runner, runner.receive())
        except Refused:
            runner.stop()
            raise

    def _opening(self, **wanted: object) -> Opening:
        opening = Opening(environment=self._settings.environment.name, break_glass=self._break_glass)
        if self._settings.operations().access.service is None:  # a service takes neither from us
            opening.file, opening.variables = str(self._settings.file), self._variables
        for name, value in wanted.items():
            setattr(opening, name, value)
        return opening

    def _start(self) -> Runner:
        access = self._settings.operations().access
        if access.service is not None:
            command = ["sudo", "--non-interactive", "--user", access.service, access.runner]
        else:
            command = [sys.executable, "-I", "-m", "console.actions.runner"]
        inherited = {name: self._variables[name] for name in _INHERITED if name in self._variables}
        try:
            return Runner(command, inherited)
        except OSError as error:
            raise Refused(f"the runner cannot be started: {Path(command[0]).name}: {error.strerror}") from None
