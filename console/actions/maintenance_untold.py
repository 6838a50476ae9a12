"""What the status page did not take at once: left to the collector, which tries for a day, and shown until then."""

from __future__ import annotations

from dataclasses import replace

from console.actions.base import Context
from console.model.notifications import STATUSPAGE
from console.model.operations import Statuspage
from console.notify.public_page import COMPLETED, IDENTIFIED, SCHEDULED, Update
from console.notify.statuspage import payload_of
from console.store import outbox
from console.store.errors import StoreError

EVENTS = "maintenance/"
_STATES = {
    "announced": (SCHEDULED, None), "begun": ("in_progress", "under_maintenance"),
    "changed": ("in_progress", "under_maintenance"), "over": (COMPLETED, "operational"),
    "cancelled": (COMPLETED, "operational"),
}  # fmt: skip


def superseded(context: Context) -> None:
    """Something newer is told now: a beginning that comes late must not follow the end."""
    outbox.superseded(context.records, STATUSPAGE, EVENTS)


def leave(context: Context, settings: Statuspage, what: str, update: Update, words: str) -> bool:
    """Whether the outbox has taken it. `update`: key, texts, times; `words`: why the page did not."""
    status, component = _STATES[what]
    if update.scheduled_until is None and status == "in_progress":
        status = IDENTIFIED
    told = replace(update, status=status, components=dict.fromkeys(settings.components, component))
    content = payload_of(told) | ({"every": True} if what == "over" else {})
    title = f"Maintenance of {context.environment.name} {what}, to the public"
    try:
        outbox.add_tried(context.records, f"{EVENTS}{context.run}/{what}/page", STATUSPAGE, title, content, words)
    except StoreError:
        return False
    return True
