"""What each fault does to the running parts, and how it is undone. Used by the supervisor, in its main thread."""

from __future__ import annotations

import signal
from collections.abc import Callable

from console.demo.children import Child
from console.demo.database import FaultSessions
from console.demo.faults import FAULTS
from console.demo.server import EmbeddedPostgres

IN_BACKEND = frozenset(
    {"backend-slow", "backend-errors", "memory-flap", "health-cached", "firewall-challenge", "log-flood"}
)
IN_DATABASE = frozenset({"lying-health", "connections-exhausted", "idle-in-transaction", "slow-queries"})
OWN = frozenset({"backend-down", "backend-hang", "db-down", "db-hang", "ci-migration-lock", "bastion-offline"})
"""Those that this module makes."""
IN_STANDINS = frozenset(FAULTS) - IN_BACKEND - IN_DATABASE - OWN


class Refusal(Exception):
    """The fault cannot be switched now; the text says why."""


class Switches:
    """Knows which faults are on. A part that is started again is told of them by `orders`."""

    def __init__(self, server: EmbeddedPostgres, backend: Child, standins: Child, start_backend: Callable[[], None]):
        self._server, self._backend, self._standins = server, backend, standins
        self._start_backend = start_backend
        self._sessions = FaultSessions(server)
        self.on: set[str] = set()
        self._others = {
            "backend-down": self._backend_down,
            "backend-hang": self._backend_hang,
            "db-down": self._db_down,
            "db-hang": self._db_hang,
            "ci-migration-lock": self._ci_migration_lock,
            "bastion-offline": self._bastion_offline,
        }

    def switch(self, name: str, on: bool) -> None:
        """Make or undo a fault. Raises `Refusal`, `ChildFault`, `ServerFault` or psycopg.Error."""
        if on == (name in self.on):
            return
        self._check(name)
        self._carry_out(name, on)
        (self.on.add if on else self.on.discard)(name)

    def tick(self) -> None:
        """Once a second: what a fault must keep doing."""
        if "connections-exhausted" in self.on and self._database_answers():
            self._sessions.refill()

    def orders(self) -> list[dict[str, object]]:
        """The faults that a new backend must know."""
        return [{"order": "fault", "name": name, "on": True} for name in sorted(self.on & IN_BACKEND)]

    def resume_standins(self) -> None:
        """Tell stand-ins that were started again of the faults that are on."""
        for name in sorted(self.on & (IN_STANDINS | {"ci-migration-lock", "bastion-offline"})):
            self._standins.ask(order="fault", name=name, on=True)
        self._standins.ask(order="database", up="db-down" not in self.on)

    def _check(self, name: str) -> None:
        needs_sql = name in IN_DATABASE or name == "ci-migration-lock"
        if needs_sql and not self._database_answers():
            raise Refusal(f"{name} needs a database that answers: switch db-down and db-hang off first")
        for pair in (("db-down", "db-hang"), ("backend-down", "backend-hang")):
            others = self.on & set(pair) - {name}
            if name in pair and others:
                raise Refusal(f"{' and '.join(pair)} exclude each other: switch {others.pop()} off first")

    def _database_answers(self) -> bool:
        return not self.on & {"db-down", "db-hang"}

    def _carry_out(self, name: str, on: bool) -> None:
        if name in IN_BACKEND:
            self._tell_backend(order="fault", name=name, on=on)
        elif name in IN_STANDINS:
            self._standins.ask(order="fault", name=name, on=on)
        elif name in IN_DATABASE:
            (self._sessions.begin if on else self._sessions.end)(name)
        else:
            self._others[name](on)

    def _tell_backend(self, **message: object) -> None:
        """Wait for it unless it is stopped: then it obeys when it goes on. A dead one is told at its start."""
        if "backend-hang" in self.on:
            self._backend.tell(**message)
        elif "backend-down" not in self.on:
            self._backend.ask(**message)

    def _backend_down(self, on: bool) -> None:
        if on:
            self._backend.kill()
        else:
            self.on.discard("backend-down")
            self._start_backend()

    def _backend_hang(self, on: bool) -> None:
        self._backend.signal(signal.SIGSTOP if on else signal.SIGCONT)

    def _db_down(self, on: bool) -> None:
        if on:
            self._standins.ask(order="database", up=False)
            self._server.stop("fast")
            self._end_with_server()
        else:
            self._server.start()
            self._standins.ask(order="database", up=True)

    def _end_with_server(self) -> None:
        """Faults that are sessions have ended with it."""
        self._sessions.drop()
        self._standins.ask(order="fault", name="ci-migration-lock", on=False)
        self.on -= {"connections-exhausted", "idle-in-transaction", "ci-migration-lock"}

    def _db_hang(self, on: bool) -> None:
        (self._server.freeze if on else self._server.thaw)()

    def _ci_migration_lock(self, on: bool) -> None:
        (self._sessions.begin if on else self._sessions.end)("ci-migration-lock")
        self._standins.ask(order="fault", name="ci-migration-lock", on=on)

    def _bastion_offline(self, on: bool) -> None:
        self._standins.ask(order="fault", name="bastion-offline", on=on)
        self._tell_backend(order="way", open=not on)
