"""Messages to channels as values: what the outbox keeps, the collector sends, and the channels put into words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.model.observation import Json

SLACK, PAGERDUTY, STATUSPAGE, WEBHOOK = "slack", "pagerduty", "statuspage", "webhook:"
"""The channels' names; a webhook's own name follows the colon."""
GROUP = "alerts"
"""What `group` says in the payload of messages that may be told together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One event to be told: a row of the outbox."""

    id: int
    event: str
    title: str
    made_ms: int
    due_ms: int
    payload: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent to one channel at once: one row, or all rows of a group that are due."""

    channel: str
    parts: tuple[Part, ...]
    attempts: int
    """This one included; of the part tried most."""

    @property
    def event(self) -> str:
        """The event that the message carries as its id: that of its first part."""
        return self.parts[0].event
