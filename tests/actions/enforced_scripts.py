"""What people try on the host of `site`: each function is run as root there, becomes one of them, and prints JSON."""

from __future__ import annotations

import json
import os
import pty
import signal
import stat
import subprocess
from pathlib import Path

from console.actions.desk import Desk
from console.actions.service_book import ServiceBook
from console.commands.parts import refuse_withheld
from console.model.actions import ActionRequest
from console.model.observation import Json
from console.model.ports import Refused
from console.settings import SYSTEM_FILE, SettingsError, load
from console.store.read import StoreReader
from tests.actions.site import ACCOUNTS, TOKEN, become

PHRASE = "production/f1f1f1f"


def act(directory: Path, name: str, risk: str = "disruptive", config: str = "") -> None:
    """Try the scripted action as that person."""
    become(name)
    told: dict[str, object] = {}
    try:
        settings = load(Path(config) if config else SYSTEM_FILE, "production", dict(os.environ))
        request = ActionRequest(action="scripted", parameters={"remote": str(directory / "remote"), "risk": risk})
        ticket = Desk(settings, dict(os.environ)).plan(request)
        told["checks"] = [check.words for check in ticket.plan.checks]
        token = ticket.confirm(reason="it is broken", typed=PHRASE)
        reader = StoreReader(settings.observed_path, settings.records_path, settings.environment, None)
        while (run := reader.run(token, None).run) is None or run.ended_ms is None:
            os.sched_yield()
        told |= {"outcome": run.outcome, "operator": run.operator, "authority": run.authority}
    except (Refused, SettingsError, OSError) as error:
        told["refused"] = str(error)
    print(json.dumps(told))


def cut(directory: Path, name: str) -> None:
    """That person begins at a terminal, and the line is cut while the first step runs."""
    child, line = pty.fork()
    if child == 0:
        become(name)
        settings = load(SYSTEM_FILE, "production", dict(os.environ))
        parameters: dict[str, Json] = {"remote": str(directory / "remote"), "ask": "wait"}
        ticket = Desk(settings, dict(os.environ)).plan(ActionRequest(action="scripted", parameters=parameters))
        print("begun", ticket.confirm(reason="it is broken", typed=PHRASE), flush=True)
        signal.pause()
    heard = b""
    while b"\n" not in heard.partition(b"begun ")[2]:
        heard += os.read(line, 4096)
    token = heard.partition(b"begun ")[2].split()[0].decode()
    os.close(line)
    told: dict[str, object] = {"ended_by": -os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}
    settings = load(SYSTEM_FILE, "production", dict(os.environ))
    reader = StoreReader(settings.observed_path, settings.records_path, settings.environment, None)
    told["then"] = run.outcome if (run := reader.run(token, None).run) else None
    (directory / "remote" / "go").touch()
    while (run := reader.run(token, None).run) is None or run.outcome == "running":
        os.sched_yield()
    print(json.dumps(told | {"outcome": run.outcome, "operator": run.operator}))


def own_configuration(directory: Path, name: str) -> None:
    """The same system by a file of one's own, in which one is admin and nothing is enforced."""
    file = directory / "own.toml"
    file.write_text(
        f'state_directory = "/tmp/own-{os.getpid()}"\n[environments.production]\nurl = "http://127.0.0.1:9"\n'
        f'[environments.production.access]\nadmins = ["{name}"]\n'
    )
    os.chown(file, ACCOUNTS[name], ACCOUNTS[name])
    # Past the desk, straight to a runner of one's own: whoever wants to can start one.
    act(directory, name, "disruptive", str(file))


def hold(directory: Path, name: str) -> None:
    """What that person can see and write of the service's."""
    own = directory / "state" / "production"
    _made_records()
    become(name)
    settings = load(SYSTEM_FILE, "production", dict(os.environ))
    token = settings.environment.vercel.token if settings.environment.vercel else None
    told: dict[str, object] = {
        "held_by": settings.held_by, "withheld": bool(token and token.withheld),
        "reads_env": os.access("/etc/radar/.env", os.R_OK), "writes_place": os.access(own, os.W_OK),
        "writes_records": os.access(own / "records.db", os.W_OK),
        "reads_records": os.access(own / "records.db", os.R_OK),
        "mode": stat.filemode((own / "records.db").stat().st_mode), "token_in_repr": TOKEN in repr(settings),
    }  # fmt: skip
    try:
        refuse_withheld(settings, "check")
    except SettingsError as error:
        told["check"] = str(error)
    print(json.dumps(told))


def _made_records() -> None:
    """An operator's entry makes records.db."""
    child = os.fork()
    if child == 0:
        become("rt-operator")
        ServiceBook(load(SYSTEM_FILE, "production", {})).poll_now()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def enter(directory: Path, name: str) -> None:
    """A note and a silence, in that person's name."""
    become(name)
    told: dict[str, object] = {}
    settings = load(SYSTEM_FILE, "production", {})
    book = ServiceBook(settings)
    try:
        book.silence("error-rate", 30, "known")
        book.add("saw it")
        reader = StoreReader(settings.observed_path, settings.records_path, settings.environment, None)
        told["by"] = [silence.by for silence in reader.alerts(None).silences]
    except Refused as error:
        told["refused"] = str(error)
    print(json.dumps(told))


def shell(directory: Path, name: str) -> None:
    """What sudo lets that person do besides: nothing."""
    become(name)
    tried = {
        "a shell": ["sudo", "-n", "-u", "radar", "/bin/sh", "-c", "id"],
        "an argument": ["sudo", "-n", "-u", "radar", "/usr/local/bin/radar-runner", "--config", "/tmp/x"],
        "as root": ["sudo", "-n", "/usr/local/bin/radar-runner"],
        "a variable": ["sudo", "-n", "-u", "radar", "PYTHONPATH=/tmp", "/usr/local/bin/radar-runner"],
    }
    done = {what: subprocess.run(how, capture_output=True, check=False, stdin=subprocess.DEVNULL).returncode
            for what, how in tried.items()}  # fmt: skip
    print(json.dumps(done))


def foreign_file(directory: Path, name: str) -> None:
    """Past the desk, by the rule itself: a file and an environment of one's own for the service's runner."""
    own = directory / "evil"
    own.mkdir(mode=0o755)
    (own / "radar.toml").write_text(
        '[environments.evil]\nurl = "http://127.0.0.1:1"\n[environments.evil.vercel]\ntoken = "${VERCEL_TOKEN}"\n'
        f'project = "p"\napi = "http://127.0.0.1:1"\n[environments.evil.access]\nadmins = ["radar", "{name}"]\n'
    )
    (own / ".env").symlink_to("/etc/radar/.env")
    become(name)
    opening = {"file": str(own / "radar.toml"), "environment": "evil", "entry": {"kind": "note", "text": "forged"}}
    done = subprocess.run(
        ["sudo", "-n", "-u", "radar", "/usr/local/bin/radar-runner"], input=json.dumps(opening) + "\n",
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    print(json.dumps({"said": done.stdout}))


def runs_directory(directory: Path, name: str) -> None:
    """What a reader may do to the locks of runs: nothing."""
    own = directory / "state" / "production" / "runs"
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        act(directory, "rt-operator")
        os._exit(0)
    os.waitpid(child, 0)
    become(name)
    log = next(own.glob("*.log"))
    told = {"mode": stat.filemode(own.stat().st_mode), "writes": os.access(own, os.W_OK)}
    try:
        log.unlink()
        told["unlinked"] = True
    except PermissionError:
        told["unlinked"] = False
    print(json.dumps(told))
