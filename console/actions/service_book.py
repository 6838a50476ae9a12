"""The people's records where a service account keeps them: each entry goes through the runner, as its own process."""

from __future__ import annotations

from contextlib import closing

from console.actions.desk import Desk
from console.actions.messages import Entry
from console.model.configuration import Settings


class ServiceBook:
    """See `ports.AlertActions`, `ports.PollRequests` and `ports.Notes`. Every method blocks and raises `Refused`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def acknowledge(self, alert_id: int, note: str) -> str:
        """Record that the caller has seen the alert."""
        return self._write(Entry(kind="acknowledge", number=alert_id, text=note))

    def silence(self, matcher: str, minutes: int, reason: str) -> str:
        """Hold notifications of alerts; expiry is mandatory."""
        return self._write(Entry(kind="silence", matcher=matcher, minutes=minutes, text=reason))

    def end_silence(self, silence_id: int) -> None:
        """End a silence now."""
        self._write(Entry(kind="end-silence", number=silence_id))

    def disarm(self) -> None:
        """The caller must give a reason again."""
        self._write(Entry(kind="disarm"))

    def dismiss(self, message_id: int) -> None:
        """A message that came to no good is seen to."""
        self._write(Entry(kind="dismiss", number=message_id))

    def poll_now(self) -> None:
        """Ask the collector to poll now."""
        self._write(Entry(kind="poll"))

    def add(self, text: str) -> str:
        """Put a note on record."""
        return self._write(Entry(kind="note", text=text))

    def _write(self, entry: Entry) -> str:
        with closing(Desk(self._settings)) as desk:
            return desk.enter(entry)
