"""The demo's control socket, `DIRECTORY/control.sock`: a JSON line in, one out. Open to the owner only."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

NAME = "control.sock"
LONGEST_LINE = 4096
TIMEOUT_S = 60.0
Message = dict[str, Any]


class Control:
    """Accepts in threads of its own and hands each message to `take(message, reply)`, which must call `reply` once."""

    def __init__(self, directory: Path, take: Callable[[Message, Callable[[Message], None]], None]) -> None:
        self._take = take
        self._path = directory / NAME
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX)
        with _reachable(directory) as place:
            self._socket.bind(place)
        self._path.chmod(0o600)
        self._socket.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        self._path.unlink(missing_ok=True)
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:  # it went away, or spoke no JSON
            connection.settimeout(TIMEOUT_S)
            message = _receive(connection)
            answers: queue.SimpleQueue[Message] = queue.SimpleQueue()
            self._take(message, answers.put)
            connection.sendall(json.dumps(_first(answers)).encode() + b"\n")


def ask(directory: Path, message: Message) -> Message:
    """Send one message to the demo in `directory` and give its answer. Raises OSError when none answers."""
    with socket.socket(socket.AF_UNIX) as connection, _reachable(directory) as place:
        connection.settimeout(TIMEOUT_S)
        connection.connect(place)
        connection.sendall(json.dumps(message).encode() + b"\n")
        return _receive(connection)


def _receive(connection: socket.socket) -> Message:
    data = b""
    while not data.endswith(b"\n"):
        part = connection.recv(LONGEST_LINE)
        if not part or len(data) > LONGEST_LINE:
            raise ConnectionError("it went away without an answer")
        data += part
    message = json.loads(data)
    if not isinstance(message, dict):
        raise ValueError("not a JSON object")
    return message


def _first(answers: queue.SimpleQueue[Message]) -> Message:
    try:
        return answers.get(timeout=TIMEOUT_S)
    except queue.Empty:
        return {"error": f"not done within {TIMEOUT_S:.0f} s"}


@contextlib.contextmanager
def _reachable(directory: Path) -> Iterator[str]:
    """A short path to the socket: sockaddr_un holds 107 bytes, and a directory may lie deeper."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{NAME}"
    finally:
        os.close(handle)
