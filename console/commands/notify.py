"""`radar notify`: the channels, how each got through last; `radar notify test` sends a message through them."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from console.cli import FAILED, SHORT, UNUSABLE, WELL
from console.commands.documents import Document, moment
from console.commands.output import Output, add_json, complain, document
from console.commands.parts import operator, reading, refuse_withheld, settings_of
from console.model.action_views import DeliveryRow
from console.model.configuration import Settings
from console.model.ports import Refused, StoreUnreadable
from console.model.states import State
from console.model.text import clean
from console.model.times import ago, date_time
from console.model.words import seconds
from console.store.clock import now_ms
from console.store.outbox import ChannelState
from console.store.read_outbox import Left, left

NEWEST = 20
PATIENCE_S = 60.0
"""How long a test waits for the collector: its time-out, a retry, and then some."""
LOOK_S = 0.2
SETTLED = ("sent", "failed", "unknown", "dropped")
_STATES = {"sent": State.HEALTHY, "failing": State.UNHEALTHY, "unknown": State.UNKNOWN, "waiting": State.UNKNOWN}
_WORDS = {"sent": "gets through", "waiting": "nothing was sent yet"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One channel of the settings: the least severity that it is told of (None: no alerts), and how it stands."""

    name: str
    least: str | None
    state: ChannelState | None


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    verbs = "test: have the collector send a message; dismiss NUMBER: one that failed, or may not be told, is seen to"
    parser.add_argument("verb", nargs="?", choices=("test", "dismiss"), help=verbs)
    parser.add_argument("number", nargs="?", type=int, help="the message's number, as radar open tells it")
    parser.add_argument("--channel", metavar="NAME", help="only this one: slack, pagerduty, statuspage, webhook:NAME")
    parser.add_argument("--last", type=_count, default=NEWEST, metavar="N", help=f"how many messages; default {NEWEST}")
    add_json(parser)


def _count(typed: str) -> int:
    """At least one."""
    number = int(typed)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is none: at least 1")
    return number


def run(arguments: argparse.Namespace) -> int:
    """0: every channel gets through; 1: one was not heard of, or none is configured; 2: one fails, or refused."""
    if (arguments.verb == "dismiss") != (arguments.number is not None):
        complain("write radar notify, radar notify test, or radar notify dismiss NUMBER: radar open tells the numbers")
        return UNUSABLE
    settings = settings_of(arguments)
    if arguments.verb == "dismiss":
        return _dismiss(arguments, settings)
    if arguments.verb:
        refuse_withheld(settings, "notify test")
    names = _names(settings)
    if arguments.channel is not None and arguments.channel not in names:
        complain(f"no channel {clean(arguments.channel)!r} is configured; there are: {', '.join(names) or 'none'}")
        return UNUSABLE
    wanted = names if arguments.channel is None else (arguments.channel,)
    try:
        return _test(arguments, settings, wanted) if arguments.verb else _list(arguments, settings, wanted)
    except (Refused, StoreUnreadable) as error:
        complain(str(error))
        return FAILED


def _dismiss(arguments: argparse.Namespace, settings: Settings) -> int:
    """0: it has left the ledger; 2: refused."""
    try:
        with operator(settings) as person:
            person.alerts.dismiss(arguments.number)
    except Refused as error:
        complain(str(error))
        return FAILED
    if arguments.json:
        document({"dismissed": arguments.number})
    else:
        Output(arguments, settings.display).line(f"message {arguments.number} is seen to, and not sent again")
    return WELL


def _names(settings: Settings) -> tuple[str, ...]:
    from console.notify.channels import names

    return names(settings.operations())


# --- how they stand ---------------------------------------------------------------------------------------------------


def _list(arguments: argparse.Namespace, settings: Settings, names: Sequence[str]) -> int:
    states, rows, lost = _read(settings, arguments.last)
    lost = [each for each in lost if each.channel in names]
    shown = [Shown(name, _least(settings, name), states.get(name)) for name in names]
    rows = tuple(row for row in rows if row.channel in names)
    if arguments.json:
        document(_document(settings, shown, rows) | {"left": [_left(each) for each in lost]})
    else:
        _print(Output(arguments, settings.display), settings, shown, rows)
        _print_left(Output(arguments, settings.display), lost)
    found = {each.state.state if each.state else "waiting" for each in shown}
    if "failing" in found:
        return FAILED
    return WELL if found == {"sent"} and not lost else SHORT


def _left(one: Left) -> Document:
    return {"id": one.id, "channel": one.channel, "title": one.title, "state": one.state, "words": one.words}


def _print_left(output: Output, lost: Sequence[Left]) -> None:
    """What came to no good, whatever was told since."""
    if lost:
        output.line(output.head("not told, or not known to be: radar notify dismiss number"))
        output.table([(str(each.id), each.channel, each.state, f"{each.title}; {each.words}") for each in lost])


Read = tuple[dict[str, ChannelState], tuple[DeliveryRow, ...], list[Left]]


def _read(settings: Settings, last: int) -> Read:
    """What the outbox says. Raises `StoreUnreadable`."""
    from console.store import outbox
    from console.store.reading import ReadFile, Unreadable
    from console.store.schema import RECORDS_ID, RECORDS_VERSION

    with closing(ReadFile(settings.records_path, RECORDS_ID, RECORDS_VERSION)) as file:
        try:
            with file.transaction() as connection:
                if connection is None:
                    return {}, (), []
                rows = outbox.deliveries(connection, now_ms(), last)
                return outbox.channel_states(connection), rows, left(connection, now_ms())
        except Unreadable as error:
            raise StoreUnreadable(str(error)) from error


def _least(settings: Settings, name: str) -> str | None:
    from console.model.notifications import STATUSPAGE
    from console.notify.rules import least_of

    return None if name == STATUSPAGE else least_of(settings.operations().notify, name)


def _document(settings: Settings, shown: Sequence[Shown], rows: Sequence[DeliveryRow]) -> Document:
    return {
        "environment": settings.environment.name,
        "channels": [_channel(each) for each in shown],
        "heartbeat": settings.operations().notify.heartbeat is not None,
        "deliveries": [delivery(row) for row in rows],
    }


def _channel(shown: Shown) -> Document:
    state = shown.state
    return {
        "name": shown.name,
        "least": shown.least,
        "state": state.state if state else "waiting",
        "sent": moment(state.sent_ms) if state else None,
        "since": moment(state.since_ms) if state else None,
        "words": state.words if state else "",
        "waiting": state.waiting if state else 0,
    }


def delivery(row: DeliveryRow) -> Document:
    """One message to one channel."""
    return {
        "id": row.id,
        "event": row.event,
        "channel": row.channel,
        "title": row.title,
        "state": row.state,
        "attempts": row.attempts,
        "changed": moment(row.changed_ms),
        "words": row.words,
    }


def _print(output: Output, settings: Settings, shown: Sequence[Shown], rows: Sequence[DeliveryRow]) -> None:
    output.line(output.head("channels"))
    if not shown:
        name = settings.environment.name
        output.line(f"  none: nobody is told of alerts. Add [environments.{name}.slack] with webhook = …")
    output.table([_row(output, each) for each in shown])
    notify = settings.operations().notify
    heartbeat = f"told every {seconds(notify.heartbeat_s)} while rounds are judged and stored"
    heartbeat = heartbeat if notify.heartbeat else "not configured"
    output.line(f"  dead-man's switch: {heartbeat}")
    if rows:
        output.line(output.head("newest messages"))
        output.table([_message(row) for row in rows])


def _row(output: Output, shown: Shown) -> tuple[str, ...]:
    state = shown.state
    word = state.state if state else "waiting"
    said = _WORDS.get(word, word)
    last = f"last told {ago((now_ms() - state.sent_ms) / 1000)} ago" if state and state.sent_ms else "never told"
    least = f"alerts from {shown.least} up" if shown.least else "no alerts, only maintenance"
    since = f"since {date_time(state.since_ms)}: {state.words}" if state and state.since_ms else ""
    glyph = output.painted(f"{output.glyph(_STATES[word])} {shown.name}", _STATES[word])
    return glyph, " ".join(part for part in (said, since) if part), last, least


def _message(row: DeliveryRow) -> tuple[str, ...]:
    tries = f"{row.attempts} tries" if row.attempts > 1 else ""
    said = "; ".join(part for part in (row.title, tries, row.words if row.state != "sent" else "") if part)
    return date_time(row.changed_ms), row.channel, row.state, said


# --- a test -----------------------------------------------------------------------------------------------------------


def _test(arguments: argparse.Namespace, settings: Settings, names: Sequence[str]) -> int:
    """Put a message into the outbox for each, and say what the collector made of it."""
    if not names:
        raise Refused(
            f"no channel is configured; add [environments.{settings.environment.name}.slack] with webhook = …"
        )
    who = _allowed(settings)
    with reading(settings) as reads:
        if not reads.health(None, events=0).header.collector.alive:
            raise Refused("nobody collects, and it is the collector that sends: start `radar collect`")
    event = _add(settings, names, who)
    rows = _awaited(settings, event, names)
    if arguments.json:
        document({"event": event, "deliveries": [delivery(row) for row in rows]})
    else:
        output = Output(arguments, settings.display)
        output.table([(row.channel, row.state, row.words) for row in rows])
    states = {row.state for row in rows}
    return WELL if states == {"sent"} else FAILED if "failed" in states else SHORT


def _allowed(settings: Settings) -> str:
    """Who asks. Raises `Refused` when they may change nothing."""
    from console.actions.authority import standing
    from console.model.actions import CheckResult, Risk

    person = standing(settings.operations().access)
    check = person.check(Risk.SAFE)
    if check.result is CheckResult.FAIL:
        raise Refused(check.words)
    return person.who.words


def _add(settings: Settings, names: Sequence[str], who: str) -> str:
    from console.notify.wording import trial_notice, where_words
    from console.store import outbox
    from console.store.errors import StoreError
    from console.store.files import UnsuitablePlace
    from console.store.records import Records

    environment = settings.environment
    event = f"{environment.name}:test:{now_ms()}"
    payload = trial_notice(where_words(environment.name, environment.label), who)
    try:
        with closing(Records(settings.records_path)) as records:
            for name in names:
                outbox.add(records, event, name, f"test by {who}", payload)
    except (StoreError, UnsuitablePlace) as error:
        raise Refused(str(error)) from error
    return event


def _awaited(settings: Settings, event: str, names: Sequence[str]) -> list[DeliveryRow]:
    """The rows of the event once each is settled, or as they stand when that takes too long."""
    ends_s = time.monotonic() + PATIENCE_S
    while True:
        rows = [row for row in _read(settings, 1000)[1] if row.event == event]
        rows.sort(key=lambda row: names.index(row.channel))
        if all(row.state in SETTLED for row in rows) or time.monotonic() > ends_s:
            return rows
        threading.Event().wait(LOOK_S)
