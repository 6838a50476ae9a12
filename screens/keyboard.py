"""The terminal's keys as the console reads them: those that came at once bear one time.

Textual gives each key the time at which it was taken apart. Between two keys of one read() the thread that reads may
wait for the interpreter while a page is drawn: measured, 5 in 100 lie 5 to 20 ms apart, which looks like typing.
"""

from __future__ import annotations

import os
import selectors
from codecs import getincrementaldecoder

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

_READ_BYTES = 4096
_LOOK_S = 0.1
"""Textual's own: how soon the thread sees that the console ends, and a lone Esc is told from a sequence."""


class Keyboard(LinuxDriver):
    """Textual's driver, whose reading thread passes on what one read() brought as one.

    When the terminal is gone that thread ends, and nothing is written any more: Textual's would read nothing again and
    again, and wait without end for a writing thread that has died.
    """

    def run_input_thread(self) -> None:
        """Read until the console ends, and what is there then; or until the terminal is gone."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            ends = False
            while not ends:
                ends = self.exit_event.is_set()
                data = self._read() if selector.select(_LOOK_S) else None
                if data == b"":
                    return
                self._pass_on(parser, decode(data or b"", final=ends))

    def write(self, data: str) -> None:
        """To the terminal, while there is one."""
        if self._writes:
            super().write(data)

    def close(self) -> None:
        """Let what is written be written."""
        if self._writes:
            super().close()

    @property
    def _writes(self) -> bool:
        """Before the application mode Textual tells that it was not begun."""
        return self._writer_thread is None or self._writer_thread.is_alive()

    def _read(self) -> bytes:
        """Nothing: the terminal is gone."""
        try:
            return os.read(self.fileno, _READ_BYTES)
        except OSError:
            return b""

    def _pass_on(self, parser: XTermParser, text: str) -> None:
        """No text is no end: the parser may hold an Esc that is none of a sequence any more."""
        events = [*(parser.feed(text) if text else ()), *parser.tick()]
        for event in events:
            event.time = events[0].time
        for event in events:
            self.process_message(event)
