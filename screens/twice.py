"""A key that acts at its second press running, as `gg` does."""

from __future__ import annotations


class Twice:
    """The last two keys of a page."""

    def __init__(self) -> None:
        self._keys = ("", "")

    def hear(self, key: str) -> None:
        """This one was pressed."""
        self._keys = (self._keys[1], key)

    def is_second(self) -> bool:
        """Whether the last one followed itself; a third press is a first one again."""
        if self._keys[0] != self._keys[1]:
            return False
        self._keys = ("", "")
        return True
