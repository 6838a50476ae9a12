"""Why a target gave nothing that can be judged, in our own words.

The libraries' error texts are never quoted: they contain header values and URLs, which can hold secrets.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator

from console.model.observation import ErrorKind, Outcome
from console.model.states import State
from console.model.text import clean


class Fault(Exception):
    """Why there is no answer that can be judged. `words` are one clean line without changing numbers."""

    def __init__(
        self,
        kind: ErrorKind,
        words: str,
        *,
        outcome: Outcome = Outcome.FAILED,
        state: State | None = None,
        http_status: int | None = None,
        retry_after_s: float | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(words)
        self.kind = kind
        self.words = words
        self.outcome = outcome
        self.state = state
        """What the fault itself says of the target; None: the source decides."""
        self.http_status = http_status
        self.retry_after_s = retry_after_s
        self.sent = sent
        """Whether the request may have reached the target; False: it certainly has not."""


def connect_fault(error: BaseException) -> Fault:
    """Why no connection came about, read off the chain of causes."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Fault(ErrorKind.TLS, f"certificate not trusted: {clean(cause.verify_message, 120)}", sent=False)
        if isinstance(cause, ssl.SSLError):
            reason = clean((cause.reason or "handshake failed").replace("_", " ").lower(), 80)
            return Fault(ErrorKind.TLS, f"no TLS: {reason}", sent=False)
        if isinstance(cause, OSError) and cause.errno is not None:
            return _os_fault(cause)
    return Fault(ErrorKind.CONNECT, "no connection", sent=False)


def _os_fault(error: OSError) -> Fault:
    if isinstance(error, socket.gaierror):
        return Fault(ErrorKind.DNS, "the name is not resolved", sent=False)
    if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.EADDRNOTAVAIL):
        return Fault(ErrorKind.INTERNAL, "this host has no sockets left", state=State.UNKNOWN, sent=False)
    return Fault(ErrorKind.CONNECT, errno_words(error.errno), sent=False)


def errno_words(code: int | None) -> str:
    """The system's words for an error number: `connection refused`."""
    return os.strerror(code).lower() if code else "no connection"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what it came from and the members of groups, at most 30."""
    waiting: list[BaseException | None] = [error]
    for _ in range(30):
        found = waiting.pop(0) if waiting else None
        if found is None:
            if not waiting:
                return
            continue
        yield found
        waiting += [*getattr(found, "exceptions", ()), found.__cause__, found.__context__]
