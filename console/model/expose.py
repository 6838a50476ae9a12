"""Where the collector may tell what it sees: on this host only. Pure."""

from __future__ import annotations

import ipaddress


class NotLoopback(ValueError):
    """The address is none, or can be reached from elsewhere; what is wrong, and what to write."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = "write 127.0.0.1:9464; whoever is to scrape from elsewhere comes through a proxy that asks who it is"


def loopback_address(text: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:9464`, `[::1]:9464` or `localhost:9464`. Raises `NotLoopback`.

    A name but `localhost` is refused whatever it means today: who answers for it may change its mind.
    """
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536) or not host:
        raise NotLoopback("this is no HOST:PORT")
    if host == "localhost":
        return "127.0.0.1", int(port)
    bare = host.removeprefix("[").removesuffix("]")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        raise NotLoopback("this is no address of this host") from None
    if not address.is_loopback or (address.version == 6) != host.startswith("["):
        raise NotLoopback("this can be reached from other hosts" if not address.is_loopback else "this is no HOST:PORT")
    return bare, int(port)
