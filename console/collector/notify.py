"""sd_notify: tells systemd that we are ready, alive and why not. The protocol is one datagram of text."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Notifier:
    """Sends to `$NOTIFY_SOCKET`; does nothing where there is none. A lost message is not worth an error."""

    def __init__(self, process_environment: Mapping[str, str] = os.environ) -> None:
        self._address = process_environment.get("NOTIFY_SOCKET", "")
        self._socket: socket.socket | None = None
        self.watchdog_s = _watchdog_s(process_environment)
        """How often systemd wants to hear of us; None: never."""

    def __call__(self, message: str) -> None:
        """Send one message such as `READY=1` or `STATUS=…`."""
        if not self._address:
            return
        try:
            self._connected().send(message.encode())
        except OSError:
            self.close()

    def close(self) -> None:
        """Release the socket."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)
            # An address that begins with @ is in Linux' abstract name space.
            self._socket.connect("\0" + self._address[1:] if self._address[0] == "@" else self._address)
        return self._socket


def _watchdog_s(process_environment: Mapping[str, str]) -> float | None:
    """Half of what systemd allows; None unless it watches this very process."""
    limit, pid = process_environment.get("WATCHDOG_USEC", ""), process_environment.get("WATCHDOG_PID", "")
    if not limit.isdigit() or (pid and pid != str(os.getpid())):
        return None
    return int(limit) / 2_000_000
