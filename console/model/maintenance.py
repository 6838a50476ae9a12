"""The maintenance flag as a value, and what tells a maintenance page from a failing application. Rules only, no I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from console.model import payload
from console.model.notifications import SLACK, WEBHOOK
from console.model.observation import Json
from console.model.operations import Operations
from console.model.text import clean
from console.model.times import date_time, iso

HEADER = "x-maintenance"
"""The header by which an application says that it is its maintenance page that answers."""
HOLDING = "maintenance"
"""The kind of the ledger's entry, of the event and of the exclusion."""
PAGE_FACT = "maintenance_page"
"""The fact of how a probe's answer looks like the maintenance page; absent where it does not."""
MESSAGE_LIMIT = 200
DEFAULT_MARKER = "maintenance"
UNREADABLE = "not known: what is kept there cannot be read as a flag"
_OFF = frozenset({"", "0", "off", "false", "no"})

Sign = Literal["header", "page", "503", "marker", ""]
"""How an answer looks like the maintenance page: it says so itself; 503 with the marker; 503 alone; the marker alone
in an answer that is no 503; not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """What the application is told. `on` None: what stands there says nothing that can be understood."""

    on: bool | None
    message: str = ""
    since_ms: int | None = None
    until_ms: int | None = None
    """The planned end."""
    by: str = ""

    @property
    def value(self) -> dict[str, Json]:
        """As it is written. `enabled`, `message` and `until` are what the documented middleware reads."""
        return {
            "on": self.on,
            "enabled": self.on,
            "message": self.message,
            "since_ms": self.since_ms,
            "by": self.by,
            "until_ms": self.until_ms,
            "until": iso(self.until_ms) if self.until_ms is not None else None,
        }

    @property
    def words(self) -> str:
        """`on since 2026-11-20 03:04 by op1, planned until …: "message"`."""
        if not self.on:
            return "off" if self.on is False else UNREADABLE
        parts = ["on"]
        parts += [f"since {date_time(self.since_ms)} UTC"] if self.since_ms is not None else []
        parts += [f"by {self.by}"] if self.by else []
        told = " ".join(parts)
        told += f", planned until {date_time(self.until_ms)} UTC" if self.until_ms is not None else ""
        return f'{told}: "{self.message}"' if self.message else told


OFF = Flag(on=False)


def flag_of(value: Json) -> Flag:
    """The flag in what an application or an API keeps: a boolean, or an object with `enabled` or `on`.

    `enabled` is what the application goes by; where both stand and contradict each other, nobody knows.
    """
    if value is None:
        return OFF
    if isinstance(value, bool):
        return Flag(on=value)
    told = [found for name in ("enabled", "on") if (found := payload.flag(value, name)) is not None]
    if not told or len(set(told)) > 1:
        return Flag(on=None)
    return Flag(
        on=told[0],
        message=payload.text(value, "message", limit=MESSAGE_LIMIT) or "",
        since_ms=payload.time_ms(value, "since_ms"),
        until_ms=payload.time_ms(value, "until_ms") or payload.time_ms(value, "until"),
        by=payload.text(value, "by", limit=80) or "",
    )


def sign_of(status: int, headers: Mapping[str, str], body: bytes, marker: str = DEFAULT_MARKER) -> Sign:
    """How an answer looks like the maintenance page. Header names are small; the marker is looked for in any case."""
    if status >= 500 and status != 503:
        return ""  # an application that fails is none in maintenance, whatever it says
    said = headers.get(HEADER, "").strip().lower()
    if said not in _OFF:
        return "header"
    found = bool(marker) and marker.lower().encode() in body.lower()
    if status == 503:
        return "page" if found else "503"
    return "marker" if found else ""


def is_served(sign: Sign, before: Sign) -> bool:
    """Whether the maintenance page answers. What already looked so before the flag was set proves nothing."""
    return sign in ("header", "page") or (sign in ("503", "marker") and sign != before)


def message_of(text: str) -> str:
    """A message fit to be shown to visitors. Raises ValueError, in words, for one that would be cut."""
    told = clean(text, len(text) * 8 + 1)  # what is not printable is shown by up to eight characters
    if len(told) > MESSAGE_LIMIT:
        raise ValueError(f"the message has {len(told)} characters; {MESSAGE_LIMIT} are the limit, it would be cut")
    return told


def written_by_hand(*, on: bool, message: str = "") -> str:
    """The value as somebody writes it who has no console: JSON, in one line."""
    value: dict[str, Json] = {"on": on, "enabled": on, **({"message": message} if on and message else {})}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def channels(operations: Operations) -> tuple[str, ...]:
    """Where colleagues are told of it: never PagerDuty, for nobody is to be woken by what was planned."""
    slack = (SLACK,) if operations.slack else ()
    return (*slack, *(f"{WEBHOOK}{each.name}" for each in operations.webhooks))
