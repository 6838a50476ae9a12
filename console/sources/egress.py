"""The witness that tells a fault of the way from a fault of the target: two outside targets and a name to resolve."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from console.model.configuration import Egress, Environment
from console.model.observation import ErrorKind, Json, Observation, Origin, Outcome, Source
from console.model.states import State
from console.model.text import clean
from console.sources.base import CANCEL_MARGIN_S, Polled
from console.sources.faults import Fault
from console.sources.http import Clients, Limits, Request, fetch, shown

# Short: while the witness is awaited, nobody knows whose fault it is.
LIMITS = Limits(connect_s=2.0, read_s=3.0, total_s=4.0)
NAME_S = 3.0
OK = "ok"

TARGET = "egress"
_LOCAL_NAMES = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


class EgressSource(Polled):
    """All outside targets and the name, asked at once. One target that answers proves that this host is online."""

    def __init__(self, egress: Egress, clients: Clients, *, interval_s: float) -> None:
        super().__init__(TARGET, interval_s=interval_s, timeout_s=LIMITS.total_s + CANCEL_MARGIN_S)
        self._egress = egress
        self._clients = clients
        self._lookup: asyncio.Task[str] | None = None

    async def observe(self) -> Observation:
        """Whether this host reaches the outside."""
        reached = asyncio.gather(*map(self._reached, self._egress.targets))
        name, answers = await asyncio.gather(self._resolved(), reached)
        faults = [answer for answer in answers if answer is not None]
        said: dict[str, Json] = {
            shown(url): OK if answer is None else answer.words
            for url, answer in zip(self._egress.targets, answers, strict=True)
        }
        facts: dict[str, Json] = {"targets": said, "dns": name}
        return _judged(facts, faults, online=len(faults) < len(answers))

    async def close(self) -> None:
        """Release the connections. A lookup that hangs is left to its thread."""
        if self._lookup is not None:
            self._lookup.cancel()
        await asyncio.gather(*(self._clients.of(url).close() for url in self._egress.targets))

    async def _reached(self, url: str) -> Fault | None:
        """None when the outside target itself answered; a login page of a network does not count."""
        try:
            answer = await fetch(self._clients.of(url), Request(url=url, limits=LIMITS, cut=True))
        except Fault as fault:
            return fault
        if answer.location is not None:
            return Fault(ErrorKind.REDIRECT, "redirected elsewhere, as a network's login page does")
        return Fault(ErrorKind.STATUS, f"answers {answer.status}") if answer.status >= 400 else None

    async def _resolved(self) -> str:
        """`ok`, or why the name is not resolved. A lookup that hangs is waited for again, not begun a second time."""
        if self._lookup is None or self._lookup.done():
            self._lookup = asyncio.create_task(_look_up(self._egress.name))
        done, _ = await asyncio.wait({self._lookup}, timeout=NAME_S)
        return self._lookup.result() if done else f"no answer within {NAME_S:g} s"


async def _look_up(name: str) -> str:
    try:
        await asyncio.get_running_loop().getaddrinfo(name, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return "the name is not resolved"
    return OK


def build(environment: Environment, clients: Clients) -> list[Source]:
    """The witness, unless it is switched off, or is the default one while the application is on this very network."""
    egress = environment.egress
    if egress is None or not egress.targets or (egress == Egress() and is_local(environment.url)):
        return []
    return [EgressSource(egress, clients, interval_s=environment.intervals.egress_s)]


def is_local(url: str) -> bool:
    """Whether a URL means this host or its own network, as far as its text tells."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or "." not in host or host.endswith(_LOCAL_NAMES)
    return found.is_loopback or found.is_private or found.is_link_local


def _judged(facts: Mapping[str, Json], faults: list[Fault], *, online: bool) -> Observation:
    names = facts["dns"] == OK
    state = (State.HEALTHY if names else State.DEGRADED) if online else State.UNHEALTHY
    return Observation(
        target=TARGET,
        outcome=Outcome.ANSWERED if online else Outcome.FAILED,
        state=state,
        words=clean(_words(faults, str(facts["dns"]), online=online)),
        origin=Origin.HOST,
        error_kind=None if online else faults[0].kind,
        facts=facts,
        samples={"ok": 1.0 if online else 0.0},
    )


def _words(faults: list[Fault], names: str, *, online: bool) -> str:
    dns = "" if names == OK else f"; DNS: {names}"
    if not online:
        return f"no outside target answers: {faults[0].words}{dns}"
    return f"an outside target answers{dns}" + (f"; another does not: {faults[0].words}" if faults else "")
