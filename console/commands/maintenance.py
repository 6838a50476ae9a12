"""`radar maintenance`: put the application into maintenance, end it, announce it, take the announcement back, look."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping

from console.cli import FAILED, SHORT, UNUSABLE, WELL
from console.commands.acting import act, add_acting
from console.commands.output import Output, complain, document
from console.commands.parts import reading, settings_of
from console.model.actions import ActionRequest
from console.model.configuration import Settings
from console.model.maintenance import HOLDING, Flag, message_of
from console.model.maintenance_window import Window, window
from console.model.observation import Json
from console.model.ports import Refused, StoreUnreadable
from console.model.states import State
from console.model.times import ago, date_time, iso, parse_duration
from console.store.read_header import NOBODY

WHAT = ("on", "off", "status", "cancel", "table")


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "what",
        choices=WHAT,
        help="cancel: take an announcement back; table: make the table of the database provider",
    )
    parser.add_argument("--in", dest="notice", metavar="TIME", help="with on: announce it, and do it then: 1h")
    parser.add_argument("--for", dest="length", metavar="TIME", help="with on: how long it is planned to last")
    parser.add_argument("--ends", action="store_true", help="with --for: the collector's service ends it then")
    parser.add_argument("--message", metavar="TEXT", help="what visitors and the status page are told")
    mail = parser.add_mutually_exclusive_group()
    mail.add_argument("--mail", action="store_true", default=None, help="mail to the status page's subscribers")
    mail.add_argument("--no-mail", dest="mail", action="store_false", help="no mail, whatever the settings say")
    add_acting(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: off, or done; 1: it is on, or done but worse; 2: refused, failed, unknown; 3: usage."""
    try:
        request = request_of(arguments)
    except ValueError as error:
        complain(str(error))
        return UNUSABLE
    settings = settings_of(arguments)
    return act(arguments, settings, request) if request else _status(arguments, settings)


def request_of(arguments: argparse.Namespace) -> ActionRequest | None:
    """What is asked for; None: only to look. Raises `ValueError`, in words, for options that do not belong together."""
    what = arguments.what
    for option in ("notice", "length"):
        if getattr(arguments, option) and what != "on":
            raise ValueError(f"--{'in' if option == 'notice' else 'for'} belongs to radar maintenance on")
    if arguments.ends and what != "on":
        raise ValueError("--ends belongs to radar maintenance on")
    if arguments.message:
        message_of(arguments.message)  # which says how long it may be
    told: dict[str, Json] = {"message": arguments.message, "mail": arguments.mail}
    given = {name: value for name, value in told.items() if value is not None}
    if given and what not in ("on", "off"):
        raise ValueError("--message and --mail belong to radar maintenance on and off")
    if what in ("cancel", "table"):
        return ActionRequest(action="cancel-due" if what == "cancel" else "maintenance-table")
    if what == "status":
        if arguments.plan or arguments.escape or arguments.reason or arguments.confirm:
            raise ValueError("--plan, --escape, --reason and --confirm belong to what changes something, not to status")
        return None
    if arguments.ends and not arguments.length:
        raise ValueError("--ends needs --for: it ends by itself only at a planned end")
    ends: Mapping[str, Json] = {"ends": True} if arguments.ends else {}
    length = {} if not arguments.length else {"for": parse_duration(arguments.length) / 60}
    if arguments.notice:
        lasts: Mapping[str, Json] = {"lasts": length["for"]} if length else {}
        minutes = parse_duration(arguments.notice) / 60
        return ActionRequest(action="announce", parameters={**given, **lasts, **ends, "minutes": minutes})
    planned: Mapping[str, Json] = {"minutes": length["for"]} if length else {}
    return ActionRequest(action="maintenance", parameters={**given, **planned, **ends, "on": what == "on"})


# --- the status -------------------------------------------------------------------------------------------------------


def _status(arguments: argparse.Namespace, settings: Settings) -> int:
    """The flag as it stands, by its provider; what the ledger and the calendar say."""
    from console.store.clock import now_ms as wall_ms

    maintenance, now_ms = settings.operations().maintenance, wall_ms()
    name, flag, fault = _flag(settings)
    coming = window(now_ms, maintenance)
    held, due, nobody = _records(settings)
    if arguments.json:
        document({
            "provider": name, "on": flag.on if flag else None, "flag": _told(flag) if flag else None, "fault": fault,
            "held": [_timed(row) for row in held], "due": [_timed(row) for row in due], "carried_out": not nobody,
            "window": {"start": iso(coming.start_ms), "end": iso(coming.end_ms), "now": coming.holds(now_ms)},
        })  # fmt: skip
    else:
        _print(Output(arguments, settings.display), _first(name, flag, fault), held, due, coming, now_ms, nobody)
    if flag is None or flag.on is None:
        return FAILED
    return SHORT if flag.on else WELL


def _told(flag: Flag) -> dict[str, object]:
    """The flag, its times as all documents have them."""
    since, until = (None if each is None else iso(each) for each in (flag.since_ms, flag.until_ms))
    return {"on": flag.on, "message": flag.message, "since": since, "until": until, "by": flag.by}


def _timed(row: dict[str, object]) -> dict[str, object]:
    """A row with its times as all documents have them: `began_ms` is `began`."""
    return {
        name.removesuffix("_ms"): iso(value) if name.endswith("_ms") and isinstance(value, int) else value
        for name, value in row.items()
    }


def _flag(settings: Settings) -> tuple[str | None, Flag | None, str | None]:
    """The provider's name, the flag, and why it is not known."""
    if settings.held_by is not None:
        words = (
            f"the account {settings.held_by} holds its credential: sudo -u {settings.held_by} radar maintenance status"
        )
        return "the flag", None, words
    from console.actions.maintenance_providers import provider_of, reading_or_fault
    from console.sources.faults import Fault
    from console.sources.http import Clients

    try:
        environment = settings.environment
        provider = provider_of(environment, settings.operations().maintenance, Clients(environment.certificate_ca))
    except Refused as refused:
        return None, None, str(refused)
    found = asyncio.run(reading_or_fault(provider))
    if isinstance(found, Fault):
        return provider.name, None, found.words
    return provider.name, found.flag, None


def _records(settings: Settings) -> tuple[list[dict[str, object]], list[dict[str, object]], str]:
    """Who holds it by the ledger, and what is announced; in words, why nobody will do that."""
    try:
        with reading(settings) as reads:
            view = reads.actions(None)
    except StoreUnreadable as error:
        complain(str(error))
        return [], [], ""
    held: list[dict[str, object]] = [
        {"owner": row.owner, "began_ms": row.began_ms, "expires_ms": row.expires_ms, "undo": row.undo}
        for row in view.holdings
        if row.kind == HOLDING
    ]
    due: list[dict[str, object]] = [
        {"id": row.id, "due_ms": row.due_ms, "title": row.title, "operator": row.operator, "state": row.state}
        for row in view.due
        if row.action in ("maintenance", "maintenance-end") and row.state in ("waiting", "missed", "refused")
    ]
    waits = any(row["state"] == "waiting" for row in due)
    return held, due, NOBODY if waits and not view.header.collector.alive else ""


def _first(name: str | None, flag: Flag | None, fault: str | None) -> tuple[State, str]:
    if flag is None:
        return (State.UNKNOWN, f"{name} cannot be read: {fault}") if name else (State.NOT_CONFIGURED, str(fault))
    state = {True: State.DEGRADED, False: State.HEALTHY}.get(bool(flag.on), State.UNKNOWN)
    return (state if flag.on is not None else State.UNKNOWN), f"maintenance is {flag.words} ({name})"


def _planned(until_ms: int, now_ms: int) -> str:
    past = f", {ago((now_ms - until_ms) / 1000)} past" if until_ms <= now_ms else ""
    return f", planned until {date_time(until_ms)} UTC{past}"


def _print(
    output: Output,
    first: tuple[State, str],
    held: list[dict[str, object]],
    due: list[dict[str, object]],
    coming: Window,
    now_ms: int,
    nobody: str = "",
) -> None:
    state, words = first
    output.line(f"{output.painted(output.glyph(state), state)} {words}")
    for row in held:
        ends = _planned(int(str(row["expires_ms"])), now_ms) if row["expires_ms"] else ""
        since = date_time(int(str(row["began_ms"])))
        output.line(f"  begun here by {row['owner']} at {since} UTC{ends}; undo: {row['undo']}")
    for row in due:
        left_s = (int(str(row["due_ms"])) - now_ms) / 1000
        when = f"in {ago(left_s)}" if left_s >= 0 else f"{ago(-left_s)} ago"
        told = f"  due {row['id']}: {row['title']} at {date_time(int(str(row['due_ms'])))} UTC, {when}"
        output.line(f"{told}, by {row['operator']}: {row['state']}" + (nobody and f", {nobody}"))
    output.line(f"  regular window: {coming.words(now_ms)}")
