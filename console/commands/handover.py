"""`radar handover [--since 8h]`: what the next shift must know: state, ledger, alerts, actions, notes."""

from __future__ import annotations

import argparse

from console.cli import FAILED, UNUSABLE, WELL
from console.commands import documents
from console.commands.open import item_document
from console.commands.output import Output, add_json, complain, document
from console.commands.parts import settings_of, store_reader
from console.model.configuration import Settings
from console.model.incident import Handover, handover_text
from console.model.ports import StoreUnreadable
from console.model.times import parse_duration, parse_moment
from console.store.clock import now_ms

SHIFT = "8h"
_STEPS = ("step",)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    words = f"when the shift began: 8h, -8h, 06:00, yesterday 22:00; default {SHIFT}"
    parser.add_argument("--since", default=SHIFT, metavar="TIME", help=words)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: printed; 2: the store cannot be read; 3: the time is none."""
    try:
        length_s = _length_s(arguments.since, arguments.at_ms or now_ms())
    except ValueError as error:
        complain(f"--since: {error}")
        return UNUSABLE
    settings = settings_of(arguments)
    try:
        handover = _handover(settings, length_s, arguments.at_ms)
    except StoreUnreadable as error:
        complain(str(error))
        return FAILED
    if arguments.json:
        document(_document(handover))
    else:
        output = Output(arguments, settings.display)
        output.as_of(arguments.at_ms)
        for line in handover_text(handover):
            output.line(line)
    return WELL


def _length_s(typed: str, at_ms: int) -> int:
    """Seconds from then to `at_ms`; a duration, or a moment. Raises `ValueError`, in words."""
    try:
        return parse_duration(typed)
    except ValueError:
        return max(1, (at_ms - parse_moment(typed, at_ms)) // 1000)


def _handover(settings: Settings, length_s: int, at_ms: int | None) -> Handover:
    with store_reader(settings) as reads:
        view, alerts = reads.health(at_ms, strip_slices=1, events=1), reads.alerts(at_ms)
        at_ms = view.header.at_ms
        since_ms = at_ms - length_s * 1000
        happened = [each for each in reads.happenings(since_ms, at_ms) if each.kind not in _STEPS]
    return Handover(
        environment=view.header.environment, at_ms=at_ms, since_ms=since_ms, state=view.header.state.value,
        reasons=tuple(reason.text for reason in view.verdict.reasons) if view.verdict else (),
        open_items=view.header.open_items, firing=alerts.firing, happenings=tuple(happened),
    )  # fmt: skip


def _document(handover: Handover) -> documents.Document:
    return {
        "environment": handover.environment,
        "at": documents.moment(handover.at_ms),
        "since": documents.moment(handover.since_ms),
        "state": handover.state,
        "reasons": list(handover.reasons),
        "open": [item_document(item) for item in handover.open_items],
        "firing": [documents.alert(alert) for alert in handover.firing],
        "happened": [documents.happening(each) for each in handover.happenings],
    }
