"""What one poll of one target gives: the value that every source returns and the store keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from console.model.states import State
from console.model.value import value

if TYPE_CHECKING:
    Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
else:
    Json = Any  # msgspec, which decodes what goes through pipes, knows no recursive alias


class Origin(StrEnum):
    """From where a figure comes. A probe's figure is never labelled the application's."""

    USERS = "users"
    PROBE = "probe"
    SQL = "sql"
    API = "api"
    TLS = "tls"
    HOST = "host"
    PROMETHEUS = "prometheus"
    NONE = "none"


class Outcome(StrEnum):
    """How a poll ended. Only `ANSWERED` carries a new value."""

    ANSWERED = "answered"
    FAILED = "failed"  # the target was not reached, or not in time: its fault or the way's
    BLOCKED = "blocked"  # something answered in its place: challenge, cache, login page; says nothing of it
    FORBIDDEN = "forbidden"  # our credentials do not allow it
    HELD = "held"  # not tried: the circuit is open or the bastion is offline


class ErrorKind(StrEnum):
    """Why a poll did not answer, in the field's words."""

    DNS = "dns"
    CONNECT = "connect"
    TIMEOUT = "timeout"
    TLS = "tls"
    CLOSED = "closed"
    STATUS = "status"
    BODY = "body"
    TOO_LARGE = "too large"
    REDIRECT = "redirect"
    CHALLENGED = "challenged"
    CACHED = "cached"
    CREDENTIALS = "credentials"
    RATE_LIMITED = "rate limited"
    CIRCUIT = "circuit open"
    EGRESS = "egress down"
    LIMIT = "connection limit"
    INTERNAL = "internal"


class SeriesKind(StrEnum):
    """How a series' samples combine over time."""

    GAUGE = "gauge"
    DISTRIBUTION = "distribution"


@dataclass(frozen=True, slots=True)
class Buckets:
    """A foreign histogram's growth since the poll before: counts per upper bound, not cumulative.

    `bounds` are the exporter's own upper bounds in the series' unit, the last is `inf`.
    """

    bounds: tuple[float, ...]
    counts: tuple[float, ...]


Sample = float | Buckets

BUSINESS_VALUES = "business_values"
"""The fact of the target `metrics` that names those of its samples `business.…` that are values; others are growths."""
LONGEST_GROWTH = 3
"""A growth is of at most so many intervals. What grew in a longer gap is dropped: nobody knows when in it."""


@value
class Event:
    """Something that happened at a moment: deployment, migration, restart, clock jump, fault."""

    at_ms: int
    kind: str
    subject: str
    text: str
    state: State | None = None
    key: str = ""
    """Unique per happening, so that an event read twice is stored once. Empty: `kind/subject/at_ms`."""
    data: Mapping[str, Json] = field(default_factory=dict)


@value
class Observation:
    """What one poll gave. Text in it has passed `model.text`; secrets never enter it.

    `facts` are the judged facts without volatile fields (times of day, latencies, counters), so that an
    unchanged target extends its span. Changing numbers go to `samples`; lists that change with each poll
    (sessions, the raw answer) to `volatile`, kept 48 h with a size cap.
    """

    target: str
    outcome: Outcome
    state: State
    words: str
    """One line for people: what was seen, without changing numbers."""
    origin: Origin
    error_kind: ErrorKind | None = None
    facts: Mapping[str, Json] = field(default_factory=dict)
    samples: Mapping[str, Sample] = field(default_factory=dict)
    volatile: Mapping[str, Json] = field(default_factory=dict)
    events: tuple[Event, ...] = ()


class Source(Protocol):
    """One system, one target. Never two polls of it in flight: the collector sees to that."""

    @property
    def target(self) -> str:
        """The target's key, such as `health` or `route:/pricing`."""

    @property
    def interval_s(self) -> float:
        """Seconds between polls while all is well."""

    @property
    def timeout_s(self) -> float:
        """Seconds after which the collector cancels a poll."""

    async def observe(self) -> Observation:
        """Ask once. Expected faults are observations; an exception is a defect, kept visible as `INTERNAL`."""

    async def close(self) -> None:
        """Release connections. Does not wait for a target that hangs."""
