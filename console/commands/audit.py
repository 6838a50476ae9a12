"""`radar audit [verify]`: who did what; whether the record of it is whole, and known outside."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from console.cli import FAILED, SHORT, WELL
from console.commands.documents import moment
from console.commands.output import Output, add_json, complain, document
from console.commands.parts import settings_of
from console.model.configuration import Settings
from console.model.text import clean
from console.model.times import date_time
from console.model.words import counted

if TYPE_CHECKING:
    from console.actions.audit_check import Verdict

NEWEST = 50


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("verb", nargs="?", choices=("verify",), help="check the chain and its anchors outside")
    parser.add_argument("--anchors", type=Path, metavar="FILE", help="a log that holds the anchors, besides journald")
    parser.add_argument("--last", type=int, default=NEWEST, metavar="N", help=f"how many entries; default {NEWEST}")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: well; 1: whole, but entries are known nowhere outside; 2: broken, contradicted by the journal, unreadable."""
    from console.store.errors import StoreError
    from console.store.files import UnsuitablePlace

    settings = settings_of(arguments)
    try:
        return _verified(arguments, settings) if arguments.verb else _listed(arguments, settings)
    except (StoreError, UnsuitablePlace, OSError) as error:
        complain(str(error))
        return FAILED


def _listed(arguments: argparse.Namespace, settings: Settings) -> int:
    from console.store import audit
    from console.store.records import Records

    with closing(Records(settings.records_path)) as records:
        entries = records.read(lambda connection: list(audit.entries(connection)))[-max(0, arguments.last) :]
    if arguments.json:
        told = [{"id": each.id, "at": moment(each.at_ms), "actor": each.actor, "kind": each.kind,
                 "subject": each.subject, "words": each.words, "hash": each.hash} for each in entries]  # fmt: skip
        document({"entries": told})
        return WELL
    output = Output(arguments, settings.display)
    if not entries:
        output.line("Nothing is in the audit: no action was ever carried out from here.")
    output.table([(str(each.id), date_time(each.at_ms), clean(each.actor), each.kind, clean(each.words))
                  for each in entries])  # fmt: skip
    return WELL


def _verified(arguments: argparse.Namespace, settings: Settings) -> int:
    from console.actions import audit_check
    from console.store.records import Records

    journal = audit_check.anchors_of_journald()
    anchors = dict(journal or {})
    outside = "journald" if journal is not None else "journald cannot be read"
    if arguments.anchors is not None:
        for number, hashes in audit_check.anchors_of_file(arguments.anchors).items():
            anchors[number] = anchors.get(number, frozenset()) | hashes
        outside += f" and {arguments.anchors}"
    with closing(Records(settings.records_path)) as records:
        found = audit_check.verify(records, anchors, outside)
    if arguments.json:
        document({"entries": found.entries, "holds": found.holds, "broken": list(found.broken),
                  "missing": list(found.missing), "contradicted": list(found.contradicted), "gone": list(found.gone),
                  "differences": list(found.differences), "runs": found.runs, "unanchored": list(found.unanchored),
                  "outside": found.outside})  # fmt: skip
    else:
        _print(Output(arguments, settings.display), found)
    if not found.holds:
        return FAILED
    return SHORT if found.unanchored else WELL


def _print(output: Output, found: Verdict) -> None:
    for words in (*found.broken, *found.missing):
        output.line(f"BROKEN  {words}")
    for number in found.contradicted:
        output.line(f"BROKEN  entry {number} has another hash outside: it was rewritten")
    for number in found.gone:
        output.line(f"BROKEN  entry {number} is known outside and is not in the file")
    for words in found.differences:
        output.line(f"DIFFERS  {clean(words)}")
    if found.whole:
        output.line(f"The chain is whole: {found.entries} entries, each covers the one before it.")
    points = counted(len(found.differences), "point")
    told = f"contradicts it in {points}" if found.differences else "says the same"
    output.line(f"The journal {told}: {counted(found.runs, 'run')} compared.")
    output.line(f"Known outside ({found.outside}): {found.entries - len(found.unanchored)} of {found.entries}.")
    if found.unanchored:
        first, last = found.unanchored[0], found.unanchored[-1]
        count = len(found.unanchored)
        output.line(f"Known nowhere else: {count}, from entry {first} to {last}: of these only the file tells.")
