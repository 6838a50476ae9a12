"""Typed by a person, or pasted? Terminals without bracketed paste, and programs that send keys, write it all at once:
what tells is how close together the keys came. One rule for screens and commands."""

from __future__ import annotations

GAP_S = 0.002
"""Keys of one read() bear one time; two reads of one paste follow each other within a millisecond. Two strokes of a
person are 30 ms apart and more; rolled over two keys it may be 5."""
MANY = 4
"""So many in a row are believed no more. A line that was held up for a round trip (200 ms) delivers the two or three
keys that were typed meanwhile, at ten a second, at once: these count. A worse line may deliver more of honest typing;
then it is typed once more, which costs seconds."""


class Burst:
    """The keys that came at once, up to the newest one."""

    def __init__(self) -> None:
        self._last_s = float("-inf")
        self.length = 0

    def add(self, at_s: float) -> int:
        """A key came at that moment of a monotonic clock; how many there are by now."""
        self.length = self.length + 1 if at_s - self._last_s <= GAP_S else 1
        self._last_s = at_s
        return self.length


def believed(phrase: str) -> int:
    """How many keys at once are still typing where that is to be typed: never the whole of it, however short it is.
    One: of a single character nothing can tell."""
    return max(1, min(MANY, len(phrase)) - 1) if phrase else MANY - 1


def refusal(phrase: str) -> str:
    """What is told of a paste."""
    return f"pasted or typed ahead, and dropped: {f'type {phrase} key by key' if phrase else 'press enter by itself'}"


FIRST_LINE = "pasted: its first line is the reason; enter goes on"
"""Told of a reason, which may be pasted."""
