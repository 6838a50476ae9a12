"""Requests to poll now, which people write into records.db."""

from __future__ import annotations

from pathlib import Path

from console.store.records import Records


class PollRequestsFile:
    """Looks at records.db every second by its time stamp (2 µs), and reads it only when that changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._records: Records | None = None

    def changed(self) -> bool:
        """Whether the file is another than when it was last read."""
        return self._signature() not in (None, self._seen)

    def taken(self) -> bool:
        """Whether there were requests since the last call; they are taken. Waits for locks; raises `StoreError`."""
        found = self._signature()
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

    def _signature(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:  # nobody has recorded anything yet
            return None
        return found.st_mtime_ns, found.st_size
