"""Requests to poll now, which people write into records.db."""

from __future__ import annotations

from pathlib import Path

from console.store.files import change_mark
from console.store.records import Records


class PollRequestsFile:
    """Looks at records.db every second by its time stamp (2 µs), and reads it only when that changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._records: Records | None = None

    def changed(self) -> bool:
        """Whether the file is another than when it was last read."""
        return change_mark(self._path) not in (None, self._seen)

    def taken(self) -> bool:
        """Whether there were requests since the last call; they are taken. Waits for locks; raises `StoreError`."""
        found = change_mark(self._path)
        if found is None or found == self._seen:
            return False
        if self._records is None:
            self._records = Records(self._path)
        taken = self._records.take_poll_requests() > 0
        self._seen = found  # as it was before taking, so that a request made meanwhile is seen the next time
        return taken

    def close(self) -> None:
        """Release the file."""
        if self._records is not None:
            self._records.close()
        self._records = None
