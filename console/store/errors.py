"""What can go wrong with the store, in words for people. Reading errors are `ports.StoreUnreadable`."""

from __future__ import annotations


class StoreError(Exception):
    """A write to the store did not happen; the text says why and what to do. Nothing stored was lost."""


class LeaseLost(StoreError):
    """Another collector holds the lease now: nothing was written, and the caller steps down."""


class StoreFull(StoreError):
    """The disk, the quota or the file-size limit is full: nothing was written; the next write tries again."""


class StoreBusy(StoreError):
    """Another program holds the write lock of the file for longer than we wait."""


class StoreDamaged(StoreError):
    """The file was damaged or removed: it was set aside and begun anew. The lease is gone: acquire it again."""
