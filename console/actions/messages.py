"""What the desk and the runner say to each other: one JSON object a line, over pipes that nobody else has."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from console.model.actions import Plan
from console.model.ports import EntryKind

LARGEST_LINE_BYTES = 4 * 1024 * 1024


class Opening(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The first line to the runner: which settings, and what is wanted. Exactly one of the last five."""

    file: str = ""
    environment: str = ""
    variables: dict[str, str] = {}
    """What `${NAME}` in the settings may mean. Ignored where authority is enforced, as `file` is."""
    action: str | None = None
    parameters: dict[str, Any] = {}
    break_glass: bool = False
    """Record in a second file, since records.db cannot be written."""
    resume: str | None = None
    close: str | None = None
    """The token of a run that is to be ended by hand."""
    due: int | None = None
    entry: Entry | None = None
    """Something for the people's records that is no action: written at once, without a plan."""


class Entry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An acknowledgement, a silence, its end, a request to poll, a note: where a service account keeps the records."""

    kind: EntryKind
    number: int = 0
    """The alert's id, or the silence's."""
    text: str = ""
    """The note, or the reason."""
    matcher: str = ""
    minutes: int = 0


class Word(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A later line to the runner. The end of the stream means: nothing is to be done."""

    say: Literal["change", "confirm"]
    parameters: dict[str, Any] = {}
    reason: str = ""
    typed: str = ""


class Reply(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A line from the runner."""

    plan: Plan | None = None
    reason: str = ""
    """The reason under which the person is armed."""
    refused: str | None = None
    begun: str | None = None
    """The token of the run: its first row stands in the journal."""
    ended: str | None = None
    """Of a run closed by hand, or one whose remote state ended it: how, in words."""
    recorded: str = ""
    """The text of an entry as it is on record: without secrets."""
