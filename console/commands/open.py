"""`radar open`: everything abnormal that somebody must undo or look after (the ledger)."""

from __future__ import annotations

import argparse

from console.cli import FAILED, SHORT, WELL
from console.commands.documents import Document, moment
from console.commands.output import Output, add_json, complain, document
from console.commands.parts import reading, settings_of
from console.model.ports import StoreUnreadable
from console.model.times import ago, date_time
from console.model.views import OpenItem


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: nothing is open; 1: something is; 2: the store cannot be read."""
    settings = settings_of(arguments)
    try:
        with reading(settings) as reads:
            header = reads.health(arguments.at_ms, strip_slices=1, events=1).header
    except StoreUnreadable as error:
        complain(str(error))
        return FAILED
    items = header.open_items
    if arguments.json:
        document({"at": moment(header.at_ms), "open": [item_document(item) for item in items]})
    else:
        output = Output(arguments, settings.display)
        output.as_of(arguments.at_ms)
        _print(output, items, header.at_ms)
    return SHORT if items else WELL


def item_document(item: OpenItem) -> Document:
    """One entry of the ledger."""
    return {
        "kind": item.kind,
        "text": item.text,
        "owner": item.owner,
        "since": moment(item.since_ms),
        "until": moment(item.expires_ms),
        "undo": item.undo or None,
    }


def _print(output: Output, items: tuple[OpenItem, ...], now_ms: int) -> None:
    if not items:
        output.line("Nothing abnormal is open: no silence, nothing pinned, nothing interrupted.")
        return
    output.table([("KIND", "SINCE", "UNTIL", "OWNER", "WHAT"), *(_row(item, now_ms) for item in items)])
    for item in items:
        if item.undo:
            output.line(f"undo {item.kind}: {item.undo}")


def _row(item: OpenItem, now_ms: int) -> tuple[str, str, str, str, str]:
    since, until = (date_time(at_ms) if at_ms is not None else "-" for at_ms in (item.since_ms, item.expires_ms))
    until += f" ({ago((now_ms - (item.expires_ms or 0)) / 1000)} past)" if item.is_overdue(now_ms) else ""
    return item.kind, since, until, item.owner or "-", item.text
