"""The states that anything observed can be in, and their order.

A state is always shown as glyph + word + colour, so that no one of the three is needed to read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class State(StrEnum):
    """What is known of a thing. The value is the word shown to people."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"
    STALE = "stale"
    NOT_CONFIGURED = "not configured"


GLYPHS = {
    State.HEALTHY: "●",
    State.DEGRADED: "▲",
    State.UNHEALTHY: "✗",
    State.UNKNOWN: "?",
    State.STALE: "…",
    State.NOT_CONFIGURED: "∅",
}
ASCII_GLYPHS = {
    State.HEALTHY: "o",
    State.DEGRADED: "^",
    State.UNHEALTHY: "x",
    State.UNKNOWN: "?",
    State.STALE: "~",
    State.NOT_CONFIGURED: "-",
}
STRIP_GLYPHS = {
    State.HEALTHY: "·",
    State.DEGRADED: "^",
    State.UNHEALTHY: "x",
    State.UNKNOWN: "?",
    State.STALE: "?",
    State.NOT_CONFIGURED: " ",
}

# Unknown outranks healthy (it is never green) and not degraded (it is no finding).
_RANK = {
    State.NOT_CONFIGURED: 0,
    State.HEALTHY: 1,
    State.STALE: 2,
    State.UNKNOWN: 3,
    State.DEGRADED: 4,
    State.UNHEALTHY: 5,
}


def rank(state: State) -> int:
    """The badness of a state: greater is worse."""
    return _RANK[state]


def worst(states: Iterable[State]) -> State:
    """The worst of the states; `NOT_CONFIGURED` when there are none."""
    return max(states, key=rank, default=State.NOT_CONFIGURED)
