"""The one reader of the store in a console: a daemon thread that answers the visible page's one question.

It asks `version()` (microseconds) once a second and reads anew when something was written, and every five seconds so
that ages and lateness go on without a collector. The event loop wakes only when there is something to show. The
thread is a daemon and is never joined: a store that hangs does not hold up quitting.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple, TypeVar

from textual.message import Message
from textual.message_pump import MessagePump

from console.model.ports import Refused, StoreReads, StoreUnreadable
from screens.defects import Defects

WATCH_S = 1.0
STEADY_S = 5.0
STOP_S = 0.25

Question = Callable[[StoreReads, int | None], object]
"""Asks the store at a moment. Equal questions may share an answer: pages give values with `__eq__`."""
Value = TypeVar("Value")


class Known(NamedTuple):
    """The newest answer, and to what."""

    question: Question
    at_ms: int | None
    answer: object | None
    trouble: str | None


class Fed(Message):
    """An answer to a page's question, or why there is none."""

    def __init__(self, answer: object | None, trouble: str | None, now_ms: int) -> None:
        super().__init__()
        self.answer = answer
        self.trouble = trouble
        self.now_ms = now_ms

    def can_replace(self, message: Message) -> bool:
        """Only the newest answer counts."""
        return isinstance(message, Fed)


class Done(Message, bubble=False):
    """An errand was run; `words` say what came of it, empty when the page itself shows it. Told to the page that asked
    and not to the console once more."""

    def __init__(self, words: str, then: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.words = words
        self.then = then
        """What to do with the value, in the event loop."""


class _Look(NamedTuple):
    target: MessagePump | None
    question: Question
    at_ms: int | None


class _Work(NamedTuple):
    run: Callable[[], None]


def carry(
    target: MessagePump,
    run: Callable[[], Value],
    words: str = "",
    then: Callable[[Value], None] | None = None,
    *,
    defects: Defects,
) -> None:
    """Run something that waits, then post what came of it to `target`: its refusal, or `words` and `then(value)`."""
    try:
        value = run()
    except (Refused, StoreUnreadable) as error:
        target.post_message(Done(str(error)))
    except Exception as error:  # noqa: BLE001 - a defect of a part must not end the console; it is shown and kept
        target.post_message(Done(f"failed: {defects.words(error)}"))
    else:
        target.post_message(Done(words, None if then is None else partial(then, value)))


class Hands:
    """Runs what a person asked for, one after the other, beside the reader: a fault of the demo may take seconds."""

    def __init__(self, defects: Defects) -> None:
        self._defects = defects
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def do(
        self,
        target: MessagePump,
        run: Callable[[], Value],
        words: str = "",
        then: Callable[[Value], None] | None = None,
    ) -> None:
        """Run it in a daemon thread; `Done` goes to `target`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hands", daemon=True)
            self._thread.start()
        self._inbox.put(lambda: carry(target, run, words, then, defects=self._defects))

    def _run(self) -> None:
        with suppress(RuntimeError):  # the event loop is closed: the console is gone
            while True:
                self._inbox.get()()


class Feed:
    """Runs questions and errands in one thread, in order. All methods return at once and may be called anywhere."""

    def __init__(self, reads: StoreReads, clock_ms: Callable[[], int], defects: Defects) -> None:
        self._reads = reads
        self._defects = defects
        self._clock_ms = clock_ms
        self._inbox: queue.SimpleQueue[_Look | _Work | None] = queue.SimpleQueue()
        self.asked: Question | None = None
        """The newest question, answered or not."""
        self._look: _Look | None = None
        self._known: Known | None = None
        self._version: int | None = None
        self._read_at = 0.0
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin. May be called once."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is being read, so that the files can be closed; one that hangs is not waited for."""
        self._inbox.put(None)
        if self._thread.is_alive():
            self._thread.join(STOP_S)

    def look(self, target: MessagePump | None, question: Question, at_ms: int | None) -> None:
        """From now on answer this question, at once and at every change; `Fed` messages go to `target`, if any."""
        self.asked = question
        self._inbox.put(_Look(target, question, at_ms))

    def known(self, question: Question, at_ms: int | None) -> Known | None:
        """The newest answer, if it is one to this question at this moment."""
        known = self._known
        return known if known is not None and (known.question, known.at_ms) == (question, at_ms) else None

    def ask(self, target: MessagePump, question: Callable[[StoreReads], Value], then: Callable[[Value], None]) -> None:
        """Read once, and give the answer to `then` in the event loop; `target` says so when it cannot be read."""
        self._inbox.put(_Work(lambda: carry(target, lambda: question(self._reads), then=then, defects=self._defects)))

    def _run(self) -> None:
        try:
            while (item := self._next()) is not None:
                self._serve(item)
        except RuntimeError:
            # The event loop is closed: the console is gone, and so is the need for this thread.
            return

    def _next(self) -> _Look | _Work | bool | None:
        try:
            return self._inbox.get(timeout=WATCH_S)
        except queue.Empty:
            return True

    def _serve(self, item: _Look | _Work | bool) -> None:
        if isinstance(item, _Work):
            item.run()
        elif isinstance(item, _Look):
            self._look = item
            self._answer()
        elif self._look is not None and self._is_due():
            self._answer()

    def _is_due(self) -> bool:
        if time.monotonic() - self._read_at >= STEADY_S:
            return True
        try:
            return self._reads.version() != self._version
        except StoreUnreadable:
            return False  # the steady read says so

    def _answer(self) -> None:
        look = self._look
        if look is None:
            return
        self._read_at = time.monotonic()
        answer: object | None = None
        trouble: str | None = None
        try:
            self._version = self._reads.version()
            answer = look.question(self._reads, look.at_ms)
        except StoreUnreadable as error:
            trouble = str(error)
        except Exception as error:  # noqa: BLE001 - a defect of the store must not end the console; shown and kept
            trouble = f"reading the store failed: {self._defects.words(error)}"
        self._known = Known(look.question, look.at_ms, answer, trouble)
        if look.target is not None:
            look.target.post_message(Fed(answer, trouble, self._clock_ms()))
