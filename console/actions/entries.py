"""What people put on record that is no action, written by the service account in their name."""

from __future__ import annotations

from console.actions.authority import Standing
from console.actions.base import Context
from console.actions.messages import Entry
from console.store.notes import NoteBook
from console.store.records import AlertBook, Conceal, PollBook


def write(context: Context, standing: Standing, entry: Entry, conceal: Conceal) -> str:
    """Write it without secrets; gives the text as it is on record. Raises `Refused`."""
    who, refusal = standing.who, standing.entry_refusal
    alerts = AlertBook(context.records, context.reads, who, refusal, conceal)
    if entry.kind == "acknowledge":
        return alerts.acknowledge(entry.number, entry.text)
    if entry.kind == "silence":
        return alerts.silence(entry.matcher, entry.minutes, entry.text)
    if entry.kind == "note":
        return NoteBook(context.records, who, refusal, conceal).add(entry.text)
    if entry.kind == "end-silence":
        alerts.end_silence(entry.number)
    elif entry.kind == "disarm":
        alerts.disarm()
    elif entry.kind == "dismiss":
        alerts.dismiss(entry.number)
    else:
        PollBook(context.records, who, refusal).poll_now()
    return ""
