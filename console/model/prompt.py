"""One line that a person types to a question: what each key does, what is typing and what is pasted. No terminal."""

from __future__ import annotations

import re
import unicodedata

from console.model.keystrokes import FIRST_LINE, Burst, believed, refusal

ENTER, BACKSPACE, KILL, END = "\r\n", "\b\x7f", "\x15", "\x04"
PASTE_BEGINS, PASTE_ENDS = "\x1b[200~", "\x1b[201~"
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|[^\[O])")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]{0,32}[ -/]?|O)\Z")
"""The end may come with the next read(). A lone Esc is a key, which writes nothing."""


class Prompt:
    """Is fed what was read, and gives what is to be written back.

    `phrase`: what has to be typed, if anything. `takes_paste`: what comes at once counts up to the end of its line, and
    only a key that comes by itself ends the answer.
    """

    def __init__(self, question: str, *, phrase: str = "", takes_paste: bool = False, longest: int = 300) -> None:
        self.question = question
        self.value = ""
        self.done = False
        self.left = False
        """Ctrl+d: nothing is to be done."""
        self._phrase, self._takes_paste, self._longest = phrase, takes_paste, longest
        self._burst = Burst()
        self._is_over = False
        """Of what came at once nothing more is taken."""
        self._in_paste = False
        self._rest = ""
        """The beginning of an escape sequence whose end is still to come."""

    def feed(self, text: str, at_s: float) -> str:
        """Take what one read() brought at that moment of a monotonic clock; gives the echo."""
        echo, text, place = "", self._rest + text, 0
        self._rest = ""
        while place < len(text) and not (self.done or self.left):
            if text[place] != "\x1b":
                echo += self._key(text[place], at_s)
                place += 1
            elif found := _SEQUENCE.match(text, place):
                echo += self._bracket(found[0])
                place = found.end()
            else:
                self._rest = text[place:] if _UNFINISHED.match(text, place) else ""
                place += max(1, len(self._rest))
        return echo

    def _bracket(self, sequence: str) -> str:
        """Where the terminal says that text is pasted. Other sequences (arrows, function keys) write nothing."""
        if sequence in (PASTE_BEGINS, PASTE_ENDS):
            self._in_paste = sequence == PASTE_BEGINS
            self._is_over = self._is_over and not self._in_paste
            return self._dropped() if self._in_paste and not self._takes_paste else ""
        return ""

    def _key(self, key: str, at_s: float) -> str:
        length = self._burst.add(at_s)
        self._is_over = self._is_over and (length > 1 or self._in_paste)
        if self._is_over:
            return ""
        if self._in_paste or length > believed(self._phrase):
            return self._write(key) if self._takes_paste and key.isprintable() else self._dropped()
        return self._typed(key)

    def _typed(self, key: str) -> str:
        if key in ENTER:
            self.done = True
            return "\n"
        if key == END:
            self.left = True
            return "\n"
        if key in BACKSPACE:
            return self._erase(1)
        return self._erase(len(self.value)) if key == KILL else self._write(key)

    def _write(self, key: str) -> str:
        if not key.isprintable() or len(self.value) >= self._longest:
            return ""
        self.value += key
        return key

    def _erase(self, count: int) -> str:
        """As the terminal's own driver does it: works on one that knows no sequences."""
        gone = self.value[len(self.value) - count :] if count else ""
        self.value = self.value[: len(self.value) - len(gone)]
        return "\b \b" * sum(map(_cells, gone))

    def _dropped(self) -> str:
        """What came at once goes, all of it, and the question is asked again; a pasted reason keeps its first line."""
        self._is_over = True
        words = FIRST_LINE if self._takes_paste else refusal(self._phrase)
        self.value = self.value if self._takes_paste else ""
        return f"\n{words}\n{self.question}{self.value}"


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
