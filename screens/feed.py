"""The one reader of the store in a console: a daemon thread that answers the visible page's one question.

It asks `version()` (microseconds) twice a second and reads anew when something was written, and every five seconds so
that ages and lateness go on without a collector. The event loop wakes only when there is something to show. The
thread is a daemon and is never joined: a store that hangs does not hold up quitting.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message
from textual.message_pump import MessagePump

from console.model.ports import Refused, StoreReads, StoreUnreadable

WATCH_S = 0.5
STEADY_S = 5.0

Question = Callable[[StoreReads, int | None], object]


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


class Done(Message):
    """An errand was run; `words` say what came of it."""

    def __init__(self, words: str, value: object | None, ok: bool) -> None:
        super().__init__()
        self.words = words
        self.value = value
        self.ok = ok


@dataclass(frozen=True, slots=True)
class _Look:
    target: MessagePump
    question: Question
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class _Errand:
    run: Callable[[StoreReads], None]


class Feed:
    """Runs questions and errands in one thread, in order. All methods return at once and may be called anywhere."""

    def __init__(self, reads: StoreReads, clock_ms: Callable[[], int]) -> None:
        self._reads = reads
        self._clock_ms = clock_ms
        self._inbox: queue.SimpleQueue[_Look | _Errand | None] = queue.SimpleQueue()
        self._look: _Look | None = None
        self._paused = False
        self._version: int | None = None
        self._read_at = 0.0
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin. May be called once."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is being read; does not wait."""
        self._inbox.put(None)

    def look(self, target: MessagePump, question: Question, at_ms: int | None) -> None:
        """From now on answer this question, at once and at every change; `Fed` messages go to `target`."""
        self._inbox.put(_Look(target, question, at_ms))

    def pause(self, paused: bool) -> None:
        """Stand still, or go on."""
        self._paused = paused

    def errand(self, target: MessagePump, run: Callable[[StoreReads], object], words: Callable[[object], str]) -> None:
        """Run something that waits (a record, a poll request, a single read), then post `Done` to `target`."""

        def work(reads: StoreReads) -> None:
            try:
                value = run(reads)
            except (Refused, StoreUnreadable) as error:
                target.post_message(Done(str(error), None, ok=False))
            except Exception as error:  # noqa: BLE001 - a defect of a part must not end the console; its words are shown
                target.post_message(Done(f"failed: {type(error).__name__}: {error}", None, ok=False))
            else:
                target.post_message(Done(words(value), value, ok=True))

        self._inbox.put(_Errand(work))

    def _run(self) -> None:
        try:
            while (item := self._next()) is not None:
                self._serve(item)
            self._reads.close()
        except RuntimeError:
            # The event loop is closed: the console is gone, and so is the need for this thread.
            return

    def _next(self) -> _Look | _Errand | bool | None:
        try:
            return self._inbox.get(timeout=WATCH_S)
        except queue.Empty:
            return True

    def _serve(self, item: _Look | _Errand | bool) -> None:
        if isinstance(item, _Errand):
            item.run(self._reads)
        elif isinstance(item, _Look):
            self._look = item
            self._answer()
        elif self._look is not None and not self._paused and self._is_due():
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
        except Exception as error:  # noqa: BLE001 - a defect of the store must not end the console; its words are shown
            trouble = f"reading the store failed: {type(error).__name__}: {error}"
        look.target.post_message(Fed(answer, trouble, self._clock_ms()))
