"""What people put on record that is no action, written by the service account in their name."""

from __future__ import annotations

from console.actions.authority import Standing
from console.actions.base import Context
from console.actions.messages import Entry
from console.store.notes import NoteBook
from console.store.records import AlertBook, PollBook


def write(context: Context, standing: Standing, entry: Entry) -> None:
    """Write it. Raises `Refused`."""
    who, refusal = standing.who, standing.entry_refusal
    alerts = AlertBook(context.records, context.reads, who, refusal)
    if entry.kind == "acknowledge":
        alerts.acknowledge(entry.number, entry.text)
    elif entry.kind == "silence":
        alerts.silence(entry.matcher, entry.minutes, entry.text)
    elif entry.kind == "end-silence":
        alerts.end_silence(entry.number)
    elif entry.kind == "poll":
        PollBook(context.records, who, refusal).poll_now()
    else:
        NoteBook(context.records, who, refusal).add(entry.text)
