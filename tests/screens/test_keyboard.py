"""The thread that reads keys: what one read() brought bears one time, and it ends with its terminal."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual.events import Key, Paste
from textual.message import Message

from screens.keyboard import Keyboard

PATIENCE_S = 10.0


class Listening(Keyboard):
    """Without an app: keeps what it would pass on, and takes its time as a console that is drawn does."""

    def __init__(self, fileno: int) -> None:
        self._debug, self.fileno, self.exit_event = False, fileno, threading.Event()
        self.heard: list[Message] = []
        self.thread = threading.Thread(target=self.run_input_thread, daemon=True)

    def process_message(self, message: Message) -> None:
        self.heard.append(message)
        time.sleep(0.004)  # no test's synchronisation: what the reader waits for the interpreter


@pytest.fixture
def line() -> Iterator[tuple[int, Listening]]:
    """The terminal's end of a pseudo-terminal in raw mode, and who listens at the other."""
    import tty

    ours, theirs = os.openpty()
    tty.setraw(theirs)
    keyboard = Listening(theirs)
    keyboard.thread.start()
    yield ours, keyboard
    keyboard.exit_event.set()
    keyboard.thread.join(PATIENCE_S)
    os.close(theirs)


def until(condition: Callable[[], object]) -> None:
    stop_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < stop_s
        os.sched_yield()


def test_what_one_read_brings_bears_one_time(line: tuple[int, Listening]) -> None:
    ours, keyboard = line
    os.write(ours, b"41ab9e0\r")
    until(lambda: len(keyboard.heard) == 8)
    assert len({event.time for event in keyboard.heard}) == 1
    os.write(ours, b"x")
    until(lambda: len(keyboard.heard) == 9)
    assert keyboard.heard[-1].time > keyboard.heard[0].time


def test_escape_sequences_pastes_and_bytes_that_are_no_text_are_read(line: tuple[int, Listening]) -> None:
    ours, keyboard = line
    os.write(ours, b"\x1b[A\x1b[200~a\rb\x1b[201~\xffz")
    until(lambda: keyboard.heard and isinstance(keyboard.heard[-1], Key) and keyboard.heard[-1].key == "z")
    assert [event.text for event in keyboard.heard if isinstance(event, Paste)] == ["a\rb"]
    os.write(ours, b"\x1b")
    until(lambda: isinstance(keyboard.heard[-1], Key) and keyboard.heard[-1].key == "escape")


def test_it_ends_with_the_terminal_and_when_it_is_told_to(line: tuple[int, Listening]) -> None:
    ours, keyboard = line
    os.close(ours)
    keyboard.thread.join(PATIENCE_S)
    assert not keyboard.thread.is_alive() and not keyboard.exit_event.is_set()


def test_nothing_is_written_and_nobody_waited_for_once_the_writing_thread_has_died() -> None:
    class Dead:
        def is_alive(self) -> bool:
            return False

        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

    keyboard = Listening(0)
    keyboard._writer_thread = Dead()  # type: ignore[assignment]  # died when its terminal went
    keyboard.write("x")
    keyboard.close()
