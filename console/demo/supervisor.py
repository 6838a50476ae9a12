"""`python -m console.demo.supervisor PARENT_PID DIRECTORY main|thread`: the one process that owns a demo.

Everything of the demo is a child of this process' main thread and dies with it; it dies with the `radar` that started
it: by the closed standard input, and by the kernel's signal when that one was started from its main thread. On standard
output it says one JSON line: `ready` with the path of radar.toml, or `error` in words.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg

from console.demo import certificates, configuration, database
from console.demo.children import Child, ChildFault
from console.demo.control import Control
from console.demo.lifetime import die_with_parent
from console.demo.place import InUse, claim, discard_data
from console.demo.ports import LOOPBACK, Ports
from console.demo.server import EmbeddedPostgres, ServerFault
from console.demo.switches import Refusal, Switches
from console.demo.world import SEED, author

PORT_NAMES = (
    "backend", "users", "tls", "database", "pooler", "vercel", "supabase", "gateway", "github", "status", "sinks",
    "witness1", "witness2", "prometheus", "edge_config", "staging",
)  # fmt: skip
LARGEST_LOG_BYTES = 10_000_000
TICK_S = 1.0
FAULTS = (ChildFault, ServerFault, Refusal, InUse, psycopg.Error, OSError)
Message = dict[str, Any]


class Supervisor:
    """Starts the parts in parallel, carries out what the control socket asks, ends everything."""

    def __init__(self, directory: Path, inbox: queue.SimpleQueue[Callable[[], None] | None]) -> None:
        self.directory, self._inbox = directory, inbox
        self._world = author(time.time_ns() // 1_000_000, SEED)
        self._tokens = configuration.Tokens()
        self._ports = Ports(PORT_NAMES)
        self._server = EmbeddedPostgres(directory / "postgres")
        self._children = {name: Child(f"console.demo.{name}", directory, self._unasked) for name in _CHILDREN}
        self._switches = Switches(
            self._server, self._children["backend"], self._children["standins"], lambda: self._revive("backend")
        )
        newest = _deployment(asdict(self._world.deployments[-1]))
        self._serving: dict[str, Message] = {"production": newest, "staging": newest}
        self._moves: queue.SimpleQueue[tuple[str, Message]] = queue.SimpleQueue()
        self._control: Control | None = None

    def start(self) -> Path:
        """Start everything; gives the path of radar.toml. Raises one of `FAULTS`."""
        for child in self._children.values():
            child.spawn()
        certificates.make(self.directory / "tls")
        self._configure("history")
        self._server.start()
        self._configure("standins")
        database.create(self._server, self._world)
        self._configure("backend")
        for name in ("standins", "backend", "history"):
            self._children[name].wait_ready()
        self._configure("load")
        self._children["load"].wait_ready()
        self._control = Control(self.directory, self._take)
        return configuration.write(self.directory, self._ports.numbers(), self._tokens, self._server.password)

    def run(self) -> None:
        """Carry out orders until `None` comes."""
        while True:
            try:
                work = self._inbox.get(timeout=TICK_S)
            except queue.Empty:
                work = self._tick
            if work is None:
                return
            self._guarded(work)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
            self._follow_moves()
        except FAULTS:  # a part that does not come back must not take the rest with it; the log says why
            traceback.print_exc()

    def stop(self) -> None:
        """End everything at once; the data are made anew at the next start."""
        if self._control is not None:
            self._control.close()
        for child in self._children.values():
            child.kill()
        self._server.stop("immediate")
        discard_data(self.directory)

    def _configure(self, name: str) -> None:
        self._children[name].configure(getattr(self, f"_{name}_configuration")())

    def _history_configuration(self) -> Message:
        return {
            "now_ms": self._world.now_ms,
            "seed": self._world.seed,
            "store": str(self.directory / configuration.STATE / "demo" / "observed.db"),
            "certificate": f"certificate:{LOOPBACK}:{self._ports['tls']}",
        }

    def _standins_configuration(self) -> Message:
        return {
            "now_ms": self._world.now_ms,
            "seed": self._world.seed,
            "certificates": str(self.directory / "tls"),
            "database": self._server.dsn("authenticator"),
            "tokens": asdict(self._tokens),
            "ports": {**self._ports.numbers(), "postgres": self._server.port},
        }

    def _backend_configuration(self) -> Message:
        return {
            "log": str(self.directory / "logs" / "application.log"),
            "database": self._server.dsn("radar_app"),
            "port": self._ports["backend"],
            "users_port": self._ports["users"],
            "staging_port": self._ports["staging"],
            "maintenance": configuration.flag_address(self._ports["edge_config"], self._tokens),
            "orders": [
                *({"order": "serve", "target": name, "deployment": one} for name, one in self._serving.items()),
                {"order": "way", "open": "bastion-offline" not in self._switches.on},
                *self._switches.orders(),
            ],
        }

    def _load_configuration(self) -> Message:
        return {"port": self._ports["users"], "seed": self._world.seed}

    def _take(self, message: Message, reply: Callable[[Message], None]) -> None:
        """Called in a thread of the control socket."""
        self._inbox.put(lambda: reply(self._carry_out(message)))

    def _carry_out(self, message: Message) -> Message:
        try:
            if message.get("order") == "fault":
                self._switches.switch(str(message["name"]), bool(message["on"]))
                self._follow_moves()
        except FAULTS as fault:
            return {"error": f"{message.get('name')}: {str(fault).strip()}"}
        except (KeyError, TypeError) as error:
            return {"error": f"this request is not understood: {error!r}"}
        return {"faults": sorted(self._switches.on), "pid": os.getpid()}

    def _unasked(self, message: Message) -> None:
        """Called in a thread of a child's line: the stand-in for Vercel has moved production or staging."""
        if "moved" in message:
            self._moves.put((message["moved"], message["deployment"]))
            self._inbox.put(lambda: None)  # wakes `run`

    def _follow_moves(self) -> None:
        while not self._moves.empty():
            target, moved = self._moves.get()
            self._serving[target] = _deployment(moved)
            self._children["backend"].tell(order="serve", target=target, deployment=self._serving[target])

    def _tick(self) -> None:
        self._switches.tick()
        for name in ("backend", "standins", "load"):
            if not self._children[name].running and not (name == "backend" and "backend-down" in self._switches.on):
                print(f"{name} ended by itself: starting it again", file=sys.stderr, flush=True)
                self._revive(name)
        for log in (self.directory / "logs").glob("*.log"):
            if log.name != "application.log" and log.stat().st_size > LARGEST_LOG_BYTES:
                os.truncate(log, 0)  # its writers append

    def _revive(self, name: str) -> None:
        child = self._children[name]
        child.kill()
        child.spawn()
        self._configure(name)
        child.wait_ready()
        if name == "standins":
            self._switches.resume_standins()
            serving = child.ask(order="serving")
            for target in self._serving:
                self._moves.put((target, serving[target]))


_CHILDREN = ("standins", "history", "backend", "load")


def _deployment(document: Message) -> Message:
    """What the backend must know of a deployment."""
    return {"id": document["id"], "short": document["sha"][:7], **{key: document[key] for key in ("version", "faulty")}}


def main() -> int:
    """Run a demo to its end; gives the exit status."""
    parent, directory, thread = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: inbox.put(None))
    if thread == "main":
        die_with_parent(parent, signal.SIGTERM)
    threading.Thread(target=_watch_parent, args=(inbox,), daemon=True).start()
    try:
        lock = claim(directory)
        os.dup2(os.open(directory / "logs" / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
    except FAULTS as fault:
        return _say(error=str(fault))
    status = _serve(Supervisor(directory, inbox))
    os.close(lock)
    return status


def _serve(supervisor: Supervisor) -> int:
    try:
        _say(ready=str(supervisor.start()))
        supervisor.run()
    except FAULTS as fault:
        traceback.print_exc()
        return _say(error=str(fault).strip())
    finally:
        supervisor.stop()
    return 0


def _watch_parent(inbox: queue.SimpleQueue[Callable[[], None] | None]) -> None:
    """Whoever started us holds the other end of our standard input: it closes however that process ends."""
    while os.read(0, 4096):
        pass
    inbox.put(None)


def _say(**message: str) -> int:
    os.write(1, json.dumps(message).encode() + b"\n")
    return 1


if __name__ == "__main__":
    status = main()
    os._exit(status)  # threads that wait for a client or a child must not delay the end
