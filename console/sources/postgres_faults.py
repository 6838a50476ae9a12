"""psycopg's errors in our own words.

While a connection is being made, libpq gives no error code, only text, and the server's part of it may be in the
server's language. What is not recognised is therefore told by its form alone, never quoted: it can hold the
connection string.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import psycopg
from psycopg import errors

from console.model.observation import ErrorKind, Outcome
from console.model.states import State
from console.model.text import clean, redact
from console.sources.faults import Fault


class NoConnection(Fault):
    """No connection came about: it concerns the server or the way to it, and not what was to be asked."""


@dataclass(frozen=True, slots=True)
class _Known:
    pattern: re.Pattern[str]
    kind: ErrorKind
    words: str
    outcome: Outcome = Outcome.FAILED
    state: State | None = State.UNHEALTHY


def _known(
    pattern: str, kind: ErrorKind, words: str, outcome: Outcome = Outcome.FAILED, state: State = State.UNHEALTHY
) -> _Known:
    return _Known(re.compile(pattern, re.IGNORECASE), kind, words, outcome, state)


# The first that matches. A refused password or missing TLS says nothing of how the database serves the application.
_CONNECTING = (
    _known(
        r"too many clients|remaining connection slots|no more connections allowed|max client connections"
        r"|MaxClientsInSessionMode|too many connections for (role|database)",
        ErrorKind.LIMIT,
        "refuses new connections: its connection limit is reached",
    ),
    _known(
        r"server does not support SSL|SSL error|certificate|SSL connection (is required|has been)|no encryption"
        r"|SSL negotiation|sslmode|(SSL|TLS) (is )?required",
        ErrorKind.TLS,
        "no TLS connection as the settings demand: check sslmode and the certificate authority of `{setting}`",
        state=State.UNKNOWN,
    ),
    _known(
        r"password authentication failed|no password supplied|Tenant or user not found|authentication failed"
        r"|no pg_hba\.conf entry|wrong password|SASL|is not permitted to log in|role \".*\" does not exist"
        r"|permission denied for database|no such user",
        ErrorKind.CREDENTIALS,
        "refuses our user or password: check `{setting}`",
        Outcome.FORBIDDEN,
        State.UNKNOWN,
    ),
    _known(
        r"database \".*\" does not exist|no such database",
        ErrorKind.STATUS,
        "has no database of the name in `{setting}`",
    ),
    _known(
        r"failed to resolve host|could not translate host name|name or service not known|nodename nor servname",
        ErrorKind.DNS,
        "the server's name is not resolved",
    ),
    _known(r"database system is starting up|not yet accepting", ErrorKind.CONNECT, "is starting up"),
    _known(r"database system is shutting down", ErrorKind.CONNECT, "is shutting down"),
    _known(r"database system is in recovery mode", ErrorKind.CONNECT, "is recovering from a crash"),
    _known(r"connection refused", ErrorKind.CONNECT, "connection refused"),
    _known(r"no route to host|network is unreachable", ErrorKind.CONNECT, "no way to the server from here"),
    _known(r"no such file or directory", ErrorKind.CONNECT, "no server at the socket in `{setting}`"),
    _known(r"timeout expired|timed out", ErrorKind.TIMEOUT, "no answer to a new connection in time"),
    _known(
        r"closed the connection unexpectedly|connection reset|socket closed|EOF detected|broken pipe",
        ErrorKind.CLOSED,
        "closed the connection while it was being made",
    ),
)
# Names of hosts are no part of the reason: one may be called `tls`.
_WHERE = re.compile(r"connection to server (at|on) .{0,300}? failed:|host: .{0,200}?, hostaddr: '?[^\s':]*'?:?")
_POOL_EMPTY = re.compile(r"query_wait_timeout|unable to check ?out|max clients reached|pool_size", re.IGNORECASE)
_OPTIONS_REFUSED = re.compile(r"unsupported startup parameter|startup parameter.{0,40}options", re.IGNORECASE)


def options_refused(error: psycopg.Error) -> bool:
    """Whether it is a pooler's refusal of session settings at connect, as PgBouncer words it."""
    return _OPTIONS_REFUSED.search(str(error)) is not None


def connecting(error: psycopg.Error, setting: str) -> NoConnection:
    """Why no connection came about. `setting` is the key in radar.toml that holds the connection string."""
    if isinstance(error, errors.ConnectionTimeout):
        return NoConnection(ErrorKind.TIMEOUT, "no answer to a new connection in time", state=State.UNHEALTHY)
    text = _WHERE.sub("", str(error)[:4000])
    for known in _CONNECTING:
        if known.pattern.search(text):
            return NoConnection(
                known.kind, known.words.format(setting=setting), outcome=known.outcome, state=known.state
            )
    if isinstance(error, psycopg.ProgrammingError):
        return unreadable_setting(setting)
    return NoConnection(ErrorKind.CONNECT, "refuses the connection for a reason of its own: see the server's log")


def unreadable_setting(setting: str) -> NoConnection:
    """The connection string is none."""
    return NoConnection(
        ErrorKind.INTERNAL,
        f"the connection string in `{setting}` cannot be read; its form is postgresql://USER:PASSWORD@HOST:PORT/NAME",
        state=State.UNKNOWN,
    )


def not_resolved() -> NoConnection:
    """The server's name leads nowhere."""
    return NoConnection(ErrorKind.DNS, "the server's name is not resolved", state=State.UNHEALTHY)


def refusal(error: psycopg.Error) -> str | None:
    """What is wrong with a statement that people wrote, in words for them; None where it is not the statement's fault.

    What the server says of names and syntax is quoted: it repeats the statement. What it says of data is not.
    """
    state = error.sqlstate or ""
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return "writes, which a figure may not: the transaction is read-only"
    if isinstance(error, errors.DivisionByZero):
        return "divides by 0; write nullif(…, 0) for the divisor"
    if state[:2] == "22":
        return f"fails at a value in the data (error {state})"
    if state[:2] in ("42", "0A") and not isinstance(error, errors.InsufficientPrivilege):
        return f"is refused: {redact(clean(str(error.diag.message_primary or state), 120))}"
    return None


def asking(error: psycopg.Error) -> Fault:
    """Why a statement gave no answer on a connection that was open. `state` None: the source decides."""
    if _POOL_EMPTY.search(str(error)[:1000]):
        return Fault(ErrorKind.LIMIT, "the pooler has no server connection free", state=State.UNHEALTHY)
    if isinstance(error, errors.LockNotAvailable):
        return Fault(ErrorKind.TIMEOUT, "waits for a lock that somebody holds", state=State.UNKNOWN)
    if isinstance(error, errors.QueryCanceled):
        return Fault(ErrorKind.TIMEOUT, "the server cancelled the statement: it took too long", state=State.DEGRADED)
    if isinstance(error, errors.InsufficientPrivilege):
        return Fault(ErrorKind.CREDENTIALS, "our role may not read it", outcome=Outcome.FORBIDDEN, state=State.UNKNOWN)
    if isinstance(error, errors.AdminShutdown | errors.CrashShutdown | errors.IdleInTransactionSessionTimeout):
        return Fault(ErrorKind.CLOSED, "ended our session", state=State.UNHEALTHY)
    if error.sqlstate is None or error.sqlstate[:2] == "08":
        return Fault(ErrorKind.CLOSED, "the connection was lost before the answer", state=State.UNHEALTHY)
    if error.sqlstate[:2] == "53":
        return Fault(ErrorKind.LIMIT, f"has no resources left (error {error.sqlstate})", state=State.UNHEALTHY)
    return Fault(ErrorKind.STATUS, f"refuses the statement (error {error.sqlstate})", state=State.UNKNOWN)
