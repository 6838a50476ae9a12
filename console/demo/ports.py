"""Port numbers of one demo: chosen once and held for its life, so that a listener that was closed finds it again."""

from __future__ import annotations

import random
import socket

# Below Linux's range for outgoing connections (32768–60999): none of those takes a port that is closed for a while.
_RANGE = range(20_000, 32_000)
LOOPBACK = "127.0.0.1"


class Ports:
    """Names to port numbers on 127.0.0.1.

    Each is held by a bound socket that does not listen: connecting to it is refused, a listener of ours can bind
    beside it (both with SO_REUSEADDR), and another demo, which looks for ports without that option, passes it by.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._held = {name: _hold() for name in names}

    def __getitem__(self, name: str) -> int:
        return int(self._held[name].getsockname()[1])

    def numbers(self) -> dict[str, int]:
        """All of them."""
        return {name: self[name] for name in self._held}

    def close(self) -> None:
        """Let the ports go."""
        for held in self._held.values():
            held.close()


def _hold() -> socket.socket:
    for _ in range(200):
        held = socket.socket()
        try:
            held.bind((LOOPBACK, random.choice(_RANGE)))
        except OSError:
            held.close()
            continue
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return held
    raise OSError(f"no free port on {LOOPBACK} between {_RANGE.start} and {_RANGE.stop}")
