"""`python -I -m console.actions.runner`: makes a plan, waits for a yes, and carries it out whatever becomes of the
console: in a session of its own, its words in a file, its state in the journal.

Reads one JSON object a line from standard input and answers on standard output (`messages.py`). As long as nobody has
confirmed, the end of the input means that nothing is to be done.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import select
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from console.actions.begin import Begun
from console.actions.engine import defect, trail
from console.actions.messages import LARGEST_LINE_BYTES, Opening, Reply, Word
from console.actions.negotiation import Negotiation
from console.model.ports import Refused, StoreUnreadable
from console.settings import SettingsError
from console.sources.trust import trusted
from console.store.errors import StoreError
from console.store.files import UnsuitablePlace

T = TypeVar("T")

LATE = ("httpcore", "h11", "anyio._backends._asyncio", "console.actions.rollback")


def main() -> int:
    """0: a run was carried out or nothing was asked for; 2: refused, or the run did not end well."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(0o007)
    _warm_up()
    with asyncio.Runner() as loop:
        try:
            return _opened(loop)
        except (Refused, SettingsError, StoreError, StoreUnreadable, UnsuitablePlace) as error:
            _answer(Reply(refused=str(error)))
        except Exception as error:  # noqa: BLE001 - told by type and place: its message and the values may be secret
            _answer(Reply(refused=f"{defect(error)}; {trail(error)}"))
        return 2


def _warm_up() -> None:
    """While nobody has asked yet: what the first request and the plan of a rollback import and load (80 ms)."""
    if select.select([sys.stdin.buffer], [], [], 0)[0]:
        return
    with suppress(Exception):  # what is amiss is told to who asks for it
        for name in LATE:
            importlib.import_module(name)
        trusted(None)


def _opened(loop: asyncio.Runner) -> int:
    opening = msgspec.json.decode(_line(), type=Opening)
    negotiation = Negotiation.open(opening)
    try:
        return _served(loop, negotiation, opening)
    except (Refused, StoreError, StoreUnreadable, UnsuitablePlace) as error:
        raise Refused(negotiation.conceal(str(error))) from None


def _served(loop: asyncio.Runner, negotiation: Negotiation, opening: Opening) -> int:
    conceal = negotiation.conceal
    if opening.entry is not None:
        _answer(Reply(ended="written", recorded=negotiation.enter(opening.entry)))
        return 0
    if opening.close is not None:
        word = _next_word()
        if word is not None:
            _answer(Reply(ended=_run(loop, negotiation.close_run(opening.close, conceal(word.reason)))), conceal)
        return 0
    _answer(_run(loop, negotiation.first(opening)), conceal)
    if opening.due is not None:
        return _go(loop, negotiation, _run(loop, negotiation.begin_due(opening.due)))
    return _talk(loop, negotiation)


def _talk(loop: asyncio.Runner, negotiation: Negotiation) -> int:
    """Answer words until one confirms, or nobody is there any more."""
    while (word := _next_word()) is not None:
        try:
            if word.say == "change":
                _answer(_run(loop, negotiation.change(word.parameters)), negotiation.conceal)
                continue
            begun = _run(loop, negotiation.confirm(word.reason, word.typed))
        except (Refused, StoreError, StoreUnreadable) as error:
            _answer(Reply(refused=str(error), plan=negotiation.fresh_plan), negotiation.conceal)
            continue
        return _go(loop, negotiation, begun)
    return 0


def _go(loop: asyncio.Runner, negotiation: Negotiation, begun: Begun) -> int:
    """From here on nobody needs to be there."""
    _answer(Reply(begun=begun.token))
    _let_go(negotiation.log_path(begun.token))
    well = _run(loop, negotiation.carry_out(begun))
    return 0 if well else 2


def _run(loop: asyncio.Runner, work: Coroutine[Any, Any, T]) -> T:
    return loop.run(work)


def _line() -> bytes:
    line = sys.stdin.buffer.readline(LARGEST_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise Refused("the runner was told nothing whole")
    return line


def _next_word() -> Word | None:
    line = sys.stdin.buffer.readline(LARGEST_LINE_BYTES)
    return msgspec.json.decode(line, type=Word) if line.endswith(b"\n") else None


def _answer(reply: Reply, conceal: Callable[[str], str] = lambda text: text) -> None:
    """Say it, without secrets. Whoever asked may be gone: then nobody confirms either, and what was confirmed goes
    on."""
    try:
        sys.stdout.buffer.write(conceal(msgspec.json.encode(reply).decode()).encode() + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _let_go(log: Path) -> None:
    """No pipe and no terminal of the console any more: its end, however it comes, is no end of ours."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        written = os.open(log, flags, 0o660)
    except OSError:  # a full disk takes no file more; what matters stands in the journal
        written = os.open(os.devnull, os.O_WRONLY)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, sys.stdin.fileno())
    for stream in (sys.stdout, sys.stderr):
        os.dup2(written, stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
