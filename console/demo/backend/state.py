"""What the reference backend is just now: which deployment serves, and which faults are on."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Serving:
    """The deployment that serves production, as the stand-in for Vercel named it."""

    id: str = ""
    short: str = ""
    version: str = "1.0.0"
    faulty: bool = False


@dataclass(slots=True)
class State:
    """Mutable, of one event loop."""

    serving: Serving = field(default_factory=Serving)
    faults: set[str] = field(default_factory=set)
    maintenance: str | None = None
    """What visitors are told in maintenance; None: it is off."""
    cached_health: tuple[bytes, float] | None = None
    """The answer that the edge froze (fault health-cached), and when (monotonic seconds)."""
    began_s: float = field(default_factory=time.monotonic)

    def apply(self, message: dict[str, Any]) -> None:
        """Take over an order of the supervisor."""
        if message["order"] == "serve":
            self.serving = Serving(**message["deployment"])
        elif message["order"] == "fault":
            (self.faults.add if message["on"] else self.faults.discard)(message["name"])
            self.cached_health = None
